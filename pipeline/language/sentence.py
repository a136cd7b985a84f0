"""Sentences that records keep: each with the form that it was made from, so that nothing has to read it back."""

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from typing import Any, TypeAlias

Value: TypeAlias = "str | int | float | Sentence"

_OWN_SETS = ("train", "validation", "test")


class Sentence(str):
    """A text in English that knows its form, in which `{name}` stands for each of its values.

    A value is a number, a name, which is the same in all languages, or a sentence in its turn. A form without values is
    the text itself, whatever braces it has. `translated_sentence` puts it in another language, the codec of records
    keeps it as its form and its values.
    """

    form: str
    values: Mapping[str, Value]

    def __new__(cls, form: str, values: Mapping[str, Value]) -> "Sentence":
        """The sentence, filled in."""
        made = super().__new__(cls, form.format(**values) if values else form)
        made.form, made.values = form, values
        return made

    def __getnewargs__(self) -> tuple[str, dict[str, Value]]:  # type: ignore[override]
        """The arguments that a copy or an unpickled sentence is made with."""
        return self.form, dict(self.values)


def said(form: str, /, **values: Any) -> Sentence:
    """A sentence from its form; numbers of NumPy become Python's."""
    return Sentence(form, {name: getattr(value, "item", lambda v=value: v)() for name, value in values.items()})


def listed(parts: Iterable[Value], separator: str = ", ") -> Sentence:
    """Several, one after the other."""
    values = {f"part{number}": part for number, part in enumerate(parts)}
    return Sentence(separator.join(f"{{{name}}}" for name in values), values)


def first_of(parts: Sequence[Value], most: int, separator: str = ", ") -> Sentence:
    """The first of them, and how many more there are."""
    shown, more = listed(parts[:most], separator), len(parts) - most
    return said("{names} and {more} more", names=shown, more=more) if more > 0 else shown


def all_of(parts: Iterable[Value]) -> Value:
    """ "one and another and a third"."""
    return reduce(lambda before, last: said("{before} and {last}", before=before, last=last), parts)


def any_of(parts: Iterable[Value]) -> Value:
    """ "one or another"."""
    return reduce(lambda before, last: said("{before} or {last}", before=before, last=last), parts)


def in_brackets(text: str) -> Value:
    """A text of a preset, or of a user, after a blank; nothing where there is none."""
    return said(" ({text})", text=said(text)) if text else ""


def set_name(name: str) -> Value:
    """The name of a set of examples: a word for the task's own, and for any other what its user calls it."""
    return said(name) if name in _OWN_SETS else name
