"""The parts a report is made of, as text and panels; `page.py` and `markdown.py` set them."""

import functools
import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from pipeline.language import nouns, tr, translated_sentence
from pipeline.records import Estimate, Findings
from pipeline.report.figures.panel import Panel
from pipeline.report.wording import count, plain, size_name

T = TypeVar("T")


@dataclass(frozen=True)
class Marked:
    """A part of a text and how strongly it speaks for something, from 1 to -1, which is against it."""

    text: str
    weight: float


@dataclass(frozen=True)
class Entry:
    """One field of a table: its text, a smaller line under it, and the arm whose mark stands before it.

    In place of its text it may have `marks`, parts of a text that are highlighted.
    """

    text: str
    sub: str = ""
    arm: str = ""
    strong: bool = False
    marks: tuple[Marked, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table; its first `names` columns hold words and stand left, the others numbers and stand right.

    `inline` sets an entry's smaller text beside it, `tall` lets the table scroll within itself, `wrap` breaks the lines
    of all its entries, for columns of sentences.
    """

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[Entry, ...], ...]
    names: int = 1
    inline: bool = False
    tall: bool = False
    wrap: bool = False


@dataclass(frozen=True)
class Column(Generic[T]):
    """A column of a table: its heading, and what stands in it for each row. Leading columns of words stand left."""

    title: str
    cell: Callable[[T], Entry | str]
    words: bool = False


def table(
    rows: Iterable[T],
    columns: Sequence[Column[T]],
    *,
    caption: str = "",
    inline: bool = False,
    tall: bool = False,
    wrap: bool = False,
) -> Table:
    """The table of `rows`; see Table."""
    fields = tuple(tuple(_entry(column.cell(row)) for column in columns) for row in rows)
    words = len(list(itertools.takewhile(lambda column: column.words, columns)))
    header = tuple(column.title for column in columns)
    return Table(caption=caption, header=header, rows=fields, names=words, inline=inline, tall=tall, wrap=wrap)


def _entry(field: Entry | str) -> Entry:
    return Entry(field) if isinstance(field, str) else field


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of the report. `facts` are pairs of a name and its value, `code` is a command shown as it is typed."""

    anchor: str
    title: str
    lead: str = ""
    panels: tuple[Panel, ...] = ()
    caption: str = ""
    tables: tuple[Table, ...] = ()
    bullets: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    code: str = ""


def cut(sentences: Sequence[str], most: int = 60) -> tuple[str, ...]:
    """The sentences on one line each; past `most`, how many more there are."""
    shown = [plain(translated_sentence(s), 600) for s in sentences[:most]]
    more = [tr("… and {number} more.", number=count(len(sentences) - most))] if len(sentences) > most else []
    return (*shown, *more)


def notes(estimates: Iterable[Estimate]) -> tuple[str, ...]:
    """The conditions under which the intervals hold, each said once."""
    parts = map(translated_sentence, dict.fromkeys(note for e in estimates for note in e.notes))
    return cut([f"{part[:1].upper()}{part[1:]}." for part in parts], 12)


def size_entry(findings: Findings, size: int | str) -> Entry:
    """A train size as the first field of a row; "all" with its number of labels."""
    known = [s.train_items for s in findings.scores if s.size == size]
    return Entry(size_name(size), "" if isinstance(size, int) or not known else count(known[0]))


def by_size(
    findings: Findings, columns: Sequence[str], cell: Callable[[int | str, str], Entry], *, caption: str
) -> Table:
    """A table with a row for each train size; `cell` gives what stands at a size in one of the columns."""
    across = [Column[int | str](name, functools.partial(_at, cell, name)) for name in columns]
    sizes = Column[int | str](nouns(findings.counted), lambda size: size_entry(findings, size), words=True)
    return table(findings.sizes, [sizes, *across], caption=caption)


def _at(cell: Callable[[int | str, str], Entry], name: str, size: int | str) -> Entry:
    return cell(size, name)


def arm_entry(arm: str) -> Entry:
    """An arm's name with its mark."""
    return Entry(plain(arm, 40), arm=arm)
