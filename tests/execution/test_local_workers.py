"""Cells in processes of their own: what becomes of those that fail, and that the others go on."""

import dataclasses
import os
import signal
from pathlib import Path

import numpy as np
import psutil
import pytest
from worker_kit import ENDLESS, assign, imported_by, points, record, run, wait_until, workers

from pipeline.execution.assignment import Assignment, Event, Fixed, death
from pipeline.execution.local import LocalExecutor
from pipeline.execution.run_in_worker import call
from pipeline.storage.results import ResultStore
from pipeline.study.plan import Plan
from pipeline.tracking.spool import attempts
from tests import tiny

SHORT = ("train.size=32", "train.epochs=1", "train.lr=3e-3")


@pytest.fixture
def overrides(tiny_base: Path, reviews: Path, tmp_path: Path) -> list[str]:
    return tiny.overrides(tiny_base, reviews, tmp_path)


@pytest.fixture
def sound(overrides: list[str]) -> tuple[Plan, Assignment]:
    """A cell that trains without trouble."""
    return assign(*SHORT, overrides=overrides)


@pytest.fixture
def endless(overrides: list[str]) -> tuple[Plan, Assignment]:
    """A cell that would train for hours."""
    return assign("arm=scratch", *SHORT, *ENDLESS, overrides=overrides)


def test_a_worker_that_raises_fails_its_cell_alone_and_leaves_its_reason(
    sound: tuple[Plan, Assignment], overrides: list[str], tmp_path: Path
) -> None:
    plan, broken = assign(*SHORT, "train.lr=1e38", overrides=overrides)
    told = run([broken, sound[1]])
    name = broken.job.cell_id
    assert told[sound[1].job.cell_id].state == "finished"
    assert told[name].state == "failed"
    assert "the training diverged. Lower train.lr" in told[name].reason
    kept = ResultStore(tmp_path).failure(name).read_text(encoding="utf-8")
    assert kept.startswith(told[name].reason)
    assert "Traceback" in kept
    assert "Traceback" in (tmp_path / "logs" / f"{name}.log").read_text(encoding="utf-8")
    assert not ResultStore(tmp_path).has(name)
    assert record(tmp_path, plan.study_id, name) == ["CellStarted", "Failed"]


@pytest.mark.parametrize("arm", ["pretrained", "frozen", "bag_of_words"])
def test_a_worker_finds_the_heavy_libraries_imported(arm: str, overrides: list[str], tmp_path: Path) -> None:
    _, cell = assign(f"arm={arm}", *SHORT, overrides=overrides)
    imported = call(imported_by, assignment=cell)
    assert ResultStore(tmp_path).has(cell.job.cell_id)
    assert not imported & {"pandas", "scipy", "sklearn", "peft", "pytorch_lightning"}


def test_a_reason_is_forgotten_once_the_cell_is_trained(overrides: list[str], tmp_path: Path) -> None:
    _, cell = assign(*SHORT, overrides=overrides)
    lost = dataclasses.replace(cell, job=dataclasses.replace(cell.job, data_folder=str(tmp_path / "gone")))
    told = run([lost])
    assert "holds no prepared data" in told[cell.job.cell_id].reason
    again = dataclasses.replace(cell, attempt_id="2")
    assert run([again])[cell.job.cell_id].state == "finished"
    assert not ResultStore(tmp_path).failure(cell.job.cell_id).exists()


def test_a_killed_worker_fails_its_cell_alone_and_the_signal_is_named(
    sound: tuple[Plan, Assignment], endless: tuple[Plan, Assignment], tmp_path: Path
) -> None:
    plan, cell = endless
    name = cell.job.cell_id

    def kill(event: Event) -> None:
        if event.cell_id == name:
            wait_until(lambda: points(tmp_path, plan.study_id, name) > 1)
            (victim,) = workers()
            victim.kill()

    told = run([cell, sound[1]], workers=1, on_start=kill)
    assert told[name] == Event(
        cell_id=name,
        state="failed",
        reason=death(-signal.SIGKILL),
        attempt_id=told[name].attempt_id,
        killed=True,
    )
    assert "killed by SIGKILL" in told[name].reason
    assert "executor.workers=1" in told[name].reason
    assert told[sound[1].job.cell_id].state == "finished"
    assert record(tmp_path, plan.study_id, name) == ["CellStarted", "Killed"]
    assert ResultStore(tmp_path).failure(name).read_text(encoding="utf-8").strip() == told[name].reason


def test_a_worker_killed_before_it_says_a_word_fails_its_cell_and_leaves_no_attempt(
    endless: tuple[Plan, Assignment], tmp_path: Path
) -> None:
    plan, cell = endless

    def kill(_: Event) -> None:
        wait_until(lambda: len(workers()) == 1)
        os.kill(workers()[0].pid, signal.SIGKILL)

    assert "killed by SIGKILL" in run([cell], on_start=kill)[cell.job.cell_id].reason
    assert attempts(tmp_path, plan.study_id) == []


def test_a_worker_that_fails_before_it_starts_is_recorded_with_its_reason(
    sound: tuple[Plan, Assignment], tmp_path: Path
) -> None:
    plan, cell = sound
    (tmp_path / "logs").write_text("a file where the logs should go", encoding="utf-8")
    assert run([cell])[cell.job.cell_id].state == "failed"
    assert record(tmp_path, plan.study_id, cell.job.cell_id) == ["CellStarted", "Failed"]


def test_a_cell_that_takes_too_long_is_stopped_and_the_remedy_is_said(
    sound: tuple[Plan, Assignment], endless: tuple[Plan, Assignment], tmp_path: Path
) -> None:
    plan, cell = endless
    told = run([cell, sound[1]], workers=1, timeout_seconds=6.0)
    name = cell.job.cell_id
    assert told[name].reason == "It took longer than 0.1 minutes. Raise executor.timeout_minutes."
    assert told[sound[1].job.cell_id].state == "finished"
    assert record(tmp_path, plan.study_id, name)[-1] == "Failed"
    assert workers() == []


def test_an_interrupted_executor_leaves_no_worker_and_records_the_kill(
    endless: tuple[Plan, Assignment], tmp_path: Path
) -> None:
    plan, cell = endless
    name = cell.job.cell_id

    def interrupt(_: Event) -> None:
        wait_until(lambda: points(tmp_path, plan.study_id, name) > 0)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        LocalExecutor(workers=1, timeout_seconds=100).run(Fixed([cell]), interrupt)
    wait_until(lambda: workers() == [])
    assert record(tmp_path, plan.study_id, name) == ["CellStarted", "Killed"]
    assert not ResultStore(tmp_path).has(name)


def test_a_training_stopped_in_the_middle_goes_on_from_there_to_the_same_result(
    overrides: list[str], tmp_path: Path
) -> None:
    settings = (*SHORT, "train.epochs=150", "train.eval_every=64")
    plan, cell = assign(*settings, overrides=overrides)
    name, folder = cell.job.cell_id, tmp_path / "checkpoints"

    def interrupt(_: Event) -> None:
        wait_until(lambda: points(tmp_path, plan.study_id, name) > 8)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        LocalExecutor(workers=1, timeout_seconds=100).run(Fixed([cell]), interrupt)
    (saved,) = folder.iterdir()
    assert 0 < int(saved.name.rpartition("-")[2]) < 300
    again = dataclasses.replace(cell, attempt_id="2")
    assert run([again])[name].state == "finished"
    assert list(folder.iterdir()) == []
    _, other = assign(*settings, f"paths.root={tmp_path / 'other'}", overrides=overrides)
    assert run([other])[name].state == "finished"
    resumed, whole = ResultStore(tmp_path), ResultStore(tmp_path / "other")
    assert resumed.result(name).trajectory == whole.result(name).trajectory
    assert resumed.scores(name).tobytes() == whole.scores(name).tobytes()
    of_points = [store.validation(store.result(name)) for store in (resumed, whole)]
    np.testing.assert_array_equal(*of_points)
    assert len(of_points[0]) == len(whole.result(name).trajectory)


def test_a_worker_told_to_end_saves_its_training_and_counts_as_killed(
    endless: tuple[Plan, Assignment], tmp_path: Path
) -> None:
    plan, cell = endless
    name = cell.job.cell_id

    def terminate(_: Event) -> None:
        wait_until(lambda: points(tmp_path, plan.study_id, name) > 0)
        workers()[0].terminate()

    told = run([cell], on_start=terminate)[name]
    assert (told.state, told.killed) == ("failed", True)
    assert "terminated by SIGTERM. Its training is saved" in told.reason
    assert record(tmp_path, plan.study_id, name) == ["CellStarted", "Killed"]
    assert [p.name.partition("-")[0] for p in (tmp_path / "checkpoints").iterdir()] == [name]


def test_the_server_of_workers_that_is_killed_costs_the_running_cells_alone(
    sound: tuple[Plan, Assignment], endless: tuple[Plan, Assignment], tmp_path: Path
) -> None:
    plan, cell = endless
    name = cell.job.cell_id
    orphans: list[psutil.Process] = []

    def kill(event: Event) -> None:
        if event.cell_id == name:
            wait_until(lambda: points(tmp_path, plan.study_id, name) > 0)
            orphans.extend(workers())
            psutil.Process(orphans[0].ppid()).kill()

    told = run([cell, sound[1]], workers=1, on_start=kill)
    assert "process that workers are forked from was killed" in told[name].reason
    assert told[name].killed
    assert told[sound[1].job.cell_id].state == "finished"
    assert record(tmp_path, plan.study_id, name) == ["CellStarted", "Killed"]
    assert len(orphans) == 1
    wait_until(lambda: not orphans[0].is_running())


def test_workers_do_not_hear_ctrl_c(endless: tuple[Plan, Assignment], tmp_path: Path) -> None:
    plan, cell = endless
    name = cell.job.cell_id

    def press(_: Event) -> None:
        wait_until(lambda: points(tmp_path, plan.study_id, name) > 0)
        os.kill(workers()[0].pid, signal.SIGINT)
        before = points(tmp_path, plan.study_id, name)
        wait_until(lambda: points(tmp_path, plan.study_id, name) > before)
        workers()[0].kill()

    assert "SIGKILL" in run([cell], on_start=press)[name].reason


def test_a_cell_that_somebody_else_finished_is_not_trained_again(
    sound: tuple[Plan, Assignment], tmp_path: Path
) -> None:
    plan, cell = sound
    assert run([cell])[cell.job.cell_id].state == "finished"
    written = (tmp_path / "cells" / cell.job.cell_id / "result.json").stat().st_mtime_ns
    again = dataclasses.replace(cell, attempt_id="later")
    assert run([again])[cell.job.cell_id].state == "finished"
    assert (tmp_path / "cells" / cell.job.cell_id / "result.json").stat().st_mtime_ns == written
    assert record(tmp_path, plan.study_id, cell.job.cell_id) == ["CellStarted", "CellFinished"]


def test_a_folder_without_its_marker_is_no_cell_and_gives_way(sound: tuple[Plan, Assignment], tmp_path: Path) -> None:
    torn = tmp_path / "cells" / sound[1].job.cell_id
    torn.mkdir(parents=True)
    (torn / "scores.npy").write_bytes(b"half of it")
    assert run([sound[1]])[sound[1].job.cell_id].state == "finished"
    assert len(ResultStore(tmp_path).scores(sound[1].job.cell_id))


@pytest.mark.parametrize(
    ("code", "words"), [(-9, "killed by SIGKILL"), (-11, "killed by SIGSEGV"), (3, "exit code 3"), (28, "disk is full")]
)
def test_a_death_is_put_in_words(code: int, words: str) -> None:
    assert words in death(code)
