r"""How a table of text is written: what stands between its fields and around them, found from its first line.

Beside RFC 4180 (commas, double quotes, "" for one inside) there are semicolons, tabs and bars; Excel's first line
`sep=;`; single quotes; blanks behind the separator; and a backslash before a quote, as Spark and MySQL write it.
"""

import csv
import io
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from pipeline.data.table_cells.columns import Wanted
from pipeline.data.table_cells.spelling import bare

SEPARATORS = (",", ";", "\t", "|")
Quote = Literal['"', "'"]
_DECLARED = re.compile(r'"?sep=(\\t|[^\w\\"\' ])"?[,;|\t]*', re.IGNORECASE)
_QUOTED_BEHIND_BLANKS = re.compile(r' +"[^"]*" *')
HEAD = 1 << 16  # bytes in which the first line is looked for
_ESCAPED = re.compile(r'\\(\\(?="[,;|\t\r\n]|"\Z)|")')


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """The separator, the quote (None: quotes stand for themselves), and how many lines come before the heading."""

    separator: str
    quote: Quote | None = '"'
    spaced: bool = False  # blanks behind a separator do not belong to the field
    escaped: bool = False  # a quote inside quotes has a backslash before it
    before: int = 0

    @property
    def standard(self) -> bool:
        """Whether Arrow reads it."""
        return self.quote != "'" and not self.spaced and not self.escaped

    def rows(self, text: str) -> "Fields":
        """The fields of each line of a table, its heading first."""
        return self.fields(io.StringIO(text, newline=""))

    def fields(self, lines: Iterable[str]) -> "Fields":
        """The same of lines with their ends, of which a carriage return alone is one as well."""
        return Fields(lines, self)

    def others(self, text: str, *, bare_quotes: bool) -> Iterator["Dialect"]:
        """This one, and those in which a table may be written that cannot be read in it."""
        yield self
        if self.spaced or f"{self.separator} " in text:
            yield replace(self, spaced=not self.spaced)
        if self.quote == '"' and '\\"' in text:
            yield replace(self, escaped=True)
        if bare_quotes and self.quote:
            yield replace(self, quote=None)


class Fields:
    """An iterator over the fields of each line; `line` is where the last one begins."""

    def __init__(self, lines: Iterable[str], dialect: Dialect) -> None:
        below = itertools.islice(lines, dialect.before, None)
        how = csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE
        self._reader = csv.reader(
            map(_unescaped, below) if dialect.escaped else below,
            delimiter=dialect.separator,
            quotechar=dialect.quote or '"',
            quoting=how,  # type: ignore[arg-type]
            skipinitialspace=dialect.spaced,
            strict=True,
        )
        self._before = dialect.before
        self.line = 1 + dialect.before

    def __iter__(self) -> "Fields":
        return self

    def __next__(self) -> list[str]:
        self.line = self._reader.line_num + 1 + self._before
        return next(self._reader)


def dialect_of(head: str, ask: Wanted, *, preferred: Sequence[str] = SEPARATORS) -> Dialect:
    """The dialect in which the heading has most of the wanted columns.

    Args:
        head: the beginning of the file.
        ask: the columns.
        preferred: separators, the likeliest first.
    """
    lines = re.split(r"\r\n|\r|\n", head)
    before = next((at for at, line in enumerate(lines) if bare(line)), 0)
    declared = _DECLARED.fullmatch(bare(lines[before]))
    if declared and before + 1 < len(lines):
        return _best(lines[before + 1 :], ask, ["\t" if declared[1] == "\\t" else declared[1]], before + 1)
    return _best(lines[before:], ask, preferred, before)


def beginning(data: bytes) -> str:
    """The first lines of a file as text, whatever its bytes."""
    return data[:HEAD].decode("utf-8-sig", errors="replace")


def _best(lines: Sequence[str], ask: Wanted, separators: Sequence[str], before: int) -> Dialect:
    quotes: tuple[tuple[Quote, bool], ...] = (('"', False), ('"', True), ("'", False), ("'", True))
    candidates = [
        Dialect(separator=separator, quote=quote, spaced=spaced, before=before)
        for separator in separators
        for quote, spaced in quotes
    ]
    best = max(candidates, key=lambda dialect: _fit(dialect, lines[0], ask))  # of equals the first
    fields = itertools.chain.from_iterable(csv.reader(lines[1:], delimiter=best.separator))
    return replace(best, spaced=True) if any(map(_QUOTED_BEHIND_BLANKS.fullmatch, fields)) else best


def _fit(dialect: Dialect, heading: str, ask: Wanted) -> tuple[int, bool, int]:
    try:
        names = next(replace(dialect, before=0).rows(heading), [])
    except csv.Error:  # a quote that is not closed on this line
        names = []
    there = {bare(name).casefold() for name in names}
    count = sum(bare(column).casefold() in there for column in ask.columns)
    usual = dialect.quote == '"' and not dialect.spaced
    return count, usual, len(names) if usual else 0


def _unescaped(line: str) -> str:
    return _ESCAPED.sub(lambda m: '""' if m[1] == '"' else "\\", line)
