"""A study with a budget: it ends with one look at its complete seeds, whose level is the error that was left."""

import json
from pathlib import Path
from typing import Any

import pytest
from command_kit import command, copy, metrics, planned, sentences

from pipeline.commands.steps.findings import report_on
from pipeline.study.ended import ended
from pipeline.study.spending import Spending
from tests import tiny
from tests.tiny import reviews, tiny_base

__all__ = ["reviews", "tiny_base"]

Capture = pytest.CaptureFixture[str]
OPEN = "+study.claims.near={statement: It is a little better, delta: 0.001}"
LOOKS = ["study.looks=[2,6]", "study.spend=[0.25,0.75]", "train.min_steps=2", "train.epochs=1"]


def arguments(base: Path, data: Path, root: Path, *more: str) -> list[str]:
    few = tiny.study(arms="pretrained,scratch", sizes="16", seeds="0,1,2,3,4,5", claim=False)
    return [*tiny.overrides(base, data, root), *few, OPEN, *LOOKS, *more]


@pytest.fixture(scope="module")
def root(tiny_base: Path, reviews: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from pipeline.cli import main

    root = tmp_path_factory.mktemp("budget")
    assert main(["study", *arguments(tiny_base, reviews, root, "study.budget=7 cells")]) == 0
    return root


def found_in(root: Path) -> dict[str, Any]:
    return dict(json.loads((root / "studies" / "small" / "findings.json").read_text(encoding="utf-8")))


def test_the_last_look_is_at_the_complete_seeds_with_the_error_that_was_left(root: Path) -> None:
    found = found_in(root)
    assert len(found["cells"]) == 6, "a seed of two cells does not fit into the one that is left"
    assert found["looks"]["seeds"] == [2, 3]
    assert found["looks"]["levels"] == pytest.approx([1 - 0.05 * 0.25, 1 - 0.05 * 0.75])
    assert found["verdicts"][0]["look"] in (1, 2)
    page = (root / "studies" / "small" / "report.md").read_text(encoding="utf-8")
    assert "The study ended when its budget of 7 cells was spent, with a look at all 3 complete seeds" in page


def test_a_study_that_has_ended_trains_nothing_more_and_its_report_stays(
    root: Path, tiny_base: Path, reviews: Path, tmp_path: Path, capsys: Capture
) -> None:
    again = copy(root, tmp_path / "again")
    given = arguments(tiny_base, reviews, again, "study.budget=7 cells")
    before = (again / "studies" / "small" / "findings.json").read_bytes()
    for name in ("study", "report"):
        assert command(capsys, name, *given).code == 0
        assert (again / "studies" / "small" / "findings.json").read_bytes() == before


def test_with_a_larger_budget_it_goes_on_and_says_that_results_had_been_seen(
    root: Path, tiny_base: Path, reviews: Path, tmp_path: Path, capsys: Capture
) -> None:
    more = copy(root, tmp_path / "more")
    given = arguments(tiny_base, reviews, more, "study.budget=9 cells")
    assert "budget was 7 cells, is 9 cells" in command(capsys, "study", *given).out
    found = found_in(more)
    assert found["looks"]["seeds"] == [2, 4]
    assert sentences(found["verdicts"][0]["after_looking"]) == ["budget was 7 cells, is 9 cells"]


def test_less_than_the_first_look_needs_is_refused(
    tiny_base: Path, reviews: Path, tmp_path: Path, capsys: Capture
) -> None:
    done = command(capsys, "study", *arguments(tiny_base, reviews, tmp_path, "study.budget=3 cells"))
    assert done.code == 2
    assert "first look, which is expected to take 4 cells, but got '3 cells'" in done.err
    assert not (tmp_path / "cells").exists()


def test_without_looks_seeds_are_added_as_far_as_the_budget_goes(
    tiny_base: Path, reviews: Path, tmp_path: Path, capsys: Capture
) -> None:
    given = arguments(tiny_base, reviews, tmp_path, "study.seeds=[0,1]", "study.looks=[]", "study.spend=[]")
    done = command(capsys, "study", *given, "study.budget=7 cells")
    assert done.code == 0, done.err
    found = found_in(tmp_path)
    assert found["looks"]["seeds"] == [2, 3]
    assert found["looks"]["levels"] == pytest.approx([1 - 0.05 * 0.2, 1 - 0.05 * 0.8])


def test_early_stopping_is_refused_since_the_seeds_of_the_last_look_would_depend_on_scores(
    tiny_base: Path, reviews: Path, tmp_path: Path, capsys: Capture
) -> None:
    given = arguments(tiny_base, reviews, tmp_path, "study.budget=10min", "train.patience=2")
    done = command(capsys, "study", *given)
    assert done.code == 2
    assert "these arms stop early: pretrained (patience 2), scratch (patience 2)" in done.err


def test_time_is_of_all_runs_together_and_a_seed_begins_only_if_it_can_end(
    root: Path, tiny_base: Path, reviews: Path, tmp_path: Path
) -> None:
    later = copy(root, tmp_path / "time")
    plan = planned(arguments(tiny_base, reviews, later, "study.budget=10000s"))
    (plan.folder / "spent.json").write_text('{"seconds": 9000.0}', encoding="utf-8")
    now = [0.0]
    spending = Spending(plan, clock=lambda: now[0])
    first, second = [name for name, cell in plan.missing().items() if cell.train.seed == 3]
    seed = spending.price([plan.cells[first], plan.cells[second]])
    assert seed > 0
    now[0] = 1000 - 1.01 * seed
    assert spending.affords(first, plan)
    now[0] = 1000 - 0.01 * seed
    assert not spending.affords(second, plan)
    assert spending.over
    spending.keep()
    assert Spending(plan, clock=lambda: 0.0).spent() == pytest.approx(9000 + now[0])


def test_another_plan_than_the_one_that_ended_has_not_ended(
    root: Path, tiny_base: Path, reviews: Path, tmp_path: Path
) -> None:
    other = copy(root, tmp_path / "other")
    same = planned(arguments(tiny_base, reviews, other, "study.budget=7 cells"))
    assert len(ended(same).config.study.seeds) == 3
    unlimited = planned(arguments(tiny_base, reviews, other))
    assert ended(unlimited) is unlimited


def test_after_each_complete_seed_a_report_shows_the_scores_so_far_and_judges_nothing(
    tiny_base: Path, reviews: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.commands.steps.study_run.INTERIM_SECONDS", 0.0)
    pages: list[str] = []

    def kept(*arguments: Any) -> Path:
        page = report_on(*arguments)
        pages.append((page.parent / "report.md").read_text(encoding="utf-8"))
        return page

    monkeypatch.setattr("pipeline.commands.steps.study_run.report_on", kept)
    given = arguments(tiny_base, reviews, tmp_path, "study.seeds=[0,1]", "study.looks=[]", "study.spend=[]")
    done = command(capsys, "study", *given, "executor.workers=1", "tracking=local")
    assert (done.out + done.err).count("Scores so far:") == 1
    (page,) = pages
    assert "Scores are interim: the look lacks" in page
    assert "inconclusive" in page.lower()
    assert "supported" not in page.lower().split("## ")[1]
    for arm in ("pretrained", "scratch"):
        assert [step for _, step in metrics(tmp_path, "study", f"scores/test/{arm} 16")] == [1]


def test_a_plan_tells_the_smallest_effect_that_its_looks_can_show(
    root: Path, tiny_base: Path, reviews: Path, tmp_path: Path, capsys: Capture
) -> None:
    later = copy(root, tmp_path / "later")
    others = "study.seeds=[20,21,22,23,24,25]"
    sure = "+study.claims.sure={statement: It is sure of itself, metric: audit, audit: calibration, delta: 0.05}"
    shown = command(capsys, "study", *arguments(tiny_base, reviews, later, others, sure), "plan=true").out
    said = " ".join(shown.split())
    assert "Smallest true effect that is shown with a chance of 80% (variances of 3 seeds)" in said
    (row,) = [line for line in shown.splitlines() if line.startswith("│ near ")]
    two, six = (cell.strip() for cell in row.split("│")[2:4])
    assert two == "none at all", "two seeds at a quarter of the error"
    assert 5 < float(six.split()[0]) < 60
    (audited,) = [line for line in shown.splitlines() if line.startswith("│ sure ")]
    assert 0 < float(audited.split("│")[3]) < 2, "a Brier score has no points"
    otherwise = arguments(tiny_base, reviews, later, others, "train.lr=1e-5")
    assert "not known yet" in command(capsys, "study", *otherwise, "plan=true").out
