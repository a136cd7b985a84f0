"""The columns that a task asks for, found in a table by name."""

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipeline.config.schema import Data, Field
from pipeline.data.table_cells.spelling import bare, label_value
from pipeline.errors import DataError, nearest
from pipeline.tasks import columns

_SHOWN = 30  # names of columns that a message lists
_LONG = 40  # characters of each


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The columns that a task asks for; `field` is the setting they come from, such as "task.data"."""

    fields: dict[Field, str]  # the column of each field of an example
    field: str
    where: dict[str, str] = dataclasses.field(default_factory=dict)
    group: str | None = None  # None where rows are held out one by one
    time: str | None = None  # None where rows have no time
    scale: tuple[float, ...] = (0.0, 1.0)
    separator: str = ";"  # between labels that stand in one cell, and between columns that stand for one label each
    pattern: str | None = None  # of each label in a cell instead
    names: tuple[tuple[str, str], ...] = ()  # of labels, instead of what stands there
    settings: dict[Field, str] = dataclasses.field(default_factory=dict)  # of columns, if not called like the field

    @property
    def columns(self) -> tuple[str, ...]:
        """Each column once."""
        return tuple(dict.fromkeys(column for _, column in self._asked))

    @property
    def classes(self) -> str | None:
        """The column of classes, whether an example has one or several."""
        return self.fields.get("label") or self.fields.get("labels")

    @property
    def indicators(self) -> tuple[str, ...]:
        """The columns that stand for one label each, "toxic;insult;threat"; empty where one column holds the labels."""
        listed = self.fields.get("labels", "")
        parts = tuple(part.strip() for part in listed.split(self.separator)) if self.separator in listed else ()
        return tuple(dict.fromkeys(part for part in parts if part))

    @property
    def _asked(self) -> list[tuple[str, str]]:
        """Each setting that asks for a column, and the column."""
        asked = []
        for name, column in self.fields.items():
            several = self.indicators if name == "labels" else ()
            asked += [(self.settings.get(name, f"{self.field}.{name}"), each) for each in several or (column,)]
        asked += [(f"{self.field}.group", self.group)] if self.group else []
        asked += [(f"{self.field}.time", self.time)] if self.time else []
        return asked + [(f"{self.field}.where.{column}", column) for column in self.where]

    def check(self, available: Iterable[str], place: str) -> None:
        """Refuse a table without the wanted columns.

        Raises:
            DataError: all missing columns at once, each with the setting that asks for it and the nearest name.
        """
        names = list(available)
        self._refuse([(s, column) for s, column in self._asked if column not in names], names, place)

    def located(self, names: Sequence[str], place: str, *, heading: bool = False) -> dict[str, int]:
        """The position of each wanted column among `names`, whatever their blanks, Unicode form and case.

        Args:
            names: of the table's columns.
            place: what the table is called.
            heading: whether they are its first line.

        Raises:
            DataError: as `check`, or a wanted column stands there twice.
        """
        positions = {column: _positions(column, names) for column in self.columns}
        why = "" if any(positions.values()) or not heading else "Its first line must name the columns. "
        self._refuse([(s, column) for s, column in self._asked if not positions[column]], names, place, why)
        for setting, column in self._asked:
            if len(positions[column]) > 1:
                raise DataError(
                    f"{setting}={column} must be one column, but {place} has {len(positions[column])} that are called "
                    f"so: {', '.join(repr(names[at]) for at in positions[column])}. Rename all but "
                    "one of them in the file."
                )
        return {column: at for column, (at,) in positions.items()}

    def _refuse(self, absent: list[tuple[str, str]], names: Sequence[str], place: str, why: str = "") -> None:
        if not absent:
            return
        short = [f"{name[:_LONG]}…" if len(name) > _LONG else name for name in names]
        listed = [*short[:_SHOWN], *([f"{len(short) - _SHOWN} more"] if len(short) > _SHOWN else [])]
        lines = [f"{s} asks for a column {c!r}, but {place} has none. {nearest(c, listed)}" for s, c in absent]
        raise DataError("\n".join([*lines, f"{why}Set {absent[0][0]}=COLUMN."]))


def wanted(data: Data, field: str) -> Wanted:
    """The columns that `data` asks for."""
    return Wanted(
        fields={name: column for name, column in columns(data).items() if column},
        scale=data.scale,
        group=data.group,
        time=data.time,
        separator=data.separator,
        pattern=data.label_pattern,
        names=tuple((label_value(value) or value, name) for value, name in data.label_names.items()),
        where=dict(data.where),
        field=field,
    )


def _positions(column: str, names: Sequence[str]) -> list[int]:
    """Where a column stands: under this very name, or else under it in another case."""
    asked = bare(column)
    same = [at for at, name in enumerate(names) if bare(name) == asked]
    return same or [at for at, name in enumerate(names) if bare(name).casefold() == asked.casefold()]
