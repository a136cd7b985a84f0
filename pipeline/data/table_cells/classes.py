"""The classes of a task: which spellings in the data are one class, and how it is called."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.data.example_table import mapped
from pipeline.data.table_cells.columns import Wanted
from pipeline.data.table_cells.reading import Reading
from pipeline.data.table_cells.spelling import DOUBTFUL, class_key, shown
from pipeline.errors import DataError, nearest
from pipeline.language import Sentence, first_of, said

_LISTED = 5  # spellings or classes that a sentence names


@dataclass(frozen=True, kw_only=True)
class Classes:
    """The classes of a training set: `names` in order, and the name of each value that occurs, "" to leave it out."""

    names: tuple[str, ...]
    of: Mapping[str, str]

    def name(self, value: str | None) -> str | None:
        """The name of a value; of one that training lacks, its class's if it is one of these in another spelling."""
        if value is None:
            return None
        if value not in self.of:
            return alike(value, self.names) or value
        return self.of[value] or None


def classes_of(counts: Mapping[str, int], ask: Wanted) -> Classes:
    """The classes, in the order of their values (by number where all are whole numbers).

    Values that differ in nothing but spelling are one class, which is called as most rows have it. A value that
    `label_names` renames is called so, and is the same class as others of this name alone.

    Args:
        counts: rows of each value.
        ask: names instead of values.

    Raises:
        DataError: a value that is to be renamed does not occur.
    """
    given, groups = dict(ask.names), _grouped(counts)
    _check_renamed(given, groups, counts, ask)
    asked = {key: {given[value] for value in values} for key, values in _grouped(given).items()}
    of: dict[str, str] = {}
    for key, group in groups.items():
        most = max((v for v in group if v not in given), key=lambda v: counts[v], default="")
        shared = next(iter(asked[key])) if len(asked.get(key, ())) == 1 else most
        of |= {value: given.get(value, shared) for value in group}
    firsts = {max(group, key=lambda value: counts[value]): group for group in groups.values()}
    whole = all(v.removeprefix("-").isdecimal() and v.isascii() for v in firsts)
    ordered = [value for first in (sorted(firsts, key=int) if whole else sorted(firsts)) for value in firsts[first]]
    return Classes(names=tuple(dict.fromkeys(of[value] for value in ordered if of[value])), of=of)


def alike(value: str, names: Iterable[str]) -> str | None:
    """The only one of these names that differs from the value in nothing but spelling, if there is one."""
    key = class_key(value)
    matching = [name for name in names if class_key(name) == key]
    return matching[0] if len(matching) == 1 else None


def renamed(table: Any, name: Any) -> Any:
    """The examples with each label as the function `name` calls it; None leaves it out."""
    import pyarrow as pa

    kinds = {"label": pa.string(), "labels": pa.list_(pa.string())}
    for column in kinds.keys() & set(table.column_names):
        old = table.column(column)
        new = mapped(old, name, kinds[column]) if column == "label" else _lists_renamed(old, name)
        table = table.set_column(table.column_names.index(column), column, new)
    return table


def aligned(table: Any, names: Sequence[str]) -> Any:
    """The examples of another source, with its labels as these classes are called."""
    known = {name: name for name in names}
    return renamed(table, lambda value: known.get(value) or alike(value, names) or value)


def counted(table: Any) -> Counter[str]:
    """How many examples have each label."""
    counts: Counter[str] = Counter()
    for column in {"label", "labels"} & set(table.column_names):
        values = table.column(column)
        values = values if column == "label" else _flat(values)
        counts.update({str(c["values"]): c["counts"] for c in values.drop_null().value_counts().to_pylist()})
    return counts


def cells_of(rows: Iterable[Any], read_in: Iterable[Any], ask: Wanted) -> Counter[str | None]:
    """How often each label is spelt so: as it stands in its column, or of several in a cell as it was read there."""
    counts: Counter[str | None] = Counter()
    if "label" in ask.fields:
        for table in rows:
            cells = table.column(ask.fields["label"]).value_counts().to_pylist()
            counts.update({cell["values"]: cell["counts"] for cell in cells})
    for table in read_in if "labels" in ask.fields else ():
        counts.update(counted(table))
    return counts


def spellings(cells: Mapping[str | None, int], ask: Wanted, reading: Reading, classes: Classes) -> list[Sentence]:
    """Sentences about classes that are spelt in several ways, about labels that are missing and that may be."""
    ways: dict[str | None, dict[str, int]] = {}
    for cell, count in cells.items():
        ways.setdefault(classes.name(reading.label(cell)), {})[cell or ""] = count
    missing = ways.pop(None, {})
    kept = {value for value, _ in ask.names}
    several = {name: {w: n for w, n in of.items() if reading.label(w) not in kept} for name, of in ways.items()}
    lines = [
        said("Class {name} is spelt in {number} ways: {ways}.", name=shown(str(name)), number=len(of), ways=_listed(of))
        for name, of in several.items()
        if len(of) > 1
    ]
    if missing and "label" in ask.fields:
        form = "Rows without a label: {rows:,}, namely {ways}."
        lines.append(said(form, rows=sum(missing.values()), ways=_listed(missing)))
    lines += [
        said(
            "{shown} ({rows:,} rows) is read as a class. If it stands for a missing label, leave it out with "
            "'+{field}.label_names.{name}='.",
            shown=repr(name),
            rows=sum(of.values()),
            field=ask.field,
            name=name,
        )
        for name, of in ways.items()
        if name is not None and name.casefold() in DOUBTFUL and name not in kept
    ]
    return lines


def _grouped(values: Iterable[str]) -> dict[str, list[str]]:
    """The values of each class, in order."""
    groups: dict[str, list[str]] = {}
    for value in sorted(values):
        groups.setdefault(class_key(value), []).append(value)
    return groups


def _check_renamed(given: Iterable[str], groups: Mapping[str, Any], counts: Mapping[str, int], ask: Wanted) -> None:
    for value in given:
        if class_key(value) not in groups:
            raise DataError(
                f"{ask.field}.label_names renames {value!r}, which is no value of column {ask.classes!r}. "
                f"{nearest(value, sorted(counts)[:30])}"
            )


def _lists_renamed(column: Any, name: Any) -> Any:
    import pyarrow as pa

    kind, known = pa.list_(pa.string()), dict[str, str | None]()

    def labels(values: list[str] | None) -> list[str]:
        for value in values or ():
            if value not in known:
                known[value] = name(value)
        return [new for new in (known[value] for value in values or ()) if new is not None]

    return pa.chunked_array([pa.array([labels(v) for v in c.to_pylist()], kind) for c in column.chunks], kind)


def _flat(column: Any) -> Any:
    import pyarrow as pa

    return pa.chunked_array([chunk.flatten() for chunk in column.chunks], pa.string())


def _listed(ways: Mapping[str, int]) -> Sentence:
    most = sorted(ways, key=lambda way: (-ways[way], way))
    named = [said("{name} ({rows:,})", name=shown(way) if way else said("empty"), rows=ways[way]) for way in most]
    return first_of(named, _LISTED)
