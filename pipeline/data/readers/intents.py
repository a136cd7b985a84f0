"""Intents as home-assistant-intents keeps them: a JSON file for a language, with templates for each intent.

Columns: "text", a sentence drawn from a template (at most MOST of each); "intent"; and "template", as the file has it.
Lists have the file's values. A slot without any, such as a device or a room, takes one of NAMES, which are the same for
all intents and languages, so that they reveal neither.
"""

from pathlib import Path
from typing import Any, TypeGuard

from pipeline.data.example_table import table_of
from pipeline.data.readers.grammar import Node, parsed
from pipeline.data.readers.templates import Grammar, sentences
from pipeline.data.table_cells.columns import Wanted
from pipeline.data.table_cells.rows import Rows
from pipeline.errors import DataError

COLUMNS = ("text", "intent", "template")
MOST = 4  # sentences of a template
NAMES = ("Luna", "Atlas", "Nova", "Orion")
_NUMBERS = 12  # of a range that are taken


def holds_intents(document: Any) -> TypeGuard[dict[str, Any]]:
    """Whether a parsed JSON file is one of intents."""
    return isinstance(document, dict) and isinstance(document.get("intents"), dict) and "expansion_rules" in document


def read_intents(document: dict[str, Any], path: Path, ask: Wanted, field: str) -> Rows:
    """The wanted columns of all sentences, in the file's order.

    Args:
        document: the parsed file.
        path: its path, for messages.
        ask: the columns.
        field: the setting that names the file, for messages.

    Raises:
        DataError: the file is not of this form, a template cannot be read, or a column is none of COLUMNS.
    """
    ask.check(COLUMNS, f"the file of intents {path.name}")
    place = f"{field}: {path.name}"
    try:
        grammar = _grammar(document, place)
        templates = [(intent, template) for intent, of in document["intents"].items() for template in _templates(of)]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"{place} must hold intents as home-assistant-intents has them, but an entry is missing or of another "
            f"kind ({type(error).__name__}: {error}). Fetch the file again."
        ) from error
    rows: dict[str, list[str | None]] = {name: [] for name in COLUMNS}
    for intent, template in dict.fromkeys(templates):
        for sentence in sentences(template, grammar, place, most=MOST):
            for name, value in zip(COLUMNS, (sentence, intent, template), strict=True):
                rows[name].append(value)
    return table_of({name: rows[name] for name in ask.columns})


def _templates(intent: dict[str, Any]) -> list[str]:
    return [str(template) for block in intent["data"] for template in block["sentences"]]


def _grammar(document: dict[str, Any], place: str) -> Grammar:
    return Grammar(
        rules={name: parsed(rule, place) for name, rule in document["expansion_rules"].items()},
        lists={name: [parsed(value, place) for value in _values(of)] for name, of in document["lists"].items()},
        others=[Node(kind="text", word=name) for name in NAMES],
    )


def _values(given: dict[str, Any]) -> list[str]:
    """The values of a list; none where anything can stand there."""
    if "range" in given:
        numbers = range(given["range"]["from"], given["range"]["to"] + 1, given["range"].get("step", 1))
        return [str(number) for number in numbers[:: max(1, len(numbers) // _NUMBERS)]]
    return [value["in"] for value in given.get("values", [])]
