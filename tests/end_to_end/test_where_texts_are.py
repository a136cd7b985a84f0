"""Texts of the data stand where docs/privacy.md says, and nowhere else."""

from pathlib import Path

import pytest
from command_kit import command, copy, planned
from conftest import Finished

from pipeline.data.store import load, stored_examples
from pipeline.study.plan import Plan, plan_cell
from tests import tiny
from tests.examples_kit import texts_of

NEEDED = {"data"}  # what a training reads
SHOWN = {"cells/samples.json", "studies/errors.html", "tracking/spool", "tracking/artifacts"}  # as privacy.texts allows


def places(root: Path, texts: set[str]) -> set[str]:
    """The kinds of places, as the page names them, whose files hold one of the texts."""
    wanted = [text.encode() for text in texts]
    holding = [path for path in root.rglob("*") if path.is_file() and any(w in path.read_bytes() for w in wanted)]
    return {_place(path.relative_to(root)) for path in holding}


def long_texts(plan: Plan) -> set[str]:
    """Those that are long enough to be recognised."""
    return {text for text in texts_of(stored_examples(load(plan.data_folder), "test")) if len(text) > 20}


def _place(path: Path) -> str:
    top = path.parts[0]
    if top == "tracking":
        return f"{top}/{path.parts[1]}"
    return top if top in NEEDED else f"{top}/{path.name}"


def test_texts_stand_where_the_page_says_and_a_report_without_texts_removes_those_beside_it(
    finished: Finished, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = copy(finished.root, tmp_path / "out")
    plan = planned(finished.at(root))
    texts = long_texts(plan)
    found = places(root, texts)
    assert NEEDED | {"cells/samples.json", "studies/errors.html"} <= found <= NEEDED | SHOWN
    assert command(capsys, "report", *finished.at(root), "privacy.texts=none").code == 0
    assert not any(place.startswith("studies/") for place in places(root, texts))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_evaluate_sends_waiting_samples_to_mlflow_only_where_texts_may_be_shown(
    tiny_base: Path, reviews: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "out"
    for seed, texts in enumerate(("none", "all")):
        cell = [*tiny.overrides(tiny_base, reviews, root), "train.size=16", "train.epochs=1", f"train.seed={seed}"]
        assert command(capsys, "train", *cell, "train.min_steps=2").code == 0
        done = command(capsys, "evaluate", *cell, "train.min_steps=2", "tracking=local", f"privacy.texts={texts}")
        assert done.code == 0, done.err
        found = places(root, long_texts(plan_cell(cell)))
        assert "tracking/spool" in found, "no samples wait to be sent"
        assert ("tracking/artifacts" in found) == (texts == "all")
