"""Ctrl-C, SIGTERM and kill -9: what is finished is kept, nothing is left running, and the same command goes on."""

import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from command_kit import (
    Done,
    command,
    family,
    findings,
    one_finished_run_a_cell,
    planned,
    staged,
    start,
    stop,
    struck,
    wait_until,
)
from conftest import Finished

from pipeline.study.plan import Plan
from pipeline.tracking import events
from pipeline.tracking.spool import attempts, spool

Capture = pytest.CaptureFixture[str]
Process = "subprocess.Popen[str]"


def kinds(plan: Plan) -> list[str | None]:
    """How each attempt's record ends, and last the study's."""
    study = spool(plan.root) / plan.study_id / "study.jsonl"
    return [events.last_kind(path) for path in attempts(plan.root, plan.study_id)] + [events.last_kind(study)]


@pytest.fixture
def long_study(finished: Finished, tmp_path: Path, temporary: Path) -> Iterator[tuple[Process, Plan, list[str]]]:
    """A study that is running, its first cell finished; whatever a test leaves of it is killed."""
    arguments = [*finished.at(tmp_path / "out"), "tracking=local"]
    process, plan = start("study", *arguments, TMPDIR=str(temporary)), planned(arguments)
    wait_until(lambda: process.poll() is not None or len(plan.store.ids()) > 0)
    assert process.poll() is None, process.communicate()
    yield process, plan, arguments
    for left in family(process):
        left.kill()
    process.wait()


def goes_on(done: Done, plan: Plan, arguments: list[str], finished: Finished, capsys: Capture) -> None:
    """The same command finishes the study, with the findings of one that nobody disturbed."""
    kept = {name: (plan.store.folder(name) / "result.json").stat().st_mtime_ns for name in plan.store.ids()}
    assert 0 < len(kept) < len(plan.cells), done
    assert command(capsys, "study", *arguments).code == 0
    assert {n: (plan.store.folder(n) / "result.json").stat().st_mtime_ns for n in kept} == kept
    assert findings(plan) == findings(finished.plan)
    assert staged(plan.root) == []
    assert "cell_started" not in kinds(plan)
    assert sorted(kinds(plan)[:-1]).count("cell_finished") == len(plan.cells)
    one_finished_run_a_cell(plan)


@pytest.mark.slow
def test_ctrl_c_stops_cleanly_and_the_same_command_goes_on(
    long_study: tuple[Process, Plan, list[str]], finished: Finished, capsys: Capture
) -> None:
    process, plan, arguments = long_study
    done = stop(process, signal.SIGINT)
    assert done.code == 130, done
    assert "Saving trainings in progress: " in done.err
    assert "Stopped. Finished cells are kept" in done.err
    assert "Traceback" not in done.err
    wait_until(lambda: family(process) == [], 10)
    assert set(kinds(plan)) <= {"cell_finished", "killed"}
    assert kinds(plan)[-1] == "killed"
    goes_on(done, plan, arguments, finished, capsys)


@pytest.mark.slow
def test_sigterm_to_the_coordinator_stops_its_workers_too(long_study: tuple[Process, Plan, list[str]]) -> None:
    process, plan, _ = long_study
    process.terminate()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 143, err
    wait_until(lambda: family(process) == [], 10)
    assert set(kinds(plan)) <= {"cell_finished", "killed"}


def test_kill_9_of_the_coordinator_ends_its_workers_and_the_next_run_finds_the_same(
    long_study: tuple[Process, Plan, list[str]], finished: Finished, temporary: Path, capsys: Capture
) -> None:
    process, plan, arguments = long_study
    assert len(family(process)) > 2
    psutil.Process(process.pid).kill()
    process.wait()
    wait_until(lambda: family(process) == [], 15)
    assert list(temporary.iterdir()) == []
    goes_on(Done(process.returncode, "", ""), plan, arguments, finished, capsys)


@pytest.mark.slow
def test_ctrl_c_while_data_are_prepared_stops_cleanly_too(finished: Finished, tmp_path: Path) -> None:
    arguments = finished.at(tmp_path / "out")
    process, plan = start("study", *arguments), planned(arguments)
    wait_until(lambda: process.poll() is not None or (spool(plan.root) / plan.study_id / "study.jsonl").is_file())
    done = stop(process, signal.SIGINT)
    assert done.code == 130, done
    assert "Traceback" not in done.err
    wait_until(lambda: family(process) == [], 10)
    assert kinds(plan) == ["killed"]


@pytest.mark.soak
@pytest.mark.parametrize("moment", range(20))
def test_a_signal_to_any_process_at_any_moment_changes_no_finding(
    moment: int, finished: Finished, tmp_path: Path, temporary: Path, capsys: Capture
) -> None:
    def at(before: int) -> list[str]:
        return [*finished.at(tmp_path / str(before)), "tracking=local"]

    process, before = struck(lambda n: start("study", *at(n), TMPDIR=str(temporary)), family, moment, window=(1, 25))
    process.communicate(timeout=600)
    arguments = at(before)
    plan = planned(arguments)
    wait_until(lambda: family(process) == [], 30)
    assert list(temporary.iterdir()) == []
    assert command(capsys, "study", *arguments).code == 0
    assert findings(plan) == findings(finished.plan)
    assert staged(plan.root) == []
    assert sorted(kinds(plan)[:-1]).count("cell_finished") == len(plan.cells)
    assert "cell_started" not in kinds(plan)
    one_finished_run_a_cell(plan)
