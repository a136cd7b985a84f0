"""The catalogue of a language: its messages and its nouns."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

_DECIMAL_COMMA = str.maketrans(",.", ".,")
_NOUNS = "nouns.toml"


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """What is written in English, and its counterparts.

    Args:
        messages: English texts with named places.
        nouns: singular and plural by the English singular.
    """

    messages: Mapping[str, str]
    nouns: Mapping[str, tuple[str, str]]


def with_decimal_comma(number: str) -> str:
    """A number as English writes it, with a comma before its decimals and dots between its thousands."""
    return number.translate(_DECIMAL_COMMA)


@cache
def catalogue(language: str) -> Catalogue:
    """The catalogue of a language other than English."""
    tables = dict(_tables(language))
    nouns = {noun: (forms[0], forms[1]) for noun, forms in tables.pop(_NOUNS).items()}
    return Catalogue(messages={m: text for table in tables.values() for m, text in table.items()}, nouns=nouns)


def _tables(language: str) -> Iterator[tuple[str, dict[str, str]]]:
    for file in sorted((files("pipeline.language") / language).iterdir(), key=lambda file: file.name):
        if file.name.endswith(".toml"):
            yield file.name, tomllib.loads(file.read_text(encoding="utf-8"))
