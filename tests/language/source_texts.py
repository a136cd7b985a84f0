"""The English texts in the source that a report shows: its messages, its nouns, and the sentences that records keep."""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pipeline

ROOT = Path(pipeline.__file__).parent
MESSAGES = {"tr": 0, "marked": 0, "_said": 0}  # functions that take a message, and its place among their arguments
NOUNS = {"plural": 1, "nouns": 0, "_range": 1}
HEADINGS = ("title", "lead", "caption", "header", "question", "answer")  # arguments that hold text of a page
WORDS = "[A-Za-z]{2} [a-z]{2}"


def messages() -> set[str]:
    """Those of the report and of what commands print of findings."""
    return set(_arguments(MESSAGES, "report", "commands"))


def nouns() -> set[str]:
    """Those that are counted."""
    return set(_arguments(NOUNS, "report", "commands"))


def unmarked() -> set[str]:
    """Texts in the code of the report that are no message, so that they would stay in English.

    Model cards and the code in them are in English, as their readers on the hub expect.
    """
    return {text for file in _files("report") if file.name not in ("card.py", "usage.py") for text in _unmarked(file)}


def kept() -> set[str]:
    """The forms of sentences that records keep: what `said` is given, by name or as it stands."""
    return {form for file in _files(".") for form in _forms(_parsed(file))}


def has_words(form: str) -> bool:
    """Whether anything but its places is to be read in a form."""
    return bool(re.search("[A-Za-z]{2}", re.sub(r"\{[^}]*\}", "", form)))


def constants() -> set[str]:
    """All texts in the source."""
    return {
        str(node.value) for file in _files(".") for node in ast.walk(_parsed(file)) if isinstance(node, ast.Constant)
    }


def _arguments(functions: dict[str, int], *folders: str) -> Iterator[str]:
    for file in (file for folder in folders for file in _files(folder)):
        yield from (str(node.value) for node in _given(_parsed(file), functions) if isinstance(node, ast.Constant))


def _given(tree: ast.AST, functions: dict[str, int]) -> list[ast.expr]:
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args]
    return [call.args[functions[_name(call)]] for call in calls if _name(call) in functions]


def _unmarked(file: Path) -> Iterator[str]:
    tree = _parsed(file)
    hidden = _within([*_given(tree, MESSAGES | NOUNS), *filter(_is_silent, ast.walk(tree))])
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from (text for text in _headings(node) if text)
        elif id(node) not in hidden and isinstance(node, ast.Constant) and re.search(WORDS, str(node.value)):
            yield str(node.value)


def _headings(call: ast.Call) -> Iterator[str]:
    """Texts that a call takes for headings."""
    given = [keyword.value for keyword in call.keywords if keyword.arg in HEADINGS]
    given += call.args[:1] if _name(call) == "Column" else []
    for entry in (e for each in given for e in (each.elts if isinstance(each, ast.Tuple) else [each])):
        if isinstance(entry, ast.Constant):
            yield str(entry.value)


def _forms(tree: ast.Module) -> Iterator[str]:
    named: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            named.setdefault(node.targets[0].id, set()).update(_texts(node.value))
    for form in _given(tree, {"said": 0}):
        yield from named.get(form.id, ()) if isinstance(form, ast.Name) else _texts(form)


def _texts(node: ast.expr) -> Iterator[str]:
    """A constant text, or those that a condition chooses between."""
    if isinstance(node, ast.IfExp):
        yield from (*_texts(node.body), *_texts(node.orelse))
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


def _is_silent(node: ast.AST) -> bool:
    """Whether no text in it is shown: a docstring or an error."""
    return isinstance(node, ast.Raise) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def _within(nodes: Iterable[ast.AST]) -> set[int]:
    return {id(part) for node in nodes for part in ast.walk(node)}


def _parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text("utf-8"))


def _name(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _files(path: str) -> list[Path]:
    return sorted((ROOT / path).rglob("*.py")) if (ROOT / path).is_dir() else [ROOT / path]
