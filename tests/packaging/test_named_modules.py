"""Modules that docstrings, comments and docs name are there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
_NAMED = re.compile(r"(?<![\w/.])[a-z_0-9]+\.py\b")
# Files of other people, in the sentences on what Headstart refuses to run.
_OTHERS = {"queue.py"}


def test_every_module_that_code_and_docs_name_exists() -> None:
    there = {path.name for folder in ("pipeline", "tests", "experiments") for path in (ROOT / folder).rglob("*.py")}
    readers = [*(ROOT / "pipeline").rglob("*.py"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")]
    named = {name: path.name for path in readers for name in _NAMED.findall(path.read_text(encoding="utf-8"))}
    assert not {name: where for name, where in named.items() if name not in there | _OTHERS}
