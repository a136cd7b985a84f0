"""The studies of this repository's results give their committed findings, and have a Portuguese report."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.commands.steps.publishing import CELLS, FINDINGS, STUDY, rebuild
from pipeline.study.stated import FILE as STATED

RESULTS = Path(__file__).parents[2] / "experiments" / "results"
FOLDERS = sorted(folder for folder in RESULTS.iterdir() if folder.name != "quickstart")  # of which another module is
MOST_BYTES = 2_000_000


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_they_are_judged_again_as_they_were_published(folder: Path, tmp_path: Path) -> None:
    findings, report, claims = rebuild(folder, tmp_path, "pt")
    assert (claims is not None) == (folder.name == "claims")
    assert findings.verdicts
    assert "sementes" in report.read_text(encoding="utf-8")


@pytest.mark.parametrize("folder", sorted(RESULTS.iterdir()), ids=lambda folder: folder.name)
def test_they_are_small_and_name_no_folder_of_the_machine(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == {STUDY, FINDINGS, CELLS, STATED}
    assert sum(path.stat().st_size for path in folder.iterdir()) < MOST_BYTES
    said = json.loads((folder / STUDY).read_text(encoding="utf-8"))["about"]
    assert not [text for text in _texts(said) if "=/" in text or text.startswith("/")]


def _texts(part: Any) -> Iterator[str]:
    """All strings within lists and objects of JSON."""
    if isinstance(part, str):
        yield part
    elif isinstance(part, (list, dict)):
        for one in part.values() if isinstance(part, dict) else part:
            yield from _texts(one)
