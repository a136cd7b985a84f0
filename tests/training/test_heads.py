"""Heads that are set before the first step: at the means of their classes, or solved as a linear probe."""

from pathlib import Path

import numpy as np
import pytest
import torch
from cell_kit import job, network, small, trained

from pipeline.data.sets import EncodedSet
from pipeline.data.store import load
from pipeline.errors import BaseModelError
from pipeline.models.logistic_regression import LinearModel
from pipeline.tasks import Vocabulary, linear_kind
from pipeline.training.setup.heads import MARGIN, calibrated, class_means, put_in_place, read_out
from pipeline.training.setup.inputs import TokenInputs

TASK = linear_kind("classification")
assert TASK is not None
FEATURES = np.array([[1.0, 0.0], [3.0, 0.0], [0.0, 2.0], [0.0, 4.0]], dtype=np.float32)
LABELS = np.array([0, 0, 1, 1])


@pytest.fixture
def overrides(tiny_base: Path, reviews: Path, tmp_path: Path) -> list[str]:
    return small(tiny_base, reviews, tmp_path)


def test_a_text_falls_to_the_class_whose_mean_is_nearest() -> None:
    generator = np.random.default_rng(0)
    features, labels = generator.normal(size=(60, 5)).astype(np.float32), np.arange(60) % 3
    means = np.stack([features[labels == label].mean(axis=0) for label in range(3)])
    nearest = ((features[:, None] - means) ** 2).sum(axis=2).argmin(axis=1)
    assert class_means(features, labels, 3).logits(features).argmax(axis=1).tolist() == nearest.tolist()


def test_at_the_mean_of_a_class_that_class_is_ahead_by_the_margin() -> None:
    logits = class_means(FEATURES, LABELS, 2).logits(np.array([[2.0, 0.0], [0.0, 3.0]]))
    assert logits[0, 0] - logits[0, 1] == pytest.approx(MARGIN)
    assert logits[1, 1] - logits[1, 0] == pytest.approx(MARGIN)


@pytest.mark.parametrize("arm", ["pretrained", "lora"])
def test_the_last_layer_computes_as_the_model_that_is_put_in_its_place(overrides: list[str], arm: str) -> None:
    _, built = network(overrides, f"arm={arm}")
    model = LinearModel(weights=np.zeros((2, 32)), bias=np.array([1.0, -2.0]))
    put_in_place(built, model)
    train = load(Path(job(overrides).data_folder)).train
    batch = TokenInputs(train, TASK, Vocabulary(pad=0)).collate(np.arange(3))
    with torch.no_grad():
        assert TASK.forward(built.model, batch).tolist() == [[1.0, -2.0]] * 3


def test_a_bias_does_not_fit_into_a_head_without_one(overrides: list[str]) -> None:
    _, built = network(overrides, "arm=class_means")
    built.model.classifier = torch.nn.Linear(32, 2, bias=False)
    with pytest.raises(BaseModelError, match="needs a head that ends in a linear layer with a bias"):
        put_in_place(built, class_means(np.ones((2, 32), np.float32) * [[1], [2]], np.array([0, 1]), 2))


@pytest.mark.parametrize("head", ["class_means", "probe"])
@pytest.mark.parametrize("arm", ["pretrained", "scratch", "lora"])
def test_a_cell_begins_with_its_head_and_counts_what_that_took(overrides: list[str], arm: str, head: str) -> None:
    first = trained([*overrides, f"arm={arm}", f"arm.head={head}"]).trajectory.points[0]
    other = trained([*overrides, f"arm={arm}", "arm.head=fresh"]).trajectory.points[0]
    assert first.validation_loss != other.validation_loss
    assert (first.flops > 0, other.flops) == (True, 0.0)


def test_a_probed_start_is_the_linear_probe_of_the_same_seed(overrides: list[str]) -> None:
    probed = trained([*overrides, "arm=pretrained", "arm.head=probe"])
    alone = trained([*overrides, "arm=frozen"])
    first, end = probed.trajectory.points[0], alone.trajectory.points[-1]
    assert first.validation_score == end.validation_score
    assert first.validation_loss <= end.validation_loss + 1e-6
    assert first.flops == end.flops


def test_a_model_that_is_too_sure_is_shrunk_without_changing_its_answers() -> None:
    generator = np.random.default_rng(0)
    features = generator.normal(size=(80, 4)).astype(np.float32)
    labels = np.where(generator.random(80) < 0.8, features[:, 0] > 0, features[:, 0] <= 0).astype(np.int32)
    ids = [np.array([2, 5, 3], dtype=np.int32)] * 80
    held = EncodedSet(
        name="validation", role="validation", ids=np.concatenate(ids), offsets=np.arange(0, 243, 3), labels=labels,
        groups=np.arange(80), truncated=0, unknown=0.0, fingerprint="",
    )  # fmt: skip
    inputs = TokenInputs(held, TASK, Vocabulary(pad=0))
    sure = LinearModel(weights=np.array([[-40.0, 0, 0, 0], [40.0, 0, 0, 0]]), bias=np.array([0.1, -0.1]))
    calm = calibrated(sure, TASK, inputs, features)
    before, after = (read_out(TASK, inputs, model.logits(features)) for model in (sure, calm))
    assert after.losses.mean() < before.losses.mean() / 2
    assert after.predicted.tolist() == before.predicted.tolist()


def test_the_probe_of_a_random_network_is_of_its_own_seed(overrides: list[str]) -> None:
    losses = {
        seed: trained([*overrides, "arm=scratch", "arm.head=probe", f"train.seed={seed}"]).trajectory.points[0]
        for seed in (0, 1)
    }
    assert losses[0].validation_loss != losses[1].validation_loss
