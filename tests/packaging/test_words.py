"""Pages, help, comments of settings and reports use the words that the field's own documentation uses."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_AVOIDED = re.compile(r"\b(told|says|alike|comes to|is read for|what was found|but for)\b")
_CODE = re.compile(r"`[^`]*`|```.*?```", re.DOTALL)  # messages and commands that a page quotes
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "experiments" / "README.md"]
REPORT = [*(ROOT / "pipeline" / "report").rglob("*.py"), ROOT / "pipeline" / "cli.py"]
SETTINGS = [ROOT / "pipeline" / "config" / "schema.py", *(ROOT / "conf").rglob("*.yaml")]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_pages_use_plain_verbs(path: Path) -> None:
    assert _AVOIDED.findall(_CODE.sub("", path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("path", SETTINGS, ids=lambda path: str(path.relative_to(ROOT)))
def test_comments_of_settings_use_plain_verbs(path: Path) -> None:
    comments = [line.partition("#")[2] for line in path.read_text(encoding="utf-8").splitlines()]
    assert [comment for comment in comments if _AVOIDED.search(comment)] == []


def test_sentences_of_reports_and_help_use_plain_verbs() -> None:
    assert [text for path in REPORT for text in _shown(path) if _AVOIDED.search(text)] == []


def _shown(path: Path) -> Iterator[str]:
    """String literals that are not docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    bodies = (node.body for node in ast.walk(tree) if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)))
    documented = {body[0].value for body in bodies if isinstance(body[0], ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in documented:
            yield node.value
