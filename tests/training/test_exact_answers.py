"""Logits are float32 where answers are read, whatever precision the network is computed in."""

from pathlib import Path

import numpy as np
import pytest
import torch
from cell_kit import network, small

from pipeline.models.output import output_layers
from pipeline.tasks import KINDS, probe
from pipeline.training.loop.inference import evaluating
from tests.tiny_kinds import OF_DECODERS, settings, table, tiny_decoder

__all__ = ["table", "tiny_decoder"]


@pytest.fixture
def overrides(tiny_base: Path, tiny_decoder: Path, table: Path, tmp_path: Path, kind: str) -> list[str]:
    """Of a cell of the kind."""
    base = tiny_decoder if kind in OF_DECODERS else tiny_base
    return [*small(base, table, tmp_path), *settings(kind)]


@pytest.mark.parametrize("arm", ["pretrained", "lora"])
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_logits_of_a_bf16_network_are_float32_in_evaluation(kind: str, arm: str, overrides: list[str]) -> None:
    task, model = KINDS[kind], network(overrides, f"arm={arm}")[1].model
    batch = probe(task, 24)
    with evaluating(model, "bf16"):
        logits = task.forward(model, batch)
    assert logits.dtype == torch.float32
    assert not torch.equal(logits, logits.bfloat16().float())
    with evaluating(model, "fp32"):
        exact = task.forward(model, batch)
    assert not torch.equal(logits, exact)  # the layers before the last are computed in bf16 still
    np.testing.assert_allclose(logits, exact, atol=0.02)


def test_training_is_left_in_its_precision(reviews: Path, tiny_base: Path, tmp_path: Path) -> None:
    task, model = KINDS["classification"], network(small(tiny_base, reviews, tmp_path))[1].model
    with evaluating(model, "bf16"):
        pass
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert task.forward(model, probe(task, 24)).dtype == torch.bfloat16
    assert all("forward" not in vars(layer) for layer in output_layers(model))
