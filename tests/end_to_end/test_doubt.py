"""The code that docs/doubt.md offers for checking an interval does what the page says."""

import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from conftest import Finished

ROOT = Path(__file__).parents[2]
PAGE, RESULTS = ROOT / "docs" / "doubt.md", ROOT / "experiments" / "results"


def printed(study: Path, cells: Path, folder: Path) -> list[float]:
    """What the page's block of Python prints of another study: both ends of an interval, found and stored."""
    (block,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    place = 'study, cells = "outputs/studies/quickstart", "outputs/cells"'
    assert place in block
    code = block.replace(place, f"study, cells = {str(study)!r}, {str(cells)!r}")
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.modules['pipeline'] = None\n{code}"],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [float(number) for number in done.stdout.replace("stored:", "").split()]


def test_its_numpy_gives_the_stored_interval(finished: Finished, tmp_path: Path) -> None:
    low, high, *stored = printed(finished.root / "studies" / "small", finished.root / "cells", tmp_path)
    assert low < high
    assert [low, high] == pytest.approx(stored, abs=1e-9)


@pytest.mark.parametrize("study", sorted(RESULTS.iterdir()), ids=lambda path: path.name)
def test_it_does_of_published_studies(study: Path, tmp_path: Path) -> None:
    """Whose items come in groups, and which compare with the best arm from scratch."""
    with tarfile.open(study / "cells.tar.xz") as packed:
        packed.extractall(tmp_path, filter="data")
    low, high, *stored = printed(study, tmp_path, tmp_path)
    assert low < high
    assert [low, high] == pytest.approx(stored, abs=1e-9)


def test_the_page_names_what_is_there() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for script in re.findall(r"experiments/\w+\.py", text):
        assert (PAGE.parents[1] / script).is_file(), script
    for module in re.findall(r"tests\.analysis\.(\w+)", text):
        assert (PAGE.parents[1] / "tests" / "analysis" / f"{module}.py").is_file(), module
