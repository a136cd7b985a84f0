"""What a person sees while a study runs."""

import re
import time
from pathlib import Path

import pytest

from pipeline.execution.assignment import Event
from pipeline.study.plan import Plan, plan_study
from pipeline.study.progress import Progress, duration
from tests import tiny
from tests.tiny import reviews, tiny_base

__all__ = ["reviews", "tiny_base"]


@pytest.fixture
def plan(tiny_base: Path, reviews: Path, tmp_path: Path) -> Plan:
    return plan_study([*tiny.overrides(tiny_base, reviews, tmp_path), *tiny.study()])


def test_each_cell_that_ends_is_a_line_with_its_reason_and_the_time_left(
    plan: Plan, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second, *_ = plan.cells
    with Progress(plan) as progress:
        for name in (first, second):
            progress.watch(Event(cell_id=name, state="started"))
        progress.watch(Event(cell_id=first, state="finished"))
        progress.watch(Event(cell_id=second, state="failed", reason="The loss is [nan]."))
    shown = re.sub(r"\s+", " ", capsys.readouterr().err)
    assert "small: 8 trainings (cells), 0 finished before, 8 to train, 2 at a time." in shown
    assert "[1/8] finished pretrained n=16 seed=0 in 0 s (about" in shown
    assert "[2/8] failed scratch n=16 seed=0 in 0 s: The loss is [nan]." in shown


def test_in_a_file_the_line_comes_again_while_a_long_cell_runs(
    plan: Plan, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Progress, "every", 0.05)
    with Progress(plan) as progress:
        progress.watch(Event(cell_id=next(iter(plan.cells)), state="started"))
        time.sleep(0.3)
    shown = capsys.readouterr().err
    assert shown.count("0 done, 1 running, 0 failed of 8; 0 s gone") >= 2
    time.sleep(0.1)
    assert capsys.readouterr().err == "", "nothing comes after the end"


def test_no_more_time_is_said_to_be_left_than_a_budget_allows(plan: Plan, capsys: pytest.CaptureFixture[str]) -> None:
    first, *_ = plan.cells
    with Progress(plan, lambda: 30.0) as progress:
        progress.watch(Event(cell_id=first, state="started"))
        progress.started[first] -= 1000  # it took so long
        progress.watch(Event(cell_id=first, state="finished"))
    shown = re.sub(r"\s+", " ", capsys.readouterr().err)
    assert re.search(r"in 1000 s \(all cells would take about \S+ \S+.* more, the budget ends in 30 s\)", shown)


def test_a_finished_study_shows_nothing(plan: Plan, capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress(plan)
    progress.missing = {}
    with progress:
        pass
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (89, "89 s"), (90, "2 min"), (3000, "50 min"), (12_000, "3 h 20 min")]
)
def test_durations_read_well(seconds: float, text: str) -> None:
    assert duration(seconds) == text
