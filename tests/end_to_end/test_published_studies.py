"""A published study: a few files from which its report is made again, byte for byte, without base and data."""

import json
import shutil
from pathlib import Path

import pytest
from command_kit import command, planned
from conftest import Finished

Capture = pytest.CaptureFixture[str]
PAGES = ("report.html", "report.md", "curves.png", "findings.json", "errors.csv")


@pytest.fixture
def copied(finished: Finished, tmp_path: Path) -> Path:
    """A copy of the study's results, without its data."""
    for name in ("cells", "studies"):
        shutil.copytree(finished.root / name, tmp_path / "out" / name)
    return tmp_path / "out"


@pytest.fixture
def published(finished: Finished, copied: Path, tmp_path: Path, capsys: Capture) -> Path:
    folder = tmp_path / "results" / "small"
    done = command(capsys, "report", *finished.at(copied), f"publish={folder}")
    assert done.code == 0, done.err
    assert f"report published={folder}" in done.out
    return folder


def test_its_report_is_made_again_byte_for_byte(
    finished: Finished, copied: Path, published: Path, tmp_path: Path, capsys: Capture
) -> None:
    before = {name: (planned(finished.at(copied)).folder / name).read_bytes() for name in PAGES}
    shutil.rmtree(copied)
    done = command(capsys, "report", f"published={published}", f"paths.root={tmp_path / 'clone'}")
    assert done.code == 0, done.err
    again = tmp_path / "clone" / "published" / "small"
    assert {name: (again / name).read_bytes() for name in PAGES} == before


def test_verdicts_keep_the_order_in_which_claims_are_stated(
    finished: Finished, copied: Path, tmp_path: Path, capsys: Capture
) -> None:
    folder = tmp_path / "results" / "two"
    claims = ["+study.claims.z_first.delta=0.3", "+study.claims.a_last.delta=0.3"]
    assert command(capsys, "report", *finished.at(copied), *claims, f"publish={folder}").code == 0
    found = json.loads((folder / "findings.json").read_text(encoding="utf-8"))
    assert [v["claim"] for v in found["verdicts"]][-2:] == ["z_first", "a_last"]
    done = command(capsys, "report", f"published={folder}", f"paths.root={tmp_path / 'clone'}")
    assert done.code == 0, done.err


def test_it_holds_no_weights_and_the_same_cells_give_the_same_bytes(
    finished: Finished, copied: Path, published: Path, capsys: Capture
) -> None:
    assert sorted(path.name for path in published.iterdir()) == [
        "cells.tar.xz",
        "findings.json",
        "stated.json",
        "study.json",
    ]
    before = {path.name: path.read_bytes() for path in published.iterdir()}
    assert len(before["cells.tar.xz"]) < 200_000
    assert command(capsys, "report", *finished.at(copied), f"publish={published}").code == 0
    assert {path.name: path.read_bytes() for path in published.iterdir()} == before


def test_cells_that_do_not_give_its_findings_are_refused(published: Path, tmp_path: Path, capsys: Capture) -> None:
    path = published / "findings.json"
    findings = json.loads(path.read_text(encoding="utf-8"))
    findings["verdicts"][0]["verdict"] = "refuted"
    path.write_text(json.dumps(findings), encoding="utf-8")
    done = command(capsys, "report", f"published={published}", f"paths.root={tmp_path / 'clone'}")
    assert done.code != 0
    assert "do not give its findings.json" in done.err


def test_a_missing_or_damaged_file_is_named(published: Path, tmp_path: Path, capsys: Capture) -> None:
    (published / "cells.tar.xz").write_bytes(b"PK")
    done = command(capsys, "report", f"published={published}", f"paths.root={tmp_path / 'clone'}")
    assert done.code != 0
    assert "cells.tar.xz is damaged" in done.err
    (published / "cells.tar.xz").unlink()
    done = command(capsys, "report", f"published={published}", f"paths.root={tmp_path / 'clone'}")
    assert done.code == 2
    assert "cells.tar.xz is not there" in done.err


def test_it_brings_its_own_settings(published: Path, capsys: Capture) -> None:
    done = command(capsys, "report", f"published={published}", "study.confidence=0.9")
    assert done.code == 2
    assert "study.confidence=0.9 has no place here" in done.err
