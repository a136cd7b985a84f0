"""Reads sentence templates in the grammar of hassil, in which Home Assistant's intents are written.

`(a|b)` is a or b; `[c]` is c or nothing; `(a;b)` is both, in any order; `<rule>` is a template given elsewhere;
`{list}` or `{list:slot}` is a value of a list.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pipeline.errors import DataError

_TOKEN = re.compile(r"[()\[\]|;]|<[^<>{}]+>|\{[^<>{}]+\}|[^()\[\]|;<>{}]+")
_CLOSING = {"(": ")", "[": "]"}
_ENDS = frozenset({"", "|", ";", ")", "]"})


@dataclass(frozen=True, kw_only=True)
class Node:
    """A part of a template: text, the name of a list or a rule, or parts in order, to choose from, in any order."""

    kind: Literal["text", "list", "rule", "sequence", "choice", "permutation"]
    word: str = ""
    parts: tuple["Node", ...] = ()


def parsed(template: str, place: str) -> Node:
    """The parts of a template.

    Args:
        template: what is read.
        place: where it stands, for messages.

    Raises:
        DataError: a bracket lacks its partner, a name is empty, or brackets are nested too deep.
    """
    tokens = _TOKEN.findall(template)
    if "".join(tokens) != template:
        raise unreadable(template, place, "a name in <> or {} is empty or never closed")
    try:
        return _Parser([*tokens, ""], template, place).whole()
    except RecursionError as error:
        raise unreadable(template, place, "its brackets are nested too deep") from error


def unreadable(template: str, place: str, why: str) -> DataError:
    """The error for a template that is not of this grammar."""
    return DataError(f"{place} has a template that cannot be read, {template[:80]!r}: {why}. Fetch the file again.")


class _Parser:
    """A template's tokens, with an empty one at the end, and how far they are read."""

    def __init__(self, tokens: list[str], template: str, place: str) -> None:
        self._tokens, self._at = tokens, 0
        self._template, self._place = template, place

    def whole(self) -> Node:
        node = self._permutation()
        if self._next:
            raise unreadable(self._template, self._place, f"{self._next!r} closes no bracket")
        return node

    @property
    def _next(self) -> str:
        return self._tokens[self._at]

    def _permutation(self) -> Node:
        parts = self._separated(";", self._choice)
        return parts[0] if len(parts) == 1 else Node(kind="permutation", parts=parts)

    def _choice(self) -> Node:
        parts = self._separated("|", self._sequence)
        return parts[0] if len(parts) == 1 else Node(kind="choice", parts=parts)

    def _separated(self, separator: str, read: Callable[[], Node]) -> tuple[Node, ...]:
        parts = [read()]
        while self._next == separator:
            self._at += 1
            parts.append(read())
        return tuple(parts)

    def _sequence(self) -> Node:
        parts: list[Node] = []
        while self._next not in _ENDS:
            parts.append(self._part())
        return Node(kind="sequence", parts=tuple(parts))

    def _part(self) -> Node:
        token = self._next
        self._at += 1
        if token in _CLOSING:
            return self._bracket(token)
        if token[0] == "<":
            return Node(kind="rule", word=token[1:-1])
        if token[0] == "{":
            return Node(kind="list", word=token[1:-1].split(":")[0])
        return Node(kind="text", word=token)

    def _bracket(self, opening: str) -> Node:
        inner = self._permutation()
        if self._next != _CLOSING[opening]:
            raise unreadable(self._template, self._place, f"a {opening!r} is never closed")
        self._at += 1
        if opening == "(":
            return inner
        parts = inner.parts if inner.kind == "choice" else (inner,)
        return Node(kind="choice", parts=(*parts, Node(kind="text")))
