"""Texts of the data stand where docs/privacy.md says, and nowhere else."""

from pathlib import Path

import pytest
from command_kit import command, copy, planned
from conftest import Finished

from pipeline.data.store import load, stored_examples
from tests.examples_kit import texts_of

NEEDED = {"data"}  # what a training reads
SHOWN = {"cells/samples.json", "studies/errors.html", "tracking/spool", "tracking/artifacts"}  # as privacy.texts allows


def places(root: Path, texts: set[str]) -> set[str]:
    """The kinds of places, as the page names them, whose files hold one of the texts."""
    wanted = [text.encode() for text in texts]
    holding = [path for path in root.rglob("*") if path.is_file() and any(w in path.read_bytes() for w in wanted)]
    return {_place(path.relative_to(root)) for path in holding}


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
    texts = {text for text in texts_of(stored_examples(load(plan.data_folder), "test")) if len(text) > 20}
    found = places(root, texts)
    assert NEEDED | {"cells/samples.json", "studies/errors.html"} <= found <= NEEDED | SHOWN
    assert command(capsys, "report", *finished.at(root), "privacy.texts=none").code == 0
    assert not any(place.startswith("studies/") for place in places(root, texts))
