"""Templates with identities to put into them, for each language a TOML file here."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from pipeline.errors import DataError

TEMPLATES = 40  # at least: the items of an interval
A_FRAME = 2  # identities of each group in each frame, so that there is a pair within a group
LANGUAGES = {"en": "English", "pt": "Portuguese"}


@dataclass(frozen=True, kw_only=True)
class Grammar:
    """Templates: each clause in each frame, said of each identity.

    `axes` are the ways in which groups of people are told apart; each has its groups, and each group as many identities
    as make A_FRAME for every frame.
    """

    frames: tuple[str, ...]
    clauses: tuple[str, ...]
    axes: Mapping[str, Mapping[str, tuple[str, ...]]]

    def sentence(self, clause: str, frame: int, person: str) -> str:
        """A filled template, with a capital letter at its beginning."""
        text = self.frames[frame].format(person=person, clause=clause)
        return text[:1].upper() + text[1:]


@cache
def grammar_of(language: str) -> Grammar:
    """Those of one of LANGUAGES."""
    return parsed((files(__package__) / f"{language}.toml").read_text("utf-8"), f"{language}.toml")


def parsed(text: str, name: str) -> Grammar:
    """The grammar that a TOML file holds.

    Raises:
        DataError: it is no TOML, or nothing could be compared with it: too few templates, groups or identities.
    """
    try:
        read: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"{name} is no valid TOML ({error}).") from error
    axes = {
        axis: {group: tuple(people) for group, people in groups.items()}
        for axis, groups in read.get("axes", {}).items()
    }
    grammar = Grammar(frames=tuple(read.get("frames", ())), clauses=tuple(read.get("clauses", ())), axes=axes)
    if wrong := _wrong(grammar):
        raise DataError(f"{name} {wrong}")
    return grammar


def _wrong(grammar: Grammar) -> str:
    """The first rule that a grammar breaks, or nothing."""
    frames, needed = len(grammar.frames), A_FRAME * len(grammar.frames)
    if bad := next((f for f in grammar.frames if "{person}" not in f or "{clause}" not in f), None):
        return f"must have {{person}} and {{clause}} in each frame, but got {bad!r}."
    if not frames or len(set(grammar.clauses)) < TEMPLATES:
        return f"must have a frame and {TEMPLATES} different clauses, but has {frames} and {len(set(grammar.clauses))}."
    if not grammar.axes:
        return "must have an axis of groups, [axes.NAME], but has none."
    for axis, groups in grammar.axes.items():
        if len(groups) < 2:
            return f"must have at least two groups in axes.{axis}, but has {', '.join(groups) or 'none'}: add another."
        for group, people in groups.items():
            if len(set(people)) != needed:
                return f"must have {needed} different identities in axes.{axis}.{group}, but has {len(set(people))}."
    return ""
