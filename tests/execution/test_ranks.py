"""Processes of one cell that hold different things, or lose each other, say so and end."""

import dataclasses
import signal
from pathlib import Path

import pytest
from worker_kit import ENDLESS, assign, points, record, run, wait_until, workers

from pipeline.execution.assignment import Assignment, Event
from pipeline.execution.local import context
from pipeline.execution.worker import Place, work
from pipeline.storage.results import ResultStore
from pipeline.study.plan import Plan
from pipeline.training.distributed.ranks import LostRankError, together
from tests import tiny
from tests.serving import free_port

PAIR = ("hardware=ddp_cpu", "train.size=40", "train.epochs=5", "train.eval_every=16")


def other(assignment: Assignment, **changes: object) -> Assignment:
    """The same cell by name, with another setting in it."""
    cell = assignment.job.cell
    changed = dataclasses.replace(cell, train=dataclasses.replace(cell.train, **changes))
    return dataclasses.replace(assignment, job=dataclasses.replace(assignment.job, cell=changed))


def called(first: Assignment, second: Assignment) -> Assignment:
    """The second, under the first one's name and with its settings."""
    job = dataclasses.replace(second.job, cell=first.job.cell, cell_id=first.job.cell_id)
    return dataclasses.replace(second, job=job)


def refused(plan: Plan, *ranks: Assignment) -> str:
    """What the two of them say when they are started as one cell, and end before they have made a step."""
    port, name = free_port(), ranks[0].job.cell_id
    places = [Place(rank=rank, local_rank=rank, port=port) for rank in range(2)]
    processes = [context().Process(target=work, args=given) for given in zip(ranks, places, strict=True)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [1, 1]
    reason = ResultStore(plan.root).failure(name).read_text(encoding="utf-8")
    assert "Process 1 of this cell holds other things than process 0" in reason
    assert points(plan.root, plan.study_id, name) == 0
    return reason


@pytest.mark.parametrize(
    ("changes", "named"),
    [({"dropout": 0.3}, "dropout"), ({"seed": 7}, "train_items"), ({"lr": 0.5}, "recipe.lr")],
)
def test_processes_with_different_settings_end_before_the_first_step(
    tiny_base: Path, reviews: Path, tmp_path: Path, changes: dict[str, object], named: str
) -> None:
    plan, first = assign(*PAIR, overrides=tiny.overrides(tiny_base, reviews, tmp_path))
    assert f"{named} is " in refused(plan, first, other(first, **changes))


def test_processes_with_different_data_end_before_the_first_step(
    tiny_base: Path, reviews: Path, tmp_path: Path
) -> None:
    """One text of the test set has another label, which no training would notice."""
    rows = tiny.rows(60, seed=1)
    tests = [tmp_path / "one.csv", tmp_path / "two.csv"]
    tiny.write_csv(tests[0], rows)
    tiny.write_csv(tests[1], [(rows[0][0], rows[1][1]), *rows[1:]])
    overrides = [o for o in tiny.overrides(tiny_base, reviews, tmp_path / "out") if "test_size" not in o]
    plan, first = assign(*PAIR, f"task.data.test={tests[0]}", overrides=overrides)
    _, second = assign(*PAIR, f"task.data.test={tests[1]}", overrides=overrides)
    reason = refused(plan, first, called(first, second))
    assert "data.test is " in reason
    assert "train_items is " not in reason


def test_processes_with_different_bases_end_before_the_first_step(
    tiny_base: Path, reviews: Path, tmp_path: Path
) -> None:
    """Bases of the same shape, so that nothing but the fingerprint of the weights tells."""
    plan, first = assign(*PAIR, overrides=tiny.overrides(tiny_base, reviews, tmp_path / "out"))
    base = tiny.write_base(tmp_path / "other", seed=1)
    _, second = assign(*PAIR, overrides=tiny.overrides(base, reviews, tmp_path / "out"))
    reason = refused(plan, first, called(first, second))
    assert "base is " in reason
    assert "cell is " not in reason


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


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("[gloo/transport/tcp/unbound_buffer.cc] Timed out waiting 3000ms for recv operation", "gave up"),
        ("Application timeout caused pair closure", "gave up"),
        ("[gloo/transport/tcp/pair.cc] Connection closed by peer [127.0.0.1]:1", "broke off"),
    ],
)
def test_whatever_gloo_says_of_a_lost_process_is_said_in_words(
    said: str, told: str, tiny_base: Path, reviews: Path, tmp_path: Path
) -> None:
    _, cell = assign(*PAIR, overrides=tiny.overrides(tiny_base, reviews, tmp_path))
    with pytest.raises(LostRankError, match=told), together(cell.job):
        raise RuntimeError(said)
