"""What makes a training fit into memory does not change what comes out of it."""

from pathlib import Path

import numpy as np
import pytest
import torch
from cell_kit import job, network, outcome, small, trained

from pipeline.hardware import machine
from pipeline.models.build import recompute
from pipeline.training.fit import fit
from pipeline.training.module import parts
from pipeline.training.room import GIB

ARMS = ("pretrained", "scratch", "lora")


@pytest.fixture
def overrides(tiny_base: Path, reviews: Path, tmp_path: Path) -> list[str]:
    return small(tiny_base, reviews, tmp_path)


@pytest.mark.parametrize("arm", ARMS)
def test_micro_batches_have_the_loss_curve_of_whole_ones(overrides: list[str], arm: str) -> None:
    plain = [*overrides, f"arm={arm}", "train.dropout=0", "train.eval_every=16"]
    whole = trained(plain).trajectory.points
    for size in (1, 5):
        apart = trained([*plain, f"hardware.micro_batch={size}"]).trajectory.points
        assert len(apart) == len(whole) > 3
        np.testing.assert_allclose([p.train_loss for p in apart[1:]], [p.train_loss for p in whole[1:]], rtol=1e-4)
        np.testing.assert_allclose([p.validation_loss for p in apart], [p.validation_loss for p in whole], rtol=1e-4)
    assert whole[1].train_loss != whole[-1].train_loss


@pytest.mark.parametrize("arm", ARMS)
def test_layers_computed_again_give_the_bits_of_those_that_were_kept(overrides: list[str], arm: str) -> None:
    kept = outcome(trained([*overrides, f"arm={arm}"]))
    assert outcome(trained([*overrides, f"arm={arm}", "hardware.recompute=true"])) == kept


def test_layers_are_computed_again_in_the_backward_pass(overrides: list[str]) -> None:
    cell, built = network(overrides)
    calls: list[int] = []
    built.model.bert.encoder.layer[0].attention.register_forward_hook(lambda *_: calls.append(1))
    ids = torch.full((2, 12), 7)
    for expected in (1, 2):
        built.model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits.sum().backward()
        assert len(calls) == expected, cell
        calls.clear()
        recompute(built.model)


def test_a_batch_in_parts_has_every_row_once_and_less_padding() -> None:
    lengths = torch.tensor([3, 7, 5, 2, 9])
    mask = (torch.arange(9)[None] < lengths[:, None]).long()
    batch = {
        "input_ids": mask * torch.arange(1, 10),
        "attention_mask": mask,
        "labels": torch.arange(5),
        "global_size": 5,
    }
    found = parts(batch, 2)
    assert [tuple(part["input_ids"].shape) for part in found] == [(2, 7), (2, 5), (1, 9)]
    assert torch.cat([part["labels"] for part in found]).tolist() == list(range(5))
    assert sum(int(part["attention_mask"].sum()) for part in found) == int(lengths.sum())
    assert parts(batch, None) == parts(batch, 5) == [batch]


def peak(overrides: list[str]) -> float:
    return fit(job(overrides), lambda _: False).measured.planned_memory_bytes


def test_where_memory_is_short_a_training_is_made_to_fit_if_asked(
    overrides: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    large = [*overrides, "train.batch=32", "train.size=64"]
    monkeypatch.setattr(machine, "free_memory", lambda _: 64 * GIB)
    assert job([*large, "train.fit_memory=true"]).hardware.micro_batch is None
    whole, few = peak(large), peak([*large, "hardware.micro_batch=8"])
    again = peak([*large, "hardware.recompute=true", "hardware.micro_batch=1"])
    assert again < few < whole
    for free, size, computed_again in (
        ((whole + few) / 2, (8, 16), False),
        ((few + again) / 2, (None, 16, 8, 4, 2, 1), True),
    ):
        monkeypatch.setattr(machine, "free_memory", lambda _, free=free: free)
        found = job([*large, "train.fit_memory=true"])
        assert found.hardware.micro_batch in size
        assert found.hardware.recompute is computed_again
        assert fit(found, lambda _: False).measured.planned_memory_bytes <= free


def test_how_a_training_is_made_to_fit_is_no_part_of_its_identity(overrides: list[str]) -> None:
    ways = ([], ["hardware.micro_batch=4"], ["hardware.recompute=true"], ["train.fit_memory=true"])
    assert len({job([*overrides, *way]).cell_id for way in ways}) == 1
