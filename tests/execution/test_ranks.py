"""Processes of one cell that hold different things, or lose each other, say so and end."""

import dataclasses
import signal
from pathlib import Path

import pytest
from worker_kit import ENDLESS, assign, points, record, run, wait_until, workers

from pipeline.execution.assignment import Assignment, Event
from pipeline.execution.local import context
from pipeline.execution.worker import Place, work
from pipeline.training.results import ResultStore
from tests import tiny
from tests.serving import free_port

PAIR = ("hardware=ddp_cpu", "train.size=40", "train.epochs=5", "train.eval_every=16")


def other(assignment: Assignment, **changes: object) -> Assignment:
    """The same cell by name, with another setting in it."""
    cell = assignment.job.cell
    changed = dataclasses.replace(cell, train=dataclasses.replace(cell.train, **changes))
    return dataclasses.replace(assignment, job=dataclasses.replace(assignment.job, cell=changed))


@pytest.mark.parametrize(
    ("changes", "named"),
    [({"dropout": 0.3}, "dropout"), ({"seed": 7}, "train_items"), ({"lr": 0.5}, "recipe.lr")],
)
def test_processes_with_different_settings_end_before_the_first_step(
    tiny_base: Path, reviews: Path, tmp_path: Path, changes: dict[str, object], named: str
) -> None:
    plan, first = assign(*PAIR, overrides=tiny.overrides(tiny_base, reviews, tmp_path))
    pair, port = [first, other(first, **changes)], free_port()
    places = [Place(rank=rank, local_rank=rank, port=port) for rank in range(2)]
    processes = [context().Process(target=work, args=given) for given in zip(pair, places, strict=True)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [1, 1]
    name = first.job.cell_id
    reason = ResultStore(tmp_path).failure(name).read_text(encoding="utf-8")
    assert "Process 1 of this cell holds other things than process 0" in reason
    assert f"{named} is " in reason
    assert points(tmp_path, plan.study_id, name) == 0


def test_a_process_that_hangs_is_waited_for_no_longer_than_asked(
    tiny_base: Path, reviews: Path, tmp_path: Path
) -> None:
    overrides = tiny.overrides(tiny_base, reviews, tmp_path)
    plan, cell = assign(*PAIR, *ENDLESS, "hardware.timeout_minutes=0.05", overrides=overrides)
    name = cell.job.cell_id

    def hang(_: Event) -> None:
        wait_until(lambda: points(tmp_path, plan.study_id, name) > 1)
        workers()[-1].send_signal(signal.SIGSTOP)

    told = run([cell], on_start=hang)[name]
    assert told.state == "failed"
    assert "waited 0.05 minutes for the others" in told.reason
    assert workers() == []
    assert record(tmp_path, plan.study_id, name) == ["CellStarted", "Failed"]
