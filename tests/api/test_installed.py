"""`import headstart` in processes of its own: scripts, a foreign `pipeline`, and the notebook of the documentation."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests import tiny
from tests.api.kernels import ROOT, execute, installed

SCRIPT = """
import pandas as pd
import headstart

result = headstart.compare(
    "reviews.csv", budget=None, base="local",
    **{{"base.path": {base!r}, "base.name": "tiny", "tracking": "none", "hardware": "cpu", "train.precision": "fp32",
       "study.arms": ["bag_of_words"], "study.sizes": [8], "study.seeds": [0, 1],
       "~study.claims.accurate": None, "~study.claims.best": None, "~study.claims.enough": None,
       "task.data.test_size": 40, "task.data.validation_size": 20}},
)
print("ARMS", list(result.scores["arm"]))
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return installed(tmp_path / "packages")


def python(folder: Path, environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *words]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=110, check=False
    )


@pytest.mark.parametrize("name", ["pipeline.py", "pipeline/__init__.py"])
def test_a_foreign_module_of_our_packages_name_is_named_and_not_run(
    name: str, environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("raise SystemExit('it ran')\n", encoding="utf-8")
    done = python(tmp_path, environment, "-c", "import headstart")
    assert done.returncode == 1
    assert "it ran" not in done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("ImportError: headstart needs its own package 'pipeline', but Python finds another")
    assert str(tmp_path / name) in last


def test_it_offers_what_its_documentation_names(environment: dict[str, str], tmp_path: Path) -> None:
    code = "import headstart, sys; print(headstart.compare.__module__, 'torch' in sys.modules, headstart.__version__)"
    done = python(tmp_path, environment, "-c", code)
    assert done.stdout.split()[:2] == ["pipeline.api.calls", "False"], done.stderr
    assert (tmp_path / "packages/headstart/py.typed").is_file()


@pytest.mark.slow
def test_a_script_needs_no_guard_and_imports_nothing_of_its_folder_in_workers(
    environment: dict[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "work"
    base = tiny.write_base(tmp_path / "base")
    tiny.write_csv(folder / "reviews.csv", tiny.rows(120))
    (folder / "peft.py").write_text("raise SystemExit('a file of the working folder was imported')\n", encoding="utf-8")
    (folder / "script.py").write_text(SCRIPT.format(base=str(base)), encoding="utf-8")
    done = python(folder, environment, "script.py")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("ARMS") == 1
    assert "ARMS ['bag_of_words']" in done.stdout


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("path", sorted((ROOT / "docs/notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_notebook_runs_and_shows_what_it_shows_in_the_documentation(
    path: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    import nbformat

    folder = tmp_path / "work"
    folder.mkdir()
    executed, committed = execute(path, folder, environment), nbformat.read(path, as_version=4)
    assert _kinds(executed) == _kinds(committed)


def _kinds(notebook: object) -> list[list[str]]:
    """For each cell of code, the kinds of what its last line showed; what is printed may differ."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]  # type: ignore[attr-defined]
    return [[sorted(out.data) for out in cell.outputs if out.output_type == "execute_result"] for cell in cells]
