"""A head that starts with class means: without a step of training, a text falls to the class whose mean is nearest."""

from pathlib import Path

import numpy as np
import pytest
import torch
from cell_kit import job, network, small
from pipeline.training.class_means import MARGIN, start_from_class_means

from pipeline.data.sets import Prepared
from pipeline.data.store import load
from pipeline.data.subsets import nested_subset
from pipeline.errors import BaseModelError
from pipeline.tasks import Vocabulary, kind
from pipeline.training.fit import fit
from pipeline.training.inputs import TokenInputs

TASK = kind("classification")


@pytest.fixture
def overrides(tiny_base: Path, reviews: Path, tmp_path: Path) -> list[str]:
    return small(tiny_base, reviews, tmp_path)


def train_of(overrides: list[str]) -> tuple[Prepared, TokenInputs]:
    prepared = load(Path(job(overrides).data_folder))
    rows = nested_subset(np.asarray(prepared.train.labels), 32, 0)
    return prepared, TokenInputs(prepared.train, TASK, Vocabulary(pad=0), rows)


def pooled(model: torch.nn.Module, inputs: TokenInputs) -> np.ndarray:
    """What BERT's head reads of each text, one text at a time."""
    with torch.no_grad():
        found = []
        for item in range(len(inputs)):
            batch = inputs.collate(np.array([item]))
            out = model.bert(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"])
            found.append(out.pooler_output[0])
    return torch.stack(found).double().numpy()


@pytest.mark.parametrize("arm", ["class_means", "lora"])
def test_its_first_answers_are_those_of_the_nearest_mean(overrides: list[str], arm: str) -> None:
    _, built = network(overrides, f"arm={arm}")
    prepared, train = train_of(overrides)
    start_from_class_means(built, train, TASK, classes=2, precision="fp32")
    plain = built.model.eval()
    inner = plain.get_base_model() if arm == "lora" else plain
    means = np.stack([pooled(inner, train)[train.labels == label].mean(axis=0) for label in (0, 1)])
    held = TokenInputs(prepared.validation, TASK, Vocabulary(pad=0))
    nearest = ((pooled(inner, held)[:, None] - means) ** 2).sum(axis=2).argmin(axis=1)
    with torch.no_grad():
        logits = TASK.forward(plain, held.collate(np.arange(len(held))))
    assert logits.argmax(dim=1).tolist() == nearest.tolist()


def test_at_the_mean_of_a_class_that_class_is_ahead_by_the_margin(overrides: list[str]) -> None:
    _, built = network(overrides, "arm=class_means")
    _, train = train_of(overrides)
    start_from_class_means(built, train, TASK, classes=2, precision="fp32")
    features = pooled(built.model.eval(), train)
    for label in (0, 1):
        mean = torch.from_numpy(features[train.labels == label].mean(axis=0)).float()
        logits = built.model.classifier(mean).detach()
        assert float(logits[label] - logits[1 - label]) == pytest.approx(MARGIN, rel=1e-3)


def test_the_network_is_left_in_its_mode(overrides: list[str]) -> None:
    _, built = network(overrides, "arm=class_means")
    modes = [m.training for m in built.model.modules()]
    start_from_class_means(built, train_of(overrides)[1], TASK, classes=2, precision="fp32")
    assert [m.training for m in built.model.modules()] == modes


def test_a_head_without_a_bias_is_refused(overrides: list[str]) -> None:
    _, built = network(overrides, "arm=class_means")
    built.model.classifier = torch.nn.Linear(32, 2, bias=False)
    with pytest.raises(BaseModelError, match="needs a head that ends in a linear layer with a bias"):
        start_from_class_means(built, train_of(overrides)[1], TASK, classes=2, precision="fp32")


@pytest.mark.parametrize("trained", ["all", "head"])
def test_a_cell_begins_with_them_and_counts_what_they_took(overrides: list[str], trained: str) -> None:
    fitted = fit(job([*overrides, "arm=class_means", f"arm.trained={trained}"]), lambda _: False)
    fresh = fit(job([*overrides, f"arm.trained={trained}"]), lambda _: False)
    first, other = fitted.trajectory.points[0], fresh.trajectory.points[0]
    assert first.validation_loss != other.validation_loss
    assert (first.flops > 0, other.flops) == (True, 0.0)
