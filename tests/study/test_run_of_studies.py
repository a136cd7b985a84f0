"""Running a plan: what is missing is trained, once, and the rest is used again."""

import dataclasses
import os
import re
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.errors import DataError, UnequalStartError
from pipeline.execution.assignment import Event
from pipeline.files import lock
from pipeline.study.plan import Plan, plan_study
from pipeline.study.run import Outcome, clear_leftovers, run
from pipeline.tracking import events
from pipeline.tracking.spool import AttemptLog, StudyLog, attempts, mirrored, spool
from pipeline.training.libraries import versions
from tests import tiny
from tests.tiny import reviews, tiny_base

__all__ = ["reviews", "tiny_base"]

Planned = Callable[..., Plan]
ONE_SIZE = "study.sizes=[16]"


@pytest.fixture
def planned(tiny_base: Path, reviews: Path, tmp_path: Path) -> Planned:
    short = ["train.epochs=1", "train.min_steps=2", ONE_SIZE]
    few = tiny.study(claim=False)
    return lambda *more: plan_study([*tiny.overrides(tiny_base, reviews, tmp_path), *few, *short, *more])


def ignore(_: Event) -> None:
    """Nobody watches."""


def written(plan: Plan) -> dict[str, int]:
    """When each finished cell was written."""
    return {name: (plan.store.folder(name) / "result.json").stat().st_mtime_ns for name in plan.store.ids()}


def test_a_second_run_trains_nothing_and_a_lost_cell_is_trained_alone(planned: Planned) -> None:
    plan = planned()
    first = run(plan, ignore)
    assert first.trained == first.finished == tuple(plan.cells)
    before = written(plan)
    assert run(plan, ignore) == Outcome(finished=tuple(plan.cells), trained=(), failed=())
    assert written(plan) == before
    lost = next(iter(plan.cells))
    shutil.rmtree(plan.store.folder(lost))
    assert run(plan, ignore).trained == (lost,)
    assert {name for name, at in written(plan).items() if at != before[name]} == {lost}


def test_a_failed_cell_keeps_its_reason_and_the_others_go_on(planned: Planned) -> None:
    plan = planned()
    broken = next(iter(plan.cells))
    cell = plan.cells[broken]
    cells = plan.cells | {broken: dataclasses.replace(cell, train=dataclasses.replace(cell.train, lr=1e38))}
    told: list[Event] = []
    outcome = run(dataclasses.replace(plan, cells=cells), told.append)
    (failed,) = outcome.failed
    assert (failed.cell_id, failed.arm, failed.size, failed.seed) == (broken, "pretrained", 16, 0)
    assert "diverged" in failed.reason
    assert set(outcome.finished) == set(plan.cells) - {broken}
    assert {e.state for e in told if e.cell_id == broken} == {"started", "failed"}


@pytest.mark.parametrize(("keep", "kept"), [("none", 0), ("all", 2), ("best", 1)])
def test_weights_are_kept_as_asked(planned: Planned, keep: str, kept: int) -> None:
    plan = planned("study.arms=[scratch]", f"train.keep={keep}")
    run(plan, ignore)
    with_weights = [name for name in plan.cells if plan.store.weights(name)]
    assert len(with_weights) == kept
    if keep == "best":
        scores = {n: plan.store.result(n).evaluations[0].metrics for n in plan.cells}
        best = max(scores, key=lambda n: (scores[n]["accuracy"], -scores[n]["loss"]))
        assert with_weights == [best]


def test_weights_that_one_study_keeps_are_not_deleted_by_another(planned: Planned) -> None:
    first = planned("study.arms=[scratch]", "train.keep=all")
    run(first, ignore)
    second = planned("study.arms=[scratch]", "study.name=second", "study.seeds=[0,1,2]")
    run(second, ignore)
    assert all(first.store.weights(name) for name in first.cells)


def test_cells_are_not_trained_beside_those_of_other_library_versions(
    planned: Planned, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = planned("study.seeds=[0]"), planned("study.seeds=[0,1]")
    run(first, ignore)
    there = versions()
    monkeypatch.setattr("pipeline.study.run.versions", lambda: there | {"numpy": "99.0"})
    said = rf"2 finished cells .* numpy {re.escape(there['numpy'])} then, 99.0 here.*delete .*{next(iter(first.cells))}"
    with pytest.raises(UnequalStartError, match=said):
        run(second, ignore)
    assert set(second.store.ids()) == set(first.cells)
    assert run(first, ignore).trained == (), "what is finished is shown all the same"


def test_two_coordinators_at_once_train_each_cell_once(planned: Planned) -> None:
    plan = planned()
    found: list[Outcome] = []
    threads = [threading.Thread(target=lambda: found.append(run(plan, ignore))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [o.finished for o in found] == [tuple(plan.cells)] * 2
    assert [o.failed for o in found] == [(), ()]
    records = [path.name.partition("@")[0] for path in attempts(plan.root, plan.study_id)]
    assert sorted(records) == sorted(plan.cells)


def test_cells_of_another_study_are_used_again_and_recorded_once_under_each(planned: Planned) -> None:
    small = planned("study.seeds=[0]")
    run(small, ignore)
    large = planned("study.name=larger")
    assert set(run(large, ignore).trained) == set(large.cells) - set(small.cells)
    assert mirrored(large.root, large.study_id) == set(large.cells)
    before = [(p.name, p.read_bytes()) for p in attempts(large.root, large.study_id)]
    run(large, ignore)
    assert [(p.name, p.read_bytes()) for p in attempts(large.root, large.study_id)] == before


def test_data_that_cannot_serve_the_study_are_refused_before_any_cell_starts(planned: Planned) -> None:
    plan = planned("study.sizes=[16,5000]")
    with pytest.raises(DataError, match=r"5,000 training labels was asked for"):
        run(plan, lambda event: pytest.fail(f"{event.cell_id} started"))
    assert plan.store.ids() == []


def leave_behind(plan: Plan, *kinds: str) -> list[Path]:
    """Half-written folders, as killed processes leave them."""
    found = [plan.root / kind / f".staged-{'0' * 15}{i}-abc" for i, kind in enumerate(kinds)]
    for folder in found:
        folder.mkdir(parents=True)
        (folder / "half").write_text("half", encoding="utf-8")
    return found


def test_what_killed_processes_left_is_cleared_away(planned: Planned) -> None:
    plan = planned()
    left = leave_behind(plan, "cells", "data", "features")
    clear_leftovers(plan)
    assert [folder for folder in left if folder.exists()] == []


def test_checkpoints_of_finished_cells_are_cleared_away_and_those_of_others_are_not(planned: Planned) -> None:
    plan = planned()
    finished, other = list(plan.cells)[:2]
    plan.store.folder(finished).mkdir(parents=True)
    (plan.store.folder(finished) / "result.json").touch()
    folders = [plan.root / "checkpoints" / f"{name}-000000035" for name in (finished, other)]
    for folder in folders:
        folder.mkdir(parents=True)
    clear_leftovers(plan)
    assert [folder.exists() for folder in folders] == [False, True]


def test_what_a_living_process_is_writing_is_left_alone(planned: Planned) -> None:
    plan = planned()
    (cell,) = leave_behind(plan, "cells")
    with lock(plan.store.lock_file(cell.name.split("-")[1])):
        clear_leftovers(plan)
        assert cell.exists()
    clear_leftovers(plan)
    assert not cell.exists()


def test_attempts_and_studies_left_open_by_a_kill_are_recorded_as_killed(planned: Planned) -> None:
    plan = planned()
    name, cell = next(iter(plan.cells.items()))
    StudyLog(plan.root, plan.study_id, "small").started("Does it pay?")
    log = AttemptLog(plan.root, plan.study_id, name, "1-1")
    log.started(cell)
    clear_leftovers(plan)
    study = spool(plan.root) / plan.study_id / "study.jsonl"
    assert [events.last_kind(path) for path in (log.path, study)] == ["killed", "killed"]
    assert os.listdir(plan.root / "tracking" / "spool") == [plan.study_id]
