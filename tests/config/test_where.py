"""How a message tells the reader to start this program."""

import os
import shlex
import sys
from pathlib import Path

import pytest

from pipeline.config.search_path import program


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A virtual environment in the working directory, this program in it; its bin folder."""
    folder = tmp_path / ".venv" / "bin"
    folder.mkdir(parents=True)
    (folder / "headstart").write_text("#!/bin/sh\n")
    (folder / "headstart").chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(folder / "python"))
    monkeypatch.setenv("PATH", os.defpath)
    monkeypatch.chdir(tmp_path)
    return folder


def test_an_environment_that_is_not_active_is_called_by_its_path(environment: Path) -> None:
    assert program() == ".venv/bin/python -m pipeline"


def test_elsewhere_it_is_called_by_its_whole_path(environment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (environment / "work").mkdir()
    monkeypatch.chdir(environment / "work")
    assert program() == f"{environment}/python -m pipeline"


def test_in_an_active_environment_the_bare_word_does(environment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(environment))
    assert program() == "headstart"


def test_another_installation_of_that_name_is_not_meant(environment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(environment))
    monkeypatch.setattr(sys, "executable", "/elsewhere/bin/python")
    assert program() == "/elsewhere/bin/python -m pipeline"


def test_an_interpreter_in_a_folder_with_blanks_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = tmp_path / "my project" / "python"
    monkeypatch.setattr("sys.executable", str(python))
    monkeypatch.setattr("shutil.which", lambda _: None)
    assert shlex.split(program()) == [str(python), "-m", "pipeline"]
