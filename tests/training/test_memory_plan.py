"""The memory a training will take is known before it starts, and one that would not fit is refused with a way out."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from cell_kit import job, network, small

from pipeline.config.cell import Cell
from pipeline.data.batches import EVALUATED_TOKENS
from pipeline.data.store import load
from pipeline.errors import ConfigError
from pipeline.hardware import machine
from pipeline.models.memory import footprint
from pipeline.study.plan import plan_cell
from pipeline.tasks import kind
from pipeline.training.loop.fit import fit
from pipeline.training.memory.budget import GIB, MemoryBudget, memory_budget


@pytest.fixture
def overrides(tiny_base: Path, reviews: Path, tmp_path: Path) -> list[str]:
    return small(tiny_base, reviews, tmp_path)


def kept(model: torch.nn.Module, texts: int, length: int) -> int:
    """Bytes that autograd keeps of a forward pass, the network's own left out."""
    own = {p.untyped_storage().data_ptr() for p in [*model.parameters(), *model.buffers()]}
    storages = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storages[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage()
        return tensor

    ids = torch.full((texts, length), 7)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        model(input_ids=ids, attention_mask=torch.ones_like(ids))
    return sum(storage.nbytes() for address, storage in storages.items() if address not in own)


@pytest.mark.parametrize("arm", ["pretrained", "scratch", "lora"])
@pytest.mark.parametrize(("texts", "length"), [(4, 24), (16, 48)])
def test_what_a_step_keeps_is_known_for_any_batch_and_length(
    overrides: list[str], arm: str, texts: int, length: int
) -> None:
    cell, built = network(overrides, f"arm={arm}")
    found = footprint(built, kind("classification"), method=cell.method, precision="fp32")
    expected = found.fixed + found.activations(tokens=texts * length, texts=texts, length=length)
    assert expected == pytest.approx(kept(built.model, texts, length), rel=0.05)


def test_counting_leaves_the_network_as_it_was(overrides: list[str]) -> None:
    cell, built = network(overrides, "arm=frozen")
    before = [(name, p.requires_grad, p.detach().clone()) for name, p in built.model.named_parameters()]
    modes = [module.training for module in built.model.modules()]
    footprint(built, kind("classification"), method=cell.method, precision="fp32")
    assert [module.training for module in built.model.modules()] == modes
    for (name, required, value), (now, p) in zip(before, built.model.named_parameters(), strict=True):
        assert (name, required) == (now, p.requires_grad)
        assert p.grad is None
        assert torch.equal(value, p)


def there(overrides: list[str], monkeypatch: pytest.MonkeyPatch, free: float = 64 * GIB) -> tuple[MemoryBudget, Cell]:
    """The room for the cell that `overrides` describe, on a machine with so much free memory."""
    monkeypatch.setattr(machine, "free_memory", lambda _: free)
    plan = plan_cell(overrides)
    ((_, cell),) = plan.cells.items()
    given = job(overrides)
    return memory_budget(plan.located, load(Path(given.data_folder)), given.vocabulary, plan.hardware, plan.root), cell


def peak(overrides: list[str], monkeypatch: pytest.MonkeyPatch) -> float:
    found, cell = there(overrides, monkeypatch)
    return found.planned(cell).plan.peak


def test_a_plan_grows_with_what_is_trained_at_once(overrides: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    base = peak(overrides, monkeypatch)
    assert peak([*overrides, "train.batch=32"], monkeypatch) > base
    assert peak([*overrides, "task.max_length=9"], monkeypatch) < base
    assert peak([*overrides, "arm=frozen"], monkeypatch) < base


def test_what_is_evaluated_at_once_does_not_grow_with_the_test_set(
    overrides: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found, cell = there(overrides, monkeypatch)

    def evaluation(texts: int) -> float:
        test = dataclasses.replace(found.prepared.test, offsets=cell.task.max_length * np.arange(texts + 1))
        prepared = dataclasses.replace(found.prepared, test=test)
        return dataclasses.replace(found, prepared=prepared).planned(cell).plan.evaluation

    fit_into_one = EVALUATED_TOKENS // cell.task.max_length
    assert evaluation(fit_into_one // 2) < evaluation(fit_into_one)
    assert evaluation(fit_into_one) == evaluation(10 * fit_into_one)


def test_two_processes_of_a_cell_take_half_of_a_batch_each(
    overrides: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    alone, cell = there(overrides, monkeypatch)
    pair, _ = there([*overrides, "hardware=ddp_cpu"], monkeypatch)
    whole, half = alone.planned(cell).plan.activations, pair.planned(cell).plan.activations
    assert whole / 2 * 0.8 < half < whole / 2 * 1.4
    assert pair.free == alone.free / 2


def test_processes_of_one_machine_need_memory_to_average_gradients_in(
    overrides: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pair, cell = there([*overrides, "hardware=ddp_cpu"], monkeypatch)
    plan = pair.planned(cell).plan
    assert 2 * plan.trained <= plan.averaging < 2 * plan.trained + 100
    assert dataclasses.replace(plan, averaging=0.0).peak == plan.peak - plan.averaging
    for other in ("hardware=cpu", "hardware.strategy=fsdp", "arm=frozen"):
        room_there, small_cell = there([*overrides, "hardware=ddp_cpu", other], monkeypatch)
        assert room_there.planned(small_cell).plan.averaging < (plan.averaging if other == "arm=frozen" else 1)


def test_shards_divide_what_is_trained_and_leave_the_whole_for_the_tests(
    overrides: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, cell = there([*overrides, "hardware=ddp_cpu"], monkeypatch)
    shards, _ = there([*overrides, "hardware=ddp_cpu", "hardware.strategy=fsdp"], monkeypatch)
    one, half = whole.planned(cell).plan, shards.planned(cell).plan
    assert half.trained == one.trained / 2
    assert half.parameters < 1.6 * one.parameters, "a share, and what is gathered of two layers"
    assert half.whole > 0
    assert half.activations == one.activations


def test_a_cell_on_a_cluster_is_not_judged_by_the_memory_here(
    overrides: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, cell = there(overrides, monkeypatch)
    elsewhere = dataclasses.replace(here, free=1000, hardware=dataclasses.replace(here.hardware, elsewhere=True))
    assert elsewhere.planned(cell).micro_batch is None


def test_a_training_that_does_not_fit_is_refused_with_what_would(
    overrides: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, half = peak(overrides, monkeypatch), peak([*overrides, "train.batch=8"], monkeypatch)
    tight, cell = there(overrides, monkeypatch)
    tight = dataclasses.replace(tight, free=(whole + half) / 2)
    with pytest.raises(ConfigError) as refused:
        tight.planned(cell)
    said = str(refused.value)
    assert "pretrained at n=32 needs" in said
    assert "are free. It would fit with train.fit_memory=true (hardware.micro_batch=8: " in said
    assert "GiB, the same result), train.batch=8 (" in said
    assert "task.max_length=" in said
    assert "arm=lora (" in said
    assert "arm=frozen (" in said


def test_a_training_that_nothing_makes_fit_is_refused_all_the_same(
    overrides: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tight, cell = there([*overrides, "arm=scratch"], monkeypatch)
    with pytest.raises(ConfigError, match="take a smaller base"):
        dataclasses.replace(tight, free=1000).planned(cell)


def test_as_many_cells_run_at_once_as_find_room(overrides: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    large, cell = there(overrides, monkeypatch)
    planned = large.planned(cell)
    for cells in (1, 3):
        assert dataclasses.replace(large, free=planned.plan.peak * (cells + 0.5)).at_once([planned]) == cells
    assert dataclasses.replace(large, free=planned.plan.peak / 2).at_once([planned]) == 1


def test_a_finished_cell_says_what_was_planned(overrides: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    fitted = fit(job(overrides), lambda _: False)
    assert fitted.measured.planned_memory_bytes == round(peak(overrides, monkeypatch))
    assert 0 < fitted.measured.libraries_bytes < 1.01 * fitted.measured.peak_memory_bytes  # counted at two places


def test_texts_beyond_the_length_that_is_asked_for_are_planned_as_cut(
    overrides: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found, cell = there(overrides, monkeypatch)
    shorter = dataclasses.replace(cell, task=dataclasses.replace(cell.task, max_length=8))
    assert np.asarray(found.prepared.train.lengths).max() > 8
    assert found.planned(shorter).plan.activations < found.planned(cell).plan.activations
