"""What the columns of somebody's table are: the text, the label or labels, a second text, a group, a language.

Only what stands in a table's cells and headings decides. Where two columns could be the text, or the label, and neither
is clearly the likelier, none is taken: the caller asks.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipeline.data.recognise import headings
from pipeline.data.recognise.column import Cells, Column
from pipeline.data.recognise.targets import Target, target_of, targets

CLEARLY = 2  # times as likely as the next one
_COMPARED = 200  # rows, for whether two columns hold the same words
_NUMBERED = re.compile(r"(1|2|a|b|left|right|first|second)$")


@dataclass(frozen=True, kw_only=True)
class Roles:
    """The columns that a study needs, by heading, and the others that could be the text or the label, likeliest first.

    No text although there are `texts`, or no target although there are `others`: it is open which of them is meant.
    """

    text: str | None = None
    second: str | None = None
    label: str | None = None
    labels: str | None = None  # a column of lists, or several columns of 0 and 1, joined by ";"
    score: str | None = None
    group: str | None = None
    language: str | None = None
    split: str | None = None  # names of sets, which are not used
    texts: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    @property
    def target(self) -> str | None:
        """The column or columns to be predicted."""
        return self.label or self.labels or self.score


def roles_of(columns: Mapping[str, Cells], *, text: str | None = None, label: str | None = None) -> Roles:
    """What each column is.

    Args:
        columns: cells by heading; a few thousand rows will do.
        text: the column of texts, if it is known.
        label: the column of labels, or several of 0 and 1, joined by ";", if it is known.
    """
    every = [Column(name, cells) for name, cells in columns.items()]
    named = named_columns(label, columns)
    read, rivals = _texts(every, text, named)
    if not read:
        return Roles(texts=tuple(c.name for c in rivals))
    rest = [c for c in every if c not in read and c.name not in named]
    group, language = _group(rest), next((c for c in rest if c.is_language), None)
    split = next((c for c in rest if c.is_split), None)
    known = [c for c in every if c.name in named]
    free = [c for c in rest if c not in (group, language, split)]
    paired = len(read) > 1
    chosen, others = _chosen(
        [target_of(known, paired=paired)] if known else targets(free, _joined(read), paired=paired)
    )
    return Roles(
        text=read[0].name,
        second=read[1].name if paired else None,
        label=chosen.name if chosen and chosen.role == "label" else None,
        labels=chosen.name if chosen and chosen.role == "labels" else None,
        score=chosen.name if chosen and chosen.role == "score" else None,
        group=group.name if group else None,
        language=language.name if language else None,
        split=split.name if split else None,
        texts=tuple(c.name for c in rivals),
        others=tuple(target.name for target in others),
    )


def named_columns(label: str | None, columns: Iterable[str]) -> list[str]:
    """The columns that a label names: one, or several joined by ";"."""
    if label is None:
        return []
    return [label] if label in columns else label.split(";")


def _chosen(found: Sequence[Target]) -> tuple[Target | None, Sequence[Target]]:
    """The target that is clearly the likeliest, and the others; none if the next one is nearly as likely."""
    if len(found) > 1 and found[0].weight < CLEARLY * found[1].weight:
        return None, found
    return next(iter(found), None), found[1:]


def _texts(every: Sequence[Column], text: str | None, named: Sequence[str]) -> tuple[list[Column], list[Column]]:
    """The text, or both of a pair, in the table's order; and what else could be the text. None if that is open."""
    prose = sorted((c for c in every if c.is_prose and c.name not in named), key=_as_text, reverse=True)
    known = [c for c in every if c.name == text]
    first = next(iter(known or prose), None)
    if first is None:
        return [], []
    others = [c for c in prose if c is not first]
    second = next((c for c in others if _are_called_a_pair(first, c)), None)
    rivals = [c for c in others if not _hold_the_same(first, c)]
    if second is None and not known and len(rivals) == 1 and _are_equals(first, rivals[0]):
        second = rivals[0]
    if second is not None:
        pair = [first, second]
        return pair if known else sorted(pair, key=every.index), []
    is_open = rivals and not known and _as_text(first) < CLEARLY * _as_text(rivals[0])
    return ([], [first, *rivals]) if is_open else ([first], rivals)


def _as_text(column: Column) -> float:
    """How much a column of prose looks like the text: long, different in each row, called so."""
    called = 4.0 if column.called(headings.TEXT) else 1.0
    return min(column.length, 400.0) * column.different * called * (1 - column.lacking)


def _are_called_a_pair(one: Column, other: Column) -> bool:
    """Whether headings are the same but for a number or letter, or usual counterparts."""
    left, right = "".join(one.words), "".join(other.words)
    numbered = _NUMBERED.sub("", left)
    if numbered and left != right and numbered == _NUMBERED.sub("", right):
        return True
    return any({a, b} == {_any_of(one, (a, b)), _any_of(other, (a, b))} for a, b in headings.PAIRS)


def _any_of(column: Column, names: Sequence[str]) -> str | None:
    return next((word for word in column.words if word in names), None)


def _are_equals(one: Column, other: Column) -> bool:
    """Whether two texts stand in every row, about as long, and neither is called the text."""
    whole = max(one.lacking, other.lacking) < 0.1
    shorter, longer = sorted((one.length, other.length))
    return whole and longer < 2 * shorter and not (one.called(headings.TEXT) or other.called(headings.TEXT))


def _hold_the_same(one: Column, other: Column) -> bool:
    """Whether the words of one column's texts stand in the other's: a title, a clipped or a cleaned copy."""
    rows = list(zip(one.cells, other.cells, strict=True))[:_COMPARED]
    words = [sorted((set(_words(a)), set(_words(b))), key=len) for a, b in rows if a and b]
    return sum(len(fewer & more) >= 0.8 * len(fewer) for fewer, more in words) > 0.8 * len(words)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def _group(columns: Sequence[Column]) -> Column | None:
    """The column by which rows belong together: one that is called so, else the identifier with the most values."""
    groups = [c for c in columns if c.is_group]
    called = [c for c in groups if c.called(headings.GROUP)]
    return next(iter(called), max(groups, key=lambda c: len(c.counts), default=None))


def _joined(read: Sequence[Column]) -> list[str | None]:
    """The text of each row, both of a pair one after the other."""
    return [" ".join(filter(None, cells)) for cells in zip(*(c.cells for c in read), strict=True)]
