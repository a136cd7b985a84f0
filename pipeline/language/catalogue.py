"""The catalogue of a language: its messages, its nouns, and the forms of sentences that records keep."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files

_NUMBER = re.compile(r"[<>~+\N{MINUS SIGN}-]?\d[\d,]*(\.\d+)?(e[+-]?\d+)?%?")
_PLACE = re.compile(r"\{\d+\}")
_DECIMAL_COMMA = str.maketrans(",.", ".,")
_NOUNS, _SENTENCES, _PARTS = "nouns.toml", "sentences.toml", "parts.toml"


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """What is written in English, and its counterparts.

    Args:
        messages: English texts with named places.
        nouns: singular and plural by the English singular.
        sentences: the forms of sentences that records keep, with numbered places.
        parts: the forms of what may stand in such a place.
    """

    messages: Mapping[str, str]
    nouns: Mapping[str, tuple[str, str]]
    sentences: Mapping[str, str]
    parts: Mapping[str, str]

    def sentence(self, sentence: str) -> str:
        """The sentence after the form that it was made from; unchanged if it was made from none of them.

        Records hold these sentences in English, so that they are the same bytes whatever a report's language is.
        """
        if sentence in self.messages:
            return self.messages[sentence]
        counterpart = self._after(self._sentence_forms, sentence)
        name, colon, rest = sentence.partition(": ")  # one about a set may stand after the set's name
        return f"{name}: {self.sentence(rest)}" if colon and counterpart == sentence else counterpart

    def _after(self, forms: "tuple[_Form, ...]", text: str) -> str:
        for form in forms:
            if match := form.english.fullmatch(text):
                return form.counterpart.format(*(self._value(value) for value in match.groups()))
        return text

    def _value(self, text: str) -> "_Value":
        if _NUMBER.fullmatch(text):
            return _Value(text=text, counterpart=with_decimal_comma(text), whole=text)
        counterpart = self._after(self._part_forms, text)
        return _Value(text=text, counterpart=counterpart, whole=self.messages.get(text, text))

    @cached_property
    def _sentence_forms(self) -> "tuple[_Form, ...]":
        ordered = sorted(self.sentences, key=lambda form: -len(_PLACE.sub("", form)))  # most fixed text, fewest fits
        return _forms(self.sentences, ordered)

    @cached_property
    def _part_forms(self) -> "tuple[_Form, ...]":
        return (*self._sentence_forms, *_forms(self.parts, self.parts))


@dataclass(frozen=True)
class _Form:
    english: re.Pattern[str]
    counterpart: str


@dataclass(frozen=True, kw_only=True)
class _Value:
    """A value of a sentence: `{0}` writes it in the other language, `{0!s}` as it stands.

    `{0:text}` writes a text that presets hold: the counterpart of the whole of it, or as it stands if it is a user's.
    """

    text: str
    counterpart: str
    whole: str

    def __str__(self) -> str:
        return self.text

    def __format__(self, spec: str) -> str:
        return self.whole if spec == "text" else self.counterpart


def _forms(counterparts: Mapping[str, str], ordered: Iterable[str]) -> tuple[_Form, ...]:
    return tuple(
        _Form(re.compile("(.*?)".join(map(re.escape, _PLACE.split(form))), re.DOTALL), counterparts[form])
        for form in ordered
    )


def with_decimal_comma(number: str) -> str:
    """A number as English writes it, with a comma before its decimals and dots between its thousands."""
    return number.translate(_DECIMAL_COMMA)


@cache
def catalogue(language: str) -> Catalogue:
    """The catalogue of a language other than English."""
    tables = dict(_tables(language))
    nouns = {noun: (forms[0], forms[1]) for noun, forms in tables.pop(_NOUNS).items()}
    sentences, parts = tables.pop(_SENTENCES), tables.pop(_PARTS)
    messages = {message: text for table in tables.values() for message, text in table.items()}
    return Catalogue(messages=messages, nouns=nouns, sentences=sentences, parts=parts)


def _tables(language: str) -> Iterator[tuple[str, dict[str, str]]]:
    for file in sorted((files("pipeline.language") / language).iterdir(), key=lambda file: file.name):
        if file.name.endswith(".toml"):
            yield file.name, tomllib.loads(file.read_text(encoding="utf-8"))
