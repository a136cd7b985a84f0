"""Commands on machines as they are: other locales, long and unwritable folders, few open files, odd names."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import tiny

ROOT = Path(__file__).parents[2]
NO_UTF8 = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
HOSTILE = 'umask 077; ulimit -n 256; exec "$0" -m pipeline "$@"'


def run(folder: Path, *words: str, **environment: str) -> "subprocess.CompletedProcess[bytes]":
    """`python -m pipeline` there, under a strict umask and with few files open at once."""
    return subprocess.run(
        ["bash", "-c", HOSTILE, sys.executable, *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        timeout=110,
        check=False,
    )


def a_long_folder(within: Path) -> Path:
    folder = within / ("a" * 60) / ("b" * 60)
    folder.mkdir(parents=True)
    return folder


@pytest.mark.parametrize("environment", [NO_UTF8, {"LC_ALL": "C.UTF-8", "PYTHONUTF8": "0"}])
def test_what_is_typed_and_shown_is_utf8_in_every_locale(tmp_path: Path, environment: dict[str, str]) -> None:
    done = run(tmp_path, "train", "--cfg", "job", "--package", "paths", "paths.root=saída 1/ação", **environment)
    assert (done.returncode, done.stdout.decode("utf-8")) == (0, "root: saída 1/ação\n"), done.stderr


@pytest.mark.slow
def test_a_cell_is_trained_whatever_the_machine_is_like(tmp_path: Path) -> None:
    folder = tmp_path / "pasta com espaço é"
    tiny.write_base(folder / "modelo é")
    tiny.write_csv(folder / "avaliações 1.csv", tiny.rows(160))
    given = tiny.overrides(Path("modelo é"), Path("avaliações 1.csv"), Path("saída 1"))
    environment = {"HOME": "/proc/none", "HF_HOME": "/proc/none", "TMPDIR": str(a_long_folder(tmp_path)), **NO_UTF8}
    given += ["train.size=20", "train.max_steps=2", "arm.recipe.min_steps=0", "train.keep=all"]
    done = run(folder, "train", *given, **environment)
    assert done.returncode == 0, done.stderr.decode()
    (result,) = (folder / "saída 1" / "cells").glob("*/result.json")
    assert json.loads(result.read_text(encoding="utf-8"))["measured"]["seconds"] > 0
    said = run(
        folder, "predict", "paths.root=saída 1", "task.name=classification", "predict.text=ação é", **environment
    )
    assert "ação é" in said.stdout.decode("utf-8"), said.stderr.decode()


def test_sockets_lie_below_a_short_folder_where_that_for_temporary_files_is_long(tmp_path: Path) -> None:
    done = _sockets(a_long_folder(tmp_path), "")
    assert done.returncode == 0, done.stderr
    made, temporary = done.stdout.splitlines()
    assert len(made) < 90
    assert temporary == str(tmp_path / ("a" * 60) / ("b" * 60)), "other temporary files go where TMPDIR says"


def test_without_any_short_folder_the_length_of_tmpdir_is_refused(tmp_path: Path) -> None:
    done = _sockets(a_long_folder(tmp_path), "sockets._SHORT = ();")
    assert "TMPDIR must be a path of at most 71 bytes" in done.stderr


def _sockets(temporary: Path, before: str) -> "subprocess.CompletedProcess[str]":
    """In a process of its own: multiprocessing makes its folder once."""
    code = f"from pipeline.execution import sockets; import tempfile; {before} print(sockets.socket_folder())"
    return subprocess.run(
        [sys.executable, "-c", f"{code}; print(tempfile.gettempdir())"],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(temporary)},
        capture_output=True,
        text=True,
        check=False,
    )
