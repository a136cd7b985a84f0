"""What makes a training fit into memory does not change what comes out of it."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from cell_kit import job, network, outcome, small, trained

from pipeline.errors import ConfigError, MemoryRanOutError
from pipeline.hardware import machine
from pipeline.models import memory
from pipeline.models.speed.gradient_checkpointing import checkpoint_gradients
from pipeline.training.loop import fit as fitting
from pipeline.training.loop.fit import fit
from pipeline.training.loop.lightning_module import parts
from pipeline.training.memory.budget import GIB
from pipeline.training.setup.assembly import Assembled, assemble

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
    assert outcome(trained([*overrides, f"arm={arm}", "hardware.gradient_checkpointing=true"])) == kept


def test_layers_are_computed_again_in_the_backward_pass(overrides: list[str]) -> None:
    cell, built = network(overrides)
    calls: list[int] = []
    built.model.bert.encoder.layer[0].attention.register_forward_hook(lambda *_: calls.append(1))
    ids = torch.full((2, 12), 7)
    for expected in (1, 2):
        built.model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits.sum().backward()
        assert len(calls) == expected, cell
        calls.clear()
        checkpoint_gradients(built.model)


def test_a_batch_in_parts_has_every_row_once_and_less_padding() -> None:
    lengths = torch.tensor([3, 7, 5, 2, 9])
    mask = (torch.arange(9)[None] < lengths[:, None]).long()
    batch = {
        "input_ids": mask * torch.arange(1, 10),
        "attention_mask": mask,
        "labels": torch.arange(5),
        "global_size": 5,
    }
    found = parts(batch, 3)
    assert [tuple(part["input_ids"].shape) for part in found] == [(1, 3), (2, 7), (2, 9)]
    assert torch.cat([part["labels"] for part in found]).tolist() == list(range(5))
    assert sum(int(part["attention_mask"].sum()) for part in found) == int(lengths.sum())
    assert parts(batch, 1) == [batch]


def test_a_batch_in_more_parts_than_it_has_rows_has_parts_that_count_for_nothing() -> None:
    one = torch.ones((1, 1), dtype=torch.int64)
    batch = {"input_ids": one, "attention_mask": one, "whole": True, "labels": torch.tensor([1]), "global_size": 3}
    found = parts(batch, 2)
    assert [len(part["labels"]) for part in found] == [1, 1]
    assert sorted(part["global_size"] for part in found) == [3, math.inf]


def peak(overrides: list[str]) -> float:
    return fit(job(overrides), lambda _: False).measured.planned_memory_bytes


def test_where_memory_is_short_a_training_is_made_to_fit_if_asked(
    overrides: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    large = [*overrides, "train.batch=32", "train.size=64"]
    monkeypatch.setattr(machine, "free_memory", lambda _: 64 * GIB)
    assert job([*large, "train.fit_memory=true"]).hardware.micro_batch is None
    whole, few = peak(large), peak([*large, "hardware.micro_batch=8"])
    again = peak([*large, "hardware.gradient_checkpointing=true", "hardware.micro_batch=1"])
    assert again < few < whole
    for free, size, computed_again in (
        ((whole + few) / 2, (8, 16), False),
        ((few + again) / 2, (None, 16, 8, 4, 2, 1), True),
    ):
        monkeypatch.setattr(machine, "free_memory", lambda _, free=free: free)
        found = job([*large, "train.fit_memory=true"])
        assert found.hardware.micro_batch in size
        assert found.hardware.gradient_checkpointing is computed_again
        assert fit(found, lambda _: False).measured.planned_memory_bytes <= free


def test_how_a_training_is_made_to_fit_is_no_part_of_its_identity(overrides: list[str]) -> None:
    ways = ([], ["hardware.micro_batch=4"], ["hardware.gradient_checkpointing=true"], ["train.fit_memory=true"])
    assert len({job([*overrides, *way]).cell_id for way in ways}) == 1


def let_memory_run_out(monkeypatch: pytest.MonkeyPatch, where: str, *, above: int) -> None:
    """In a training step on more than so many texts at a time, in the forward or the backward pass."""

    def fail(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    def watch(model: torch.nn.Module, _: object, given: dict[str, torch.Tensor], out: Any) -> None:
        if model.training and len(given["input_ids"]) > above:
            fail() if where == "forward" else out.logits.register_hook(fail)

    def scarce(*given: Any) -> Assembled:
        built = assemble(*given)
        built.network.model.register_forward_hook(watch, with_kwargs=True)
        return built

    monkeypatch.setattr(fitting, "assemble", scarce)


@pytest.mark.parametrize("where", ["forward", "backward"])
def test_where_memory_runs_out_fewer_texts_at_a_time_go_on_to_the_same_result(
    overrides: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], where: str
) -> None:
    plain = [*overrides, "train.dropout=0", "train.eval_every=16"]
    undisturbed = trained(plain)
    let_memory_run_out(monkeypatch, where, above=5)
    found = trained(plain)
    assert (undisturbed.measured.micro_batch, found.measured.micro_batch) == (None, 4)
    assert capsys.readouterr().err.count("Out of memory") == 2  # 16 texts, then 8
    one, two = undisturbed.trajectory.points, found.trajectory.points
    np.testing.assert_allclose([p.train_loss for p in one[1:]], [p.train_loss for p in two[1:]], rtol=1e-4)


def test_where_not_even_one_text_fits_the_training_says_what_would_help(
    overrides: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    let_memory_run_out(monkeypatch, "forward", above=0)
    with pytest.raises(MemoryRanOutError, match=r"hardware\.gradient_checkpointing=true"):
        trained(overrides)


def test_an_architecture_that_cannot_compute_layers_again_is_refused_beforehand(
    overrides: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "can_checkpoint_gradients", lambda _: False)
    with pytest.raises(ConfigError, match=r"hardware\.gradient_checkpointing=true is not for base 'tiny'"):
        job([*overrides, "hardware.gradient_checkpointing=true"])
