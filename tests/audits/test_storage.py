"""The storage audits: 8 and 4 bits, found again with numpy, and rounding that hurts where it is planted."""

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch

from pipeline.audits import AUDITS
from pipeline.data.sets import EncodedSet
from pipeline.data.store import examples_of
from pipeline.models.few_bits import Bits, in_bits
from pipeline.models.logistic_regression import LinearModel
from pipeline.models.words import WordCounter
from pipeline.training.loop.fitted import Fitted
from pipeline.training.setup.rounded import of_linear
from tests import tiny
from tests.training.cell_kit import small, trained

BITS: tuple[Bits, ...] = (8, 4)
STORAGE = {8: AUDITS["storage"], 4: AUDITS["storage_4bit"]}
ARMS = ("pretrained", "lora", "frozen", "bag_of_words")


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Fitted]:
    """One of each way to train an arm."""
    root = tmp_path_factory.mktemp("storage")
    base, data = tiny.write_base(root / "base"), tiny.write_csv(root / "rows.csv", tiny.rows())
    more = ["train.size=128", "train.epochs=8", "train.lr=1e-2"]
    return {arm: trained([*small(base, data, root / "out"), f"arm={arm}", *more]) for arm in ARMS}


def rounded(values: np.ndarray, bits: Bits) -> np.ndarray:
    """By the largest of each row, or of each 64 weights."""
    shared = values.reshape(len(values), -1)
    if bits == 4:
        shared = np.pad(values.ravel(), (0, -values.size % 64)).reshape(-1, 64)
    scales = np.abs(shared).max(axis=1, keepdims=True).astype(np.float32) / np.float32(2 ** (bits - 1) - 1)
    whole = np.round(shared / np.where(scales > 0, scales, 1)) * scales
    return np.asarray(whole.ravel()[: values.size].reshape(values.shape))


def size_of(values: np.ndarray, bits: Bits) -> int:
    """Bytes in so many bits, with the scales."""
    if values.ndim < 2:
        return 4 * values.size
    return -(-values.size * bits // 8) + 4 * (len(values) if bits == 8 else -(-values.size // 64))


def test_every_row_is_rounded_to_whole_numbers_of_its_own_scale() -> None:
    values = np.random.default_rng(0).normal(0, 1, (5, 64)).astype(np.float32) * np.float32(
        [[1], [10], [0.1], [3], [1]]
    )
    found, size = in_bits(torch.from_numpy(values), 8)
    scales = np.abs(values).max(axis=1, keepdims=True) / 127
    assert (np.abs(found.numpy() - values) <= 0.5001 * scales).all()
    assert found.numpy() / scales == pytest.approx(np.round(found.numpy() / scales), abs=1e-3)
    assert np.abs(found.numpy()).max(axis=1) == pytest.approx(np.abs(values).max(axis=1), rel=1e-5)
    assert size == 5 * 64 + 5 * 4


def test_in_4_bits_every_64_weights_have_15_values_and_a_scale_of_their_own() -> None:
    values = np.random.default_rng(0).normal(0, 1, (5, 3, 15)).astype(np.float32)
    values.ravel()[70] = 1000.0  # in the second of four blocks, the last of which has 33 weights
    found, size = in_bits(torch.from_numpy(values), 4)
    assert found.numpy() == pytest.approx(rounded(values, 4), rel=1e-5)
    flat = found.numpy().ravel()
    for start in (0, 64, 128, 192):
        block, given = flat[start : start + 64], values.ravel()[start : start + 64]
        steps = block / (np.abs(given).max() / 7)
        assert steps == pytest.approx(np.round(steps), abs=1e-3)
        assert np.abs(steps).max() == pytest.approx(7, rel=1e-5)
    assert np.count_nonzero(flat[64:128]) == 1
    assert np.count_nonzero(flat[:64]) > 40
    assert size == 113 + 4 * 4


@pytest.mark.parametrize("bits", BITS)
def test_vectors_stay_as_they_are_and_zeros_stay_zero(bits: Bits) -> None:
    vector = torch.arange(3.0)
    assert in_bits(vector, bits)[0] is vector
    assert in_bits(vector, bits)[1] == 12
    assert not in_bits(torch.zeros(2, 4), bits)[0].any()


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("arm", ARMS)
def test_scores_and_bytes_are_found_again(cells: dict[str, Fitted], arm: str, bits: Bits) -> None:
    cell = cells[arm]
    report = STORAGE[bits].examine(cell)
    own = {name: values.numpy().copy() for name, values in cell.tensors().items()}
    assert report.numbers[f"stored_bytes_{bits}bit"] == sum(size_of(v, bits) for v in own.values())
    assert report.numbers["stored_bytes"] == sum(4 * v.size for v in own.values())
    assert report.items[:, 0] == pytest.approx(cell.outputs(cell.sets["test"]).scores)
    assert report.numbers[f"score_{bits}bit"] == pytest.approx(report.items[:, 1].mean())
    if cell.network is not None:  # what the network answers once its weights are replaced by hand
        parameters, before = cell.network.own(), cell.outputs(cell.sets["test"], np.arange(20)).probabilities
        if arm != "frozen":  # whose head is read off features
            with torch.no_grad():
                for name, parameter in parameters.items():
                    if parameter.dim() > 1:
                        parameter.copy_(torch.from_numpy(rounded(own[name], bits)))
            again = cell.outputs(cell.sets["test"], np.arange(20))
            with torch.no_grad():
                for name, parameter in parameters.items():
                    parameter.copy_(torch.from_numpy(own[name]))
            assert np.array_equal(again.scores, report.items[:20, 1])
        assert np.array_equal(cell.outputs(cell.sets["test"], np.arange(20)).probabilities, before)


@pytest.mark.parametrize("bits", BITS)
def test_weights_that_are_rounded_already_change_no_answer(cells: dict[str, Fitted], bits: Bits) -> None:
    cell = cells["pretrained"]
    assert cell.network is not None
    own = cell.network.own()
    kept = {name: parameter.detach().clone() for name, parameter in own.items()}
    try:
        with torch.no_grad():
            for parameter in own.values():
                parameter.copy_(in_bits(parameter, bits)[0])
        assert _changed(dataclasses.replace(cell, _known={}), bits) == 0
    finally:
        with torch.no_grad():
            for name, parameter in own.items():
                parameter.copy_(kept[name])


# Times the largest of the other weights. 4 bits have fewer values, so that less is enough.
OUTLIERS: dict[Bits, tuple[float, float, float]] = {8: (1.0, 300.0, 30_000.0), 4: (1.0, 8.0, 100.0)}


@pytest.mark.parametrize("bits", BITS)
def test_rounding_that_hurts_a_network_is_found_the_more_the_worse_it_is(cells: dict[str, Fitted], bits: Bits) -> None:
    """Beside a large weight the others with its scale are rounded coarsely; here it reads a unit that is always 0."""
    cell = cells["pretrained"]
    assert cell.network is not None
    own = cell.network.own()
    kept = {name: parameter.detach().clone() for name, parameter in own.items()}
    norms, width = [p for name, p in own.items() if "LayerNorm" in name], len(own["classifier.weight"][0])
    normalised = {name: p for name, p in own.items() if "embeddings" not in name and "attention.output" not in name}
    reading = [p for p in normalised.values() if p.dim() == 2 and p.shape[1] == width]
    changed = []
    try:
        for outlier in OUTLIERS[bits]:
            with torch.no_grad():
                for norm in norms:
                    norm[0] = 0.0
                for weights in reading:
                    weights[:, 0] = outlier * weights[:, 1:].abs().max()
            changed.append(_changed(dataclasses.replace(cell, _known={}), bits))
    finally:
        with torch.no_grad():
            for name, parameter in own.items():
                parameter.copy_(kept[name])
    assert changed == sorted(changed)
    assert changed[0] < 0.1 < 0.2 < changed[-1]


@pytest.mark.parametrize("bits", BITS)
def test_so_is_rounding_that_hurts_a_bag_of_words(cells: dict[str, Fitted], bits: Bits) -> None:
    """Each 32nd word is one that no text has."""
    cell = cells["bag_of_words"]
    test, read = cell.sets["test"], examples_of(cell.sets["train"]).take(cell.rows)
    counted = WordCounter.of([example.texts for example in read])([example.texts for example in examples_of(test)])
    weights, bias = (cell.tensors()[name].double().numpy() for name in ("weights", "bias"))
    before = np.arange(0, counted.shape[1], 31)
    features, weights = (np.insert(each, before, 0.0, axis=1) for each in (counted.toarray(), weights))
    unread = before + np.arange(len(before))

    def measure(model: LinearModel, encoded: EncodedSet, some: None) -> Any:
        return cell.task.outputs(model.logits(features).astype(np.float32), np.asarray(encoded.labels))

    changed = []
    for outlier in OUTLIERS[bits]:
        weights[:, unread] = outlier * np.abs(weights).max()
        planted = of_linear(LinearModel(weights=weights.copy(), bias=bias), measure)
        changed.append(_changed(dataclasses.replace(cell, rounded=planted), bits))
        weights[:, unread] = 0.0
    assert changed == sorted(changed)
    assert changed[0] < 0.1 < 0.2 < changed[-1]


def _changed(cell: Fitted, bits: Bits) -> float:
    return STORAGE[bits].examine(cell).numbers["changed"]
