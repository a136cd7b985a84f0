"""The code that docs/doubt.md offers for checking an interval does what the page says."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Finished

PAGE = Path(__file__).parents[2] / "docs" / "doubt.md"


def code(root: Path, study: str) -> str:
    """The page's block of Python, on another root and study."""
    (block,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    place = 'root, study = "outputs", "quickstart"'
    assert place in block
    return str(block).replace(place, f"root, study = {str(root)!r}, {study!r}")


def test_its_numpy_gives_the_stored_interval(finished: Finished, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.modules['pipeline'] = None\n{code(finished.root, 'small')}"],
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    low, high, stored_low, stored_high = map(float, done.stdout.replace("stored:", "").split())
    assert low < high
    assert (low, high) == pytest.approx((stored_low, stored_high), abs=1e-9)


def test_the_page_names_what_is_there() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for script in re.findall(r"experiments/\w+\.py", text):
        assert (PAGE.parents[1] / script).is_file(), script
    for module in re.findall(r"tests\.analysis\.(\w+)", text):
        assert (PAGE.parents[1] / "tests" / "analysis" / f"{module}.py").is_file(), module
