"""Nothing that lies in the working folder is imported, by any process that a command starts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import tiny

ROOT = Path(__file__).parents[2]
# Of the standard library, of what is installed, and of what Hydra looks for by itself.
NAMES = ("queue", "json", "random", "socket", "selectors", "signal", "tempfile", "numpy", "torch", "peft", "yaml",
         "hydra", "transformers", "pytorch_lightning", "mlflow", "datasets", "hydra_plugins")  # fmt: skip


@pytest.fixture
def poisoned(tmp_path: Path) -> Path:
    """A folder with data, and modules that leave a mark when they are imported."""
    folder = tmp_path / "data of mine"
    tiny.write_csv(folder / "reviews.csv", tiny.rows(120))
    for name in NAMES:
        (folder / f"{name}.py").write_text(
            f"open({str(tmp_path / f'ran_{name}')!r}, 'w').close()\nraise SystemExit(9)\n"
        )
    return folder


def run(folder: Path, *words: str, path: str = str(ROOT)) -> subprocess.CompletedProcess[str]:
    """`python -m pipeline` there, which begins with that folder on its import path."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONSAFEPATH"} | {"PYTHONPATH": path}
    return subprocess.run(
        [sys.executable, "-m", "pipeline", *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


def ran(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.parent.glob("ran_*"))


def test_the_command_imports_no_file_of_the_working_folder(poisoned: Path) -> None:
    done = run(poisoned, "train", "--cfg", "job", "--package", "train.batch")
    assert (done.returncode, done.stdout, done.stderr) == (0, "32\n", "")
    assert ran(poisoned) == []


@pytest.mark.slow
def test_no_process_of_a_training_imports_a_file_of_the_working_folder(poisoned: Path) -> None:
    tiny.write_base(poisoned / "base")
    done = run(
        poisoned, "train", "base=local", "base.path=base", "task=classification", "task.data.path=reviews.csv",
        "task.data.text=review", "task.data.label=stars", "task.max_length=16", "train.size=20", "train.max_steps=2",
        "arm.recipe.min_steps=0", "hardware=cpu",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert ran(poisoned) == []


def test_a_checkout_runs_from_its_own_folder_without_being_installed(tmp_path: Path) -> None:
    for name in ("pipeline", "conf", "experiments"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "hydra_plugins.py").write_text("raise SystemExit(9)\n")
    done = run(tmp_path, "train", "--cfg", "job", "--package", "train.batch", path="")
    assert (done.returncode, done.stdout) == (0, "32\n"), done.stderr
