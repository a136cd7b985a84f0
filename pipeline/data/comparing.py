"""Comparing a task's sets: what stands in two of them is counted, and removed from the one that is trained on."""

import itertools
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from pipeline.config.schema import TEXTS, Task, TextField
from pipeline.data import duplicates
from pipeline.data.example_table import ExampleTable
from pipeline.data.sets import LabelledSet, Overlap, Repeats
from pipeline.errors import DataError
from pipeline.tasks import columns, inputs, kind


@dataclass(frozen=True, kw_only=True)
class Compared:
    """What was counted when sets were compared; keys as in DataReport."""

    overlaps: dict[str, Overlap] = field(default_factory=dict)
    removed: dict[str, int] = field(default_factory=dict)
    known_halves: dict[str, int] = field(default_factory=dict)
    hashed: dict[str, int] = field(default_factory=dict)  # rows of the sets whose near-duplicates were hashed


def keyed(sets: dict[str, LabelledSet], task: Task) -> dict[str, LabelledSet]:
    """The sets with the keys of their texts, so that these are made once for all comparisons."""
    return {name: replace(rows, keys=_keys(rows, task)) for name, rows in sets.items()}


def repeats(sets: Sequence[LabelledSet], task: Task) -> Repeats:
    """Counts the rows that repeat an earlier one of any of these sets."""
    keys = np.concatenate([_keys(rows, task) for rows in sets])
    return duplicates.repeats(keys, [label for rows in sets for label in _labels(rows, task)])


def apart(given: dict[str, LabelledSet], task: Task, done: Compared) -> LabelledSet:
    """The training rows whose group stands in no separate validation or test set; counts the others in `done`.

    This comes before sets are drawn from them, else what is drawn could fall victim to it as a whole.

    Raises:
        DataError: none is left.
    """
    rows = given["train"]
    held = [name for name in given if name != "train"] if rows.groups is not None else []
    shared = {name: _of_same_group(rows, given[name]) for name in held}
    for name, repeated in shared.items():
        done.overlaps[f"train/{name}"] = Overlap(grouped=int(repeated.sum()))
    return _without(np.any([*shared.values()], axis=0), rows, "train", held, task, done) if held else rows


def compare(sets: dict[str, LabelledSet], task: Task, done: Compared) -> dict[str, LabelledSet]:
    """Compares validation with all test sets and train with all other sets, and counts what stands in them in `done`.

    Returns:
        The sets without repeated texts, unless `task.deduplicate` is false, and without rows of a group that stands in
        the other set.

    Raises:
        DataError: no row of validation or train would be left.
    """
    left = dict(sets)
    held = [name for name in sets if name != "train"]
    for pool, against in [("validation", [n for n in held if n != "validation"]), ("train", held)]:
        left[pool] = _freed(pool, against, left, task, done)
    if len(inputs(kind(task.kind))) > 1:
        for name in held:
            known = duplicates.known_halves(_read(task, left["train"]), _read(task, left[name]))
            done.known_halves[name] = int(known.sum())
    return left


def compare_with(rows: LabelledSet, name: str, trained: dict[str, LabelledSet], task: Task, done: Compared) -> None:
    """Count in `done` the rows of each set in `trained` that also stand in the set `name`; no set is changed."""
    for pool, other in trained.items():
        _shared(pool, other, {name: rows}, task, done)
    if len(inputs(kind(task.kind))) > 1:
        done.known_halves[name] = int(duplicates.known_halves(_read(task, trained["train"]), _read(task, rows)).sum())


def _freed(pool: str, against: list[str], sets: dict[str, LabelledSet], task: Task, done: Compared) -> LabelledSet:
    rows = sets[pool]
    shared = _shared(pool, rows, {name: sets[name] for name in against}, task, done)
    out = [grouped | repeated if task.deduplicate else grouped for repeated, grouped in shared]
    return _without(np.any(out, axis=0), rows, pool, against, task, done)


def _shared(
    pool: str, rows: LabelledSet, others: dict[str, LabelledSet], task: Task, done: Compared
) -> list[tuple[np.ndarray, np.ndarray]]:
    """For each other set whether rows repeat one of it, and whether they share its groups, bool [N] each; counted."""
    every = duplicates.overlaps(_labelled(task, rows), [_labelled(task, other) for other in others.values()])
    shared = []
    for (name, other), alike in zip(others.items(), every, strict=True):
        key, grouped = f"{pool}/{name}", _of_same_group(rows, other)
        done.overlaps[key] = Overlap(
            exact=int(alike.exact.sum()),
            folded=int(alike.folded.sum()),
            near=int(alike.near.sum()),
            relabelled=int(alike.relabelled.sum()),
            grouped=int(grouped.sum()) + done.overlaps.get(key, Overlap()).grouped,
        )
        if alike.hashed:
            done.hashed[name] = len(other)
        shared.append((alike.repeated, grouped))
    return shared


def _labelled(task: Task, rows: LabelledSet) -> duplicates.Labelled:
    return duplicates.Labelled(texts=_read(task, rows), labels=_labels(rows, task), keys=_keys(rows, task))


def _keys(rows: LabelledSet, task: Task) -> np.ndarray:
    return duplicates.keys_of(_read(task, rows)) if rows.keys is None else rows.keys


def _without(
    out: np.ndarray, rows: LabelledSet, pool: str, against: list[str], task: Task, done: Compared
) -> LabelledSet:
    done.removed[pool] = done.removed.get(pool, 0) + int(out.sum())
    if out.all():
        groups = f", or its group does (column {task.data.group!r})" if task.data.group else ""
        raise DataError(
            f"Every row of the {pool} set also stands in {' or '.join(against)}{groups}, so none is left. "
            f"Give sets that differ, or leave task.data.test and task.data.validation out to have them drawn."
        )
    return rows.take(~out)


def _of_same_group(rows: LabelledSet, other: LabelledSet) -> np.ndarray:
    if rows.groups is None or other.groups is None:
        return np.zeros(len(rows), dtype=bool)
    held = frozenset(other.groups)
    return np.array([group in held for group in rows.groups], dtype=bool)


@dataclass(frozen=True)
class _Texts:
    """The texts of examples, read from their table at each pass."""

    examples: tuple[ExampleTable, ...]
    fields: tuple[TextField, ...]

    def __iter__(self) -> Iterator[duplicates.Texts]:
        for table in itertools.chain.from_iterable(examples.tables() for examples in self.examples):
            yield from zip(*(_column(table, name) for name in self.fields), strict=True)


def _column(table: Any, name: str) -> list[str]:
    there = name in table.column_names
    return [text or "" for text in table.column(name).to_pylist()] if there else [""] * len(table)


def _read(task: Task, *sets: LabelledSet) -> _Texts:
    """The texts of each example that a network is given, and must not have been trained on.

    The columns decide, so that pretraining on a task's text, whatever its objective, keeps the rows of that task.
    """
    named, target = columns(task.data), kind(task.kind).target
    fields = tuple(name for name in TEXTS if named[name] is not None and name != target)
    return _Texts(tuple(rows.examples for rows in sets), fields)


def _labels(rows: LabelledSet, task: Task) -> Sequence[Hashable]:
    """The class or classes of each row. A number or a text to be written can differ where a text is the same."""
    if kind(task.kind).target == "labels":
        return [frozenset(example.labels) for example in rows.examples]
    return [int(number) for number in rows.labels]
