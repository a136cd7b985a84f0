"""The storage audit: weights in 8 bits, found again with numpy, and rounding that hurts where it is planted."""

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch

from pipeline.audits import AUDITS
from pipeline.data.sets import EncodedSet
from pipeline.data.store import examples_of
from pipeline.models.eight_bits import in_eight_bits
from pipeline.models.logistic_regression import LinearModel
from pipeline.models.words import WordCounter
from pipeline.training.loop.fitted import Fitted
from pipeline.training.setup.rounded import of_linear
from tests import tiny
from tests.training.cell_kit import small, trained

STORAGE = AUDITS["storage"]
ARMS = ("pretrained", "lora", "frozen", "bag_of_words")


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Fitted]:
    """One of each way to train an arm."""
    root = tmp_path_factory.mktemp("storage")
    base, data = tiny.write_base(root / "base"), tiny.write_csv(root / "rows.csv", tiny.rows())
    more = ["train.size=128", "train.epochs=8", "train.lr=1e-2"]
    return {arm: trained([*small(base, data, root / "out"), f"arm={arm}", *more]) for arm in ARMS}


def rounded(values: np.ndarray) -> np.ndarray:
    """By the largest of each row."""
    scales = np.abs(values).max(axis=tuple(range(1, values.ndim)), keepdims=True).astype(np.float32) / np.float32(127)
    return np.round(values / np.where(scales > 0, scales, 1)) * scales


def test_every_row_is_rounded_to_whole_numbers_of_its_own_scale() -> None:
    values = np.random.default_rng(0).normal(0, 1, (5, 64)).astype(np.float32) * np.float32(
        [[1], [10], [0.1], [3], [1]]
    )
    found, size = in_eight_bits(torch.from_numpy(values))
    scales = np.abs(values).max(axis=1, keepdims=True) / 127
    assert (np.abs(found.numpy() - values) <= 0.5001 * scales).all()
    assert found.numpy() / scales == pytest.approx(np.round(found.numpy() / scales), abs=1e-3)
    assert np.abs(found.numpy()).max(axis=1) == pytest.approx(np.abs(values).max(axis=1), rel=1e-5)
    assert size == 5 * 64 + 5 * 4
    vector = torch.arange(3.0)
    assert in_eight_bits(vector)[0] is vector
    assert in_eight_bits(vector)[1] == 12
    assert not in_eight_bits(torch.zeros(2, 4))[0].any()


@pytest.mark.parametrize("arm", ARMS)
def test_scores_and_bytes_are_found_again(cells: dict[str, Fitted], arm: str) -> None:
    cell = cells[arm]
    report = STORAGE.examine(cell)
    own = {name: values.numpy().copy() for name, values in cell.tensors().items()}
    size = sum(4 * v.size if v.ndim < 2 else v.size + 4 * len(v) for v in own.values())
    assert report.numbers["stored_bytes_8bit"] == size
    assert report.numbers["stored_bytes"] == sum(4 * v.size for v in own.values())
    assert report.items[:, 0] == pytest.approx(cell.outputs(cell.sets["test"]).scores)
    assert report.numbers["score_8bit"] == pytest.approx(report.items[:, 1].mean())
    if cell.network is not None:  # what the network answers once its weights are replaced by hand
        parameters, before = cell.network.own(), cell.outputs(cell.sets["test"], np.arange(20)).probabilities
        if arm != "frozen":  # whose head is read off features
            with torch.no_grad():
                for name, parameter in parameters.items():
                    if parameter.dim() > 1:
                        parameter.copy_(torch.from_numpy(rounded(own[name])))
            again = cell.outputs(cell.sets["test"], np.arange(20))
            with torch.no_grad():
                for name, parameter in parameters.items():
                    parameter.copy_(torch.from_numpy(own[name]))
            assert np.array_equal(again.scores, report.items[:20, 1])
        assert np.array_equal(cell.outputs(cell.sets["test"], np.arange(20)).probabilities, before)


OUTLIERS = (1.0, 300.0, 30_000.0)  # times the largest of the other weights


def test_rounding_that_hurts_a_network_is_found_the_more_the_worse_it_is(cells: dict[str, Fitted]) -> None:
    """Beside a large weight the others of its row are rounded coarsely; here it reads a unit that is always 0."""
    cell = cells["pretrained"]
    assert cell.network is not None
    own = cell.network.own()
    kept = {name: parameter.detach().clone() for name, parameter in own.items()}
    norms, width = [p for name, p in own.items() if "LayerNorm" in name], len(own["classifier.weight"][0])
    normalised = {name: p for name, p in own.items() if "embeddings" not in name and "attention.output" not in name}
    reading = [p for p in normalised.values() if p.dim() == 2 and p.shape[1] == width]
    changed = []
    try:
        for outlier in OUTLIERS:
            with torch.no_grad():
                for norm in norms:
                    norm[0] = 0.0
                for weights in reading:
                    weights[:, 0] = outlier * weights[:, 1:].abs().max()
            changed.append(_changed(dataclasses.replace(cell, _known={})))
    finally:
        with torch.no_grad():
            for name, parameter in own.items():
                parameter.copy_(kept[name])
    assert changed == sorted(changed)
    assert changed[0] < 0.1 < 0.2 < changed[-1]


def test_so_is_rounding_that_hurts_a_bag_of_words(cells: dict[str, Fitted]) -> None:
    cell = cells["bag_of_words"]
    test, read = cell.sets["test"], examples_of(cell.sets["train"]).take(cell.rows)
    features = WordCounter.of([example.texts for example in read])([example.texts for example in examples_of(test)])
    unread = int(np.flatnonzero(np.asarray(abs(features).sum(axis=0))[0] == 0)[0])
    weights, bias = (cell.tensors()[name].double().numpy() for name in ("weights", "bias"))

    def measure(model: LinearModel, encoded: EncodedSet, some: None) -> Any:
        return cell.task.outputs(model.logits(features).astype(np.float32), np.asarray(encoded.labels))

    changed = []
    for outlier in OUTLIERS:
        weights[:, unread] = outlier * np.abs(weights).max()
        planted = of_linear(LinearModel(weights=weights.copy(), bias=bias), measure)
        changed.append(_changed(dataclasses.replace(cell, rounded=planted)))
        weights[:, unread] = 0.0
    assert changed == sorted(changed)
    assert changed[0] < 0.1 < 0.2 < changed[-1]


def _changed(cell: Fitted) -> float:
    return STORAGE.examine(cell).numbers["changed"]
