"""A study of two looks: what the first one settles is trained no further, and nothing is judged in between."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from command_kit import command, copy, planned, sentences

from tests import tiny
from tests.tiny import reviews, tiny_base

__all__ = ["reviews", "tiny_base"]

Capture = pytest.CaptureFixture[str]
CLAIMS = [
    "+study.claims.far={statement: It is never that much better, arm: frozen, against: pretrained, delta: 9.0}",
    "+study.claims.near={statement: It is a little better, delta: 0.001}",
]
LOOKS = ["study.looks=[2,4]", "study.spend=[0.5,0.5]", "train.min_steps=4", "train.epochs=1"]


def arguments(base: Path, data: Path, root: Path) -> list[str]:
    few = tiny.study(arms="pretrained,frozen,scratch", sizes="16", seeds="0,1,2,3", claim=False)
    return [*tiny.overrides(base, data, root), *few, *CLAIMS, *LOOKS]


@pytest.fixture(scope="module")
def root(tiny_base: Path, reviews: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from pipeline.cli import main

    root = tmp_path_factory.mktemp("looks")
    assert main(["study", *arguments(tiny_base, reviews, root)]) == 0
    return root


def found_in(root: Path) -> dict[str, Any]:
    return dict(json.loads((root / "studies" / "small" / "findings.json").read_text(encoding="utf-8")))


def test_cells_that_only_a_settled_claim_needs_are_not_trained(
    root: Path, tiny_base: Path, reviews: Path, capsys: Capture
) -> None:
    found = found_in(root)
    far, near = found["verdicts"]
    assert (far["verdict"], far["look"], far["estimate"]["seeds"], far["level"]) == ("refuted", 1, 2, 0.9875)
    assert (near["look"], near["estimate"]["seeds"]) == (2, 4)
    assert sorted(name for name in found["cells"] if name.startswith("frozen")) == [
        "frozen n=16 seed=0", "frozen n=16 seed=1",
    ]  # fmt: skip
    assert len(found["cells"]) == 10
    page = (root / "studies" / "small" / "report.md").read_text(encoding="utf-8")
    assert "Looks planned at 2 and 4 seeds; this is the second." in page
    assert "2 cells were not trained, since no open claim reads them" in page
    shown = command(capsys, "study", *arguments(tiny_base, reviews, root), "plan=true").out
    assert "0 of 10 cells to train" in shown
    assert re.search(r"│ frozen +│ +16 │ +2 │ +0 │ +2 │", shown)


def test_the_study_was_stated_before_its_first_cell_and_running_it_again_changes_nothing(
    root: Path, tiny_base: Path, reviews: Path, tmp_path: Path, capsys: Capture
) -> None:
    again = copy(root, tmp_path / "again")
    folder = again / "studies" / "small"
    before = {name: (folder / name).read_bytes() for name in ("stated.json", "looks.jsonl", "findings.json")}
    stated, *cells = (again / "studies/small/stated.json", *(again / "cells").glob("*/result.json"))
    assert all(stated.stat().st_mtime <= cell.stat().st_mtime for cell in cells)
    done = command(capsys, "study", *arguments(tiny_base, reviews, again))
    assert done.code == 0
    assert {name: (folder / name).read_bytes() for name in before} == before


def test_a_look_at_incomplete_seeds_gives_no_verdict(
    root: Path, tiny_base: Path, reviews: Path, tmp_path: Path, capsys: Capture
) -> None:
    given = arguments(tiny_base, reviews, copy(root, tmp_path / "short"))
    plan = planned(given)
    shutil.rmtree(plan.folder)
    for name, cell in plan.cells.items():
        if cell.train.seed > 1 or (cell.arm.name, cell.train.seed) == ("scratch", 1):
            shutil.rmtree(plan.store.folder(name), ignore_errors=True)
    done = command(capsys, "report", *given)
    said = " ".join(done.out.split())
    assert done.code == 0
    assert "Inconclusive: not judged yet. The first look, at 2 seeds, lacks scratch n=16 seed=1." in said
    assert "Scores are interim" in said
    far, near = found_in(plan.root)["verdicts"]
    assert (far["look"], near["look"]) == (1, 0), "each claim has its own cells"


def test_a_claim_that_is_changed_after_looking_is_marked_everywhere(
    root: Path, tiny_base: Path, reviews: Path, tmp_path: Path, capsys: Capture
) -> None:
    other = copy(root, tmp_path / "other")
    said = "delta of claim near was 0.001, is 0.5"
    done = command(capsys, "report", *arguments(tiny_base, reviews, other), "+study.claims.near.delta=0.5")
    assert "Changed since the study was stated, after results had been seen" in done.out
    assert f"After looking: {said}." in " ".join(done.out.split())
    far, near = found_in(other)["verdicts"]
    assert (far["after_looking"], sentences(near["after_looking"])) == ([], [said])
    page = (other / "studies" / "small" / "report.html").read_text(encoding="utf-8")
    assert "after looking" in page
    (change,) = json.loads((other / "studies/small/stated.json").read_text(encoding="utf-8"))["history"]
    assert (sentences(change["what"]), change["after_looking"]) == ([said], True)
    renamed = [*arguments(tiny_base, reviews, other), "+study.claims.near.delta=0.5", "study.name=new"]
    assert command(capsys, "report", *renamed).code == 0
    fresh = json.loads((other / "studies" / "new" / "findings.json").read_text(encoding="utf-8"))
    assert [v["after_looking"] for v in fresh["verdicts"]] == [[], []]
    assert "10 of its cells were finished before the study was stated" in sentences(fresh["caveats"])[0]


def test_until_all_trains_what_no_claim_needs(
    root: Path, tiny_base: Path, reviews: Path, tmp_path: Path, capsys: Capture
) -> None:
    given = [*arguments(tiny_base, reviews, copy(root, tmp_path / "all")), "study.until=all"]
    done = command(capsys, "study", *given)
    assert done.code == 0, done.err
    plan = planned(given)
    assert plan.missing() == {}
    verdicts = found_in(plan.root)["verdicts"]
    assert verdicts == found_in(root)["verdicts"], "more seeds of what is settled change no verdict"
