"""A written report, made once for the tests that only read it."""

from pathlib import Path

import pytest
from synthetic_report import Study, make_study, with_failure

from pipeline.report import write_report


@pytest.fixture(scope="session")
def study() -> Study:
    """Three arms, three sizes, three seeds, one failed cell."""
    return with_failure(make_study(), "The loss is not finite at step 132. Lower train.lr.")


@pytest.fixture(scope="session")
def folder(study: Study, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the report of `study` stands."""
    written = write_report(study.findings, study.cells, study.about, tmp_path_factory.mktemp("report"))
    return written.parent


@pytest.fixture(scope="session")
def html(folder: Path) -> str:
    """The report as HTML."""
    return (folder / "report.html").read_text("utf-8")


@pytest.fixture(scope="session")
def markdown(folder: Path) -> str:
    """The report as Markdown."""
    return (folder / "report.md").read_text("utf-8")
