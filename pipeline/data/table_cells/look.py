"""The last look at what was read: how many rows, which classes, and what was read otherwise than it is written."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pipeline.config.schema import Data
from pipeline.data.sets import LabelledSet
from pipeline.data.table_cells.several import numbers
from pipeline.language import Sentence, first_of, said

_NAMED = 10  # classes that a sentence names


def look(
    data: Data, sets: Mapping[str, LabelledSet], classes: Sequence[str], notes: Sequence[Sentence]
) -> tuple[Sentence, ...]:
    """Sentences for the terminal and the report.

    Args:
        data: where the rows come from.
        sets: the clean rows of train, validation and test as they were given.
        classes: of all examples; for tasks with several labels an example, these labels.
        notes: sentences of the readers.
    """
    rows = sum(len(numbered) for numbered in sets.values())
    if data.labels:
        numbered = [numbers(one, classes, place=f"the {name} set") for name, one in sets.items()]
        bare = sum(_without(table) for one in sets.values() for table in one.examples.tables())
        first = said(
            "{labels} labels in {rows:,} rows: {counts}; {bare:,} rows have none.",
            labels=len(classes),
            rows=rows,
            counts=_counts(numbered, classes),
            bare=bare,
        )
    elif data.label:
        counts = _counts([s.labels for s in sets.values()], classes)
        first = said("{classes} classes in {rows:,} rows: {counts}.", classes=len(classes), rows=rows, counts=counts)
    elif data.score:
        least, greatest = _range(data, sets)
        form = "{rows:,} rows with numbers from {least:g} to {greatest:g}."
        first = said(form, rows=rows, least=least, greatest=greatest)
    else:
        first = said("{rows:,} rows with a text.", rows=rows)
    return (first, *notes)


def _counts(numbered: Sequence[np.ndarray], classes: Sequence[str]) -> Sentence:
    counts = np.bincount(np.concatenate(numbered), minlength=len(classes)).tolist()
    named = [said("{name} ({rows:,})", name=name, rows=count) for name, count in zip(classes, counts, strict=True)]
    return first_of(named, _NAMED)


def _without(table: Any) -> int:
    """Examples without any label."""
    import pyarrow.compute as pc

    return int(np.sum(pc.list_value_length(table.column("labels")).to_numpy() == 0))


def _range(data: Data, sets: Mapping[str, LabelledSet]) -> tuple[float, float]:
    shares = [table.column("score").to_numpy() for one in sets.values() for table in one.examples.tables()]
    (low, high), every = data.scale, np.concatenate(shares)
    return low + float(every.min()) * (high - low), low + float(every.max()) * (high - low)
