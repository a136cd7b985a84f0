"""From rows as read to clean examples: nothing empty, nothing unlabelled, classes that can be learnt."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.config.schema import TEXTS, Data
from pipeline.data.example_table import ExampleTable
from pipeline.data.sets import LabelledSet, RawSet
from pipeline.errors import DataError, nearest
from pipeline.language import Sentence, Value, all_of, listed, said

LEAST = 2  # examples of each class in a split that is drawn, and in train
NAMED = 10  # classes that a message names


@dataclass(frozen=True, kw_only=True)
class Cleaned:
    """The clean rows, and how many had no text, no label, no group or no time; a row counts once, in this order."""

    rows: LabelledSet
    empty: int
    unlabelled: int
    ungrouped: int
    undated: int

    @property
    def dropped(self) -> int:
        """Rows that were left out."""
        return self.empty + self.unlabelled + self.ungrouped + self.undated


def clean(raw: RawSet, labels: tuple[str, ...], *, place: str) -> Cleaned:
    """The rows that have a text, a label and, if rows have these, a group and a time; classes as positions in `labels`.

    Raises:
        DataError: a label is not among `labels`, no row is left, or a text holds zero bytes.
    """
    lacking = raw.incomplete
    unlabelled = ~lacking & raw.lacks("label")
    ungrouped = ~lacking & ~unlabelled & raw.lacks("group")
    undated = ~(lacking | unlabelled | ungrouped) & raw.lacks("time")
    kept = np.flatnonzero(~(lacking | unlabelled | ungrouped | undated))
    if not len(kept):
        needed, have = ("a text and a label", "both")
        if ungrouped.any():
            needed, have = ("a text, a label and a group", "all three")
        elif undated.any():
            needed, have = ("a text, a label and a time", "all three")
        raise DataError(f"{place} must hold rows with {needed}, but none of {len(raw)} rows has {have}.")
    _check_intact(raw, kept, place)
    return Cleaned(
        rows=LabelledSet(
            examples=ExampleTable(raw.table, kept),
            labels=_numbers(raw, kept, labels, place),
            groups=_groups(raw, kept),
            years=_years(raw, kept),
        ),
        empty=int(lacking.sum()),
        unlabelled=int(unlabelled.sum()),
        ungrouped=int(ungrouped.sum()),
        undated=int(undated.sum()),
    )


def _numbers(raw: RawSet, kept: np.ndarray, labels: tuple[str, ...], place: str) -> np.ndarray:
    """The numbers of the rows' classes, int32 [len(kept)]; 0 where rows have none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if "label" not in raw.table.column_names:
        return np.zeros(len(kept), dtype=np.int32)
    values = raw.table.column("label").take(pa.array(kept))
    check_known(values.unique().to_pylist(), labels, place=place)
    return np.asarray(pc.index_in(values, value_set=pa.array(labels, pa.string())).to_numpy(), dtype=np.int32)


def _groups(raw: RawSet, kept: np.ndarray) -> tuple[str, ...] | None:
    import pyarrow as pa

    if "group" not in raw.table.column_names:
        return None
    return tuple(raw.table.column("group").take(pa.array(kept)).to_pylist())


def _years(raw: RawSet, kept: np.ndarray) -> np.ndarray | None:
    if "time" not in raw.table.column_names:
        return None
    return np.asarray(raw.table.column("time").to_numpy()[kept])


def _check_intact(raw: RawSet, kept: np.ndarray, place: str) -> None:
    import pyarrow.compute as pc

    texts = [raw.table.column(name) for name in TEXTS if name in raw.table.column_names]
    damaged = np.any([pc.match_substring(text, "\0").fill_null(False).to_numpy() for text in texts], axis=0)[kept]
    if damaged.any():
        raise DataError(
            f"{place} must be text, but row {int(damaged.argmax()) + 1} holds zero bytes: the file is damaged."
        )


def without(
    needed: Sentence,
    empty: int,
    unlabelled: int | None,
    ungrouped: int | None,
    undated: int | None = None,
    *,
    first: str = "{count:,} without {what}",
) -> Value:
    """Words for the rows that were dropped, "1 without text and 2 without label"; None where rows need none.

    `first` is the form of the first of them.
    """
    given = [(needed, empty), (said("label"), unlabelled), (said("group"), ungrouped), (said("time"), undated)]
    parts = [(what, count) for what, count in given if count is not None]
    forms = [first, *["{count:,} without {what}"] * 3]
    words = [said(form, count=count, what=what) for form, (what, count) in zip(forms, parts, strict=False)]
    return all_of([listed(words[:-1]), words[-1]] if words[1:] else words)


def check_known(labels: Iterable[str], classes: Sequence[str], *, place: str) -> None:
    """Refuse a label that training does not have.

    Raises:
        DataError: one is not among `classes`; the message names the nearest.
    """
    known = frozenset(classes)
    unknown = next((label for label in labels if label not in known), None)
    if unknown is not None:
        raise DataError(
            f"Every label of {place} must be a class of the training data, but {unknown!r} is not. "
            f"{nearest(unknown, classes)} Rename it with label_names, or keep other rows with where."
        )


def check_classes(raw: RawSet, *, column: str, field: str) -> None:
    """Refuse labels that cannot be classes.

    Raises:
        DataError: there is no class or one only, or the labels look like numbers to predict or an id.
    """
    import pyarrow as pa

    there = np.flatnonzero(~(raw.incomplete | raw.lacks("label")))
    counts, rows = raw.table.column("label").take(pa.array(there)).unique().to_pylist(), len(there)
    if not rows and len(raw) and not raw.incomplete.all():
        raise DataError(
            f"{field}.label must be a column with classes, but {column!r} is empty in every row that has a text. "
            f"Choose another column."
        )
    if len(counts) == 1 and rows:
        only = counts[0]
        raise DataError(
            f"{field}.label must have two classes at least, but column {column!r} holds {only!r} alone. "
            f"Choose another column, or other rows with {field}.where."
        )
    if rows > 2 and (len(counts) == rows or (len(counts) > 20 and 2 * len(counts) > rows)):
        raise DataError(
            f"{field}.label must be a class, but column {column!r} has {len(counts)} different values in {rows} rows: "
            f"it looks like an id or a number to predict. Set {field}.label to the column of the classes."
        )


def check_any_label(labels: Sequence[str], *, data: Data, field: str) -> None:
    """Refuse texts that have no label between them.

    Raises:
        DataError: the column is empty in every row, or the pattern of labels occurs in none.
    """
    if data.labels and data.label_pattern and not labels:
        raise DataError(
            f"{field}.label_pattern must match labels, but '{data.label_pattern}' occurs in no row of column "
            f"{data.labels!r}. A pattern is taken as it was typed: #(\\w+), with one backslash, matches #price."
        )
    if data.labels and not labels:
        raise DataError(
            f"{field}.labels must be a column with labels, but {data.labels!r} is empty in every row. "
            f"Choose another column."
        )


def check_counts(labels: np.ndarray, names: tuple[str, ...], *, least: int, place: str) -> None:
    """Refuse a class with fewer than `least` examples.

    Raises:
        DataError: such classes are named with their counts.
    """
    counts = np.bincount(labels, minlength=len(names))
    rare = [f"{name!r} has {count}" for name, count in zip(names, counts, strict=True) if count < least]
    if rare:
        named = ", ".join(rare[:NAMED]) + (
            f" and {len(rare) - NAMED} more classes have too few" if rare[NAMED:] else ""
        )
        raise DataError(
            f"Each class needs {least} examples at least in {place}, but {named}. "
            f"Add examples, merge classes with task.data.label_names, or leave them out with task.data.where."
        )
