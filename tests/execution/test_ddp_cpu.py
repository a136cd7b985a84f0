"""Two gloo processes for one cell: the same training as in one, and no rank left waiting for a broken one."""

import dataclasses
import os
import signal
from pathlib import Path

import numpy as np
import pytest
from worker_kit import (
    ENDLESS,
    EXACT,
    assign,
    finished,
    points,
    record,
    run,
    wait_until,
    work_in_little_memory,
    work_without_averaging,
    workers,
)

from pipeline.execution.assignment import Event, Fixed
from pipeline.execution.local import LocalExecutor
from pipeline.records import CellResult
from pipeline.storage.results import ResultStore
from pipeline.tracking import events
from pipeline.tracking.spool import attempts
from tests import tiny


@pytest.fixture(scope="module")
def alone(tiny_base: Path, reviews: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[CellResult, np.ndarray]:
    return finished(tmp_path_factory.mktemp("alone"), base=tiny_base, data=reviews)[:2]


@pytest.fixture(scope="module")
def pair(
    tiny_base: Path, reviews: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[CellResult, np.ndarray, list[str]]:
    return finished(tmp_path_factory.mktemp("pair"), "hardware=ddp_cpu", base=tiny_base, data=reviews)


def test_two_processes_have_the_loss_curve_of_one(
    alone: tuple[CellResult, np.ndarray], pair: tuple[CellResult, np.ndarray, list[str]]
) -> None:
    one, two = alone[0].trajectory, pair[0].trajectory
    assert [p.examples for p in one] == [p.examples for p in two]
    assert len(one) > 10
    np.testing.assert_allclose([p.train_loss for p in one[1:]], [p.train_loss for p in two[1:]], rtol=1e-4)
    np.testing.assert_allclose([p.validation_loss for p in one], [p.validation_loss for p in two], rtol=1e-4)
    assert one[0].train_loss != one[-1].train_loss


def test_two_processes_make_the_same_cell_with_the_same_scores(
    alone: tuple[CellResult, np.ndarray], pair: tuple[CellResult, np.ndarray, list[str]]
) -> None:
    assert pair[0].cell_id == alone[0].cell_id
    assert pair[0].start_line == alone[0].start_line
    assert pair[0].cost == alone[0].cost
    assert pair[0].measured.devices == 2
    np.testing.assert_allclose(pair[1]["loss"], alone[1]["loss"], rtol=1e-3, atol=1e-5)


@pytest.mark.slow
def test_four_processes_make_the_same_cell_with_the_loss_curve_of_one(
    alone: tuple[CellResult, np.ndarray], tiny_base: Path, reviews: Path, tmp_path: Path
) -> None:
    four, _, _ = finished(tmp_path, "hardware=ddp_cpu", "hardware.devices=4", base=tiny_base, data=reviews)
    assert four.measured.devices == 4
    assert (four.cell_id, four.start_line, four.cost) == (alone[0].cell_id, alone[0].start_line, alone[0].cost)
    one = alone[0].trajectory
    assert [p.examples for p in one] == [p.examples for p in four.trajectory]
    np.testing.assert_allclose([p.train_loss for p in one[1:]], [p.train_loss for p in four.trajectory[1:]], rtol=1e-4)
    np.testing.assert_allclose(
        [p.validation_loss for p in one], [p.validation_loss for p in four.trajectory], rtol=1e-4
    )


def test_two_processes_that_take_their_share_in_parts_have_the_loss_curve_of_one(
    alone: tuple[CellResult, np.ndarray], tiny_base: Path, reviews: Path, tmp_path: Path
) -> None:
    few, _, _ = finished(tmp_path, "hardware=ddp_cpu", "hardware.micro_batch=3", base=tiny_base, data=reviews)
    one, two = alone[0].trajectory, few.trajectory
    np.testing.assert_allclose([p.train_loss for p in one[1:]], [p.train_loss for p in two[1:]], rtol=1e-4)


def test_two_processes_that_were_stopped_go_on_together(
    alone: tuple[CellResult, np.ndarray], tiny_base: Path, reviews: Path, tmp_path: Path
) -> None:
    overrides = tiny.overrides(tiny_base, reviews, tmp_path)
    plan, cell = assign(*EXACT, "hardware=ddp_cpu", overrides=overrides)
    name = cell.job.cell_id

    def terminate(_: Event) -> None:
        wait_until(lambda: points(tmp_path, plan.study_id, name) > 2)
        workers()[-1].terminate()

    told = run([cell], on_start=terminate)[name]
    assert "terminated by SIGTERM" in told.reason
    assert len(list((tmp_path / "checkpoints").iterdir())) == 1
    told = run([dataclasses.replace(cell, attempt_id="2")])[name]
    assert told.state == "finished", told.reason
    one, two = alone[0].trajectory, ResultStore(tmp_path).result(name).trajectory
    assert [p.examples for p in one] == [p.examples for p in two]
    np.testing.assert_allclose([p.train_loss for p in one[1:]], [p.train_loss for p in two[1:]], rtol=1e-4)


def test_processes_of_one_machine_average_gradients_through_shared_memory(
    tiny_base: Path, reviews: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.execution.local.work", work_without_averaging)
    _, cell = assign(*EXACT, "hardware=ddp_cpu", overrides=tiny.overrides(tiny_base, reviews, tmp_path))
    assert "No gradient is averaged in shared memory" in run([cell])[cell.job.cell_id].reason


def test_two_processes_leave_one_record(pair: tuple[CellResult, np.ndarray, list[str]]) -> None:
    assert pair[2] == ["CellStarted", "CellFinished"]


@pytest.mark.slow
@pytest.mark.parametrize("arm", ["frozen", "lora"])
def test_arms_that_train_a_part_run_in_two_processes_too(
    tiny_base: Path, reviews: Path, tmp_path: Path, arm: str
) -> None:
    result, _, _ = finished(tmp_path, "hardware=ddp_cpu", f"arm={arm}", "train.epochs=1", base=tiny_base, data=reviews)
    assert result.key.arm == arm


def test_a_batch_with_fewer_rows_than_processes_trains_as_in_one(
    tiny_base: Path, reviews: Path, tmp_path: Path
) -> None:
    odd = ("train.size=5", "train.batch=2", "train.eval_every=2", "train.epochs=2")
    one, _, _ = finished(tmp_path / "one", *odd, base=tiny_base, data=reviews)
    two, _, _ = finished(tmp_path / "two", *odd, "hardware=ddp_cpu", base=tiny_base, data=reviews)
    np.testing.assert_allclose(
        [p.train_loss for p in one.trajectory[1:]], [p.train_loss for p in two.trajectory[1:]], rtol=1e-4
    )


@pytest.mark.parametrize("rank", [0, 1])
def test_a_broken_rank_does_not_leave_the_other_waiting(
    tiny_base: Path, reviews: Path, tmp_path: Path, rank: int
) -> None:
    plan, cell = assign(*EXACT, *ENDLESS, "hardware=ddp_cpu", overrides=tiny.overrides(tiny_base, reviews, tmp_path))
    name = cell.job.cell_id

    def kill(event: Event) -> None:
        wait_until(lambda: points(tmp_path, plan.study_id, name) > 1)
        os.kill(sorted(p.pid for p in workers())[rank], signal.SIGKILL)

    told = run([cell], on_start=kill)
    assert "killed by SIGKILL" in told[name].reason
    assert workers() == []
    assert record(tmp_path, plan.study_id, name) == ["CellStarted", "Killed"]


def test_two_processes_that_find_the_cell_finished_do_not_wait_for_each_other(
    tiny_base: Path, reviews: Path, tmp_path: Path
) -> None:
    overrides = tiny.overrides(tiny_base, reviews, tmp_path)
    _, cell = assign(*EXACT, "train.epochs=1", "hardware=ddp_cpu", overrides=overrides)
    assert run([cell])[cell.job.cell_id].state == "finished"
    again = dataclasses.replace(cell, attempt_id="later")
    assert run([again], timeout_seconds=60)[cell.job.cell_id].state == "finished"
    assert workers() == []


def test_two_processes_of_which_one_runs_out_of_memory_go_on_with_fewer_texts_at_a_time(
    alone: tuple[CellResult, np.ndarray],
    tiny_base: Path,
    reviews: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pipeline.execution.local.work", work_in_little_memory)
    plan, cell = assign(
        *EXACT,
        "hardware=ddp_cpu",
        "train.checkpoint_every=1steps",
        overrides=tiny.overrides(tiny_base, reviews, tmp_path),
    )
    told: list[Event] = []
    LocalExecutor(workers=1, timeout_seconds=100).run(Fixed([cell]), told.append)
    assert [event.state for event in told] == ["started", "finished"], told
    result = ResultStore(tmp_path).result(cell.job.cell_id)
    assert result.measured.micro_batch is not None
    assert result.measured.micro_batch <= 4
    losses = [[p.train_loss for p in found.trajectory[1:]] for found in (alone[0], result)]
    np.testing.assert_allclose(*losses, rtol=1e-4)
    first, *_, last = sorted(attempts(tmp_path, plan.study_id), key=lambda path: path.name)
    assert [events.last_kind(path) for path in (first, last)] == ["killed", "cell_finished"]
    told_of = [event.body for event in events.read(last)[0] if type(event.body).__name__ == "CellPoint"]
    assert [body.point.step for body in told_of] == [p.step for p in result.trajectory]
