"""The language of reports: messages, words and numbers. Commands, settings and errors are in English.

A message is written in English where it is used, with a name for each value: `tr("{arm} scores {score}", arm=arm,
score=score)`. Its counterpart in another language stands under it in that language's catalogue, one TOML file for each
part of the report. A message without one stays in English; a test holds that none lacks it.
"""

import string
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Literal

from pipeline.language.catalogue import catalogue, with_decimal_comma
from pipeline.language.sentence import Sentence, Value, all_of, any_of, first_of, in_brackets, listed, said, set_name

Language = Literal["en", "pt"]

_language: ContextVar[Language] = ContextVar("language", default="en")
_TAGS: dict[Language, str] = {"en": "en", "pt": "pt-BR"}


@contextmanager
def in_language(language: Language) -> Iterator[None]:
    """Within the block, messages, words and numbers are those of `language`."""
    token = _language.set(language)
    try:
        yield
    finally:
        _language.reset(token)


def language_tag() -> str:
    """The current language as HTML names it."""
    return _TAGS[_language.get()]


def tr(message: str, /, **values: object) -> str:
    """The message in the current language, with its values; numbers among them are written as it writes them."""
    return _FORMATTER.vformat(translated(message), (), values)


def translated(text: str) -> str:
    """The counterpart of a whole text, such as a word of a closed set; the text itself if there is none."""
    language = _language.get()
    return text if language == "en" else catalogue(language).messages.get(text, text)


def marked(text: str) -> str:
    """The text itself. Marks a constant for the catalogue: it is translated where it is shown."""
    return text


def nouns(noun: str, number: int = 2) -> str:
    """The form of a noun that stands with `number`: its plural for any but 1."""
    language = _language.get()
    if language == "en":
        return noun if number == 1 else f"{noun}s"
    one, many = catalogue(language).nouns.get(noun, (noun, f"{noun}s"))
    return one if number == 1 else many


def numeral(value: float, spec: str = "") -> str:
    """The value formatted by `spec`, with the current language's decimal and thousands separators."""
    text = format(value, spec)
    return text if _language.get() == "en" else with_decimal_comma(text)


def translated_sentence(sentence: str) -> str:
    """A sentence that findings or other records keep, in the current language; a plain text if it is a message."""
    if not isinstance(sentence, Sentence) or not sentence.values:
        return translated(sentence)
    values = {n: translated_sentence(v) if isinstance(v, Sentence) else v for n, v in sentence.values.items()}
    return tr(sentence.form, **values)


class _Formatter(string.Formatter):
    """Formats numbers by `numeral`."""

    def format_field(self, value: Any, format_spec: str) -> Any:
        """See string.Formatter."""
        return numeral(value, format_spec) if isinstance(value, int | float) else format(value, format_spec)


_FORMATTER = _Formatter()

__all__ = [
    "Language",
    "Sentence",
    "Value",
    "all_of",
    "any_of",
    "first_of",
    "in_brackets",
    "in_language",
    "language_tag",
    "listed",
    "marked",
    "nouns",
    "numeral",
    "said",
    "set_name",
    "tr",
    "translated",
    "translated_sentence",
]
