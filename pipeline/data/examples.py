"""A task's examples: sources read and cleaned, validation and test set apart, train freed of what stands in them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from pipeline.config.schema import Data, Task
from pipeline.data.cleaning import LEAST, Cleaned, check_classes, check_counts, clean
from pipeline.data.duplicates import overlap, repeats
from pipeline.data.sets import RESERVED, LabelledSet, RawSplits
from pipeline.data.several import numbers
from pipeline.data.sources import read
from pipeline.data.splits import split, stratified_sample
from pipeline.errors import DataError
from pipeline.files import safe_name
from pipeline.tasks import PAIR, WritingKind, kind


@dataclass(kw_only=True)
class Counts:
    """What was found on the way; keys as in DataReport."""

    lacking: str = "text"  # what a row that was dropped is without, beside its label
    rows_read: int = 0
    empty: int = 0
    unlabelled: int = 0
    repeated: int = 0
    conflicting: int = 0
    exact: dict[str, int] = field(default_factory=dict)
    near: dict[str, int] = field(default_factory=dict)
    removed: dict[str, int] = field(default_factory=dict)
    sentences: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Examples:
    """The sets as they are trained and tested on, by name, train, validation and test first.

    `occurrences` are the numbers of the labels that occur in each, of all texts in one array.
    """

    labels: tuple[str, ...]
    occurrences: dict[str, np.ndarray]
    sets: dict[str, LabelledSet]
    counts: Counts


def examples(task: Task) -> Examples:
    """Read, clean, split and deduplicate the data of `task`.

    Raises:
        DataError: the data cannot serve the task; the message says why and what to do.
    """
    counts = Counts(lacking=_needed(task.data))
    raw = read(task.data, task_name=task.name)
    labels, sets = _in_domain(task, raw, counts)
    for name in sorted(task.out_of_domain):
        if name in RESERVED:
            raise DataError(f"An out-of-domain set cannot be called {name!r}: that is a set of its own. Rename it.")
        safe_name(name, "The name of an out-of-domain set")
        sets[name] = _out_of_domain(task, name, labels, counts)
    _compare(sets, task, counts)
    found = {name: rows.labels for name, rows in sets.items()}
    if task.data.labels:
        labels, found = raw.several, {n: numbers(s, raw.several, place=f"the {n} set") for n, s in sets.items()}
    check_counts(found["train"], labels, least=LEAST, place=f"the training rows of task {task.name!r}")
    return Examples(labels=labels, occurrences=found, sets=sets, counts=counts)


def _needed(data: Data) -> str:
    texts = "one of their two texts" if data.second else "text"
    return f"{texts} or their number" if data.score else texts


def _in_domain(task: Task, raw: RawSplits, counts: Counts) -> tuple[tuple[str, ...], dict[str, LabelledSet]]:
    if task.data.label is not None:
        check_classes(raw.train, column=task.data.label, field="task.data")
    kept = {v for t, v in zip(raw.train.texts, raw.train.labels, strict=True) if t is not None}
    labels = tuple(name for name in raw.labels if name in kept)
    given = _cleaned(raw, labels, task.name, counts)
    counts.sentences += raw.sentences
    counts.repeated, counts.conflicting = repeats(
        [t for rows in given.values() for t in _read(rows, task)],
        np.concatenate([rows.labels for rows in given.values()]),
    )
    sets = _held_out(given, labels, task, counts)
    for name in ("validation", "test"):
        absent = [label for i, label in enumerate(labels) if not (sets[name].labels == i).any()]
        if absent:
            counts.sentences.append(f"{name} holds no example of {', '.join(absent)}.")
    return labels, sets


def _cleaned(raw: RawSplits, labels: tuple[str, ...], task_name: str, counts: Counts) -> dict[str, LabelledSet]:
    given = {"train": raw.train, "validation": raw.validation, "test": raw.test}
    sets: dict[str, LabelledSet] = {}
    for name, rows in given.items():
        if rows is not None:
            sets[name] = _counted(clean(rows, labels, place=f"the {name} set of task {task_name!r}"), counts)
    return sets


def _counted(cleaned: Cleaned, counts: Counts) -> LabelledSet:
    counts.rows_read += len(cleaned.rows) + cleaned.empty + cleaned.unlabelled
    counts.empty += cleaned.empty
    counts.unlabelled += cleaned.unlabelled
    return cleaned.rows


def _held_out(
    given: dict[str, LabelledSet], labels: tuple[str, ...], task: Task, counts: Counts
) -> dict[str, LabelledSet]:
    """Train, validation and test; what is not given is drawn from train."""
    rows = given["train"]
    sizes = {"validation": task.data.validation_size, "test": task.data.test_size}
    wanted = {name: None if name in given else size for name, size in sizes.items()}
    drawn = split(
        rows.labels,
        labels,
        validation_size=wanted["validation"],
        test_size=wanted["test"],
        seed=task.split_seed,
    )
    sets = {"train": rows.take(drawn.train)}
    for name, part in (("validation", drawn.validation), ("test", drawn.test)):
        sets[name] = given[name] if name in given else rows.take(part)
    for name in (n for n, size in wanted.items() if size is not None):
        counts.sentences.append(
            f"{name}: {len(sets[name]):,} rows held out at random, stratified by class (seed {task.split_seed})."
            if task.data.label
            else f"{name}: {len(sets[name]):,} rows held out at random (seed {task.split_seed})."
        )
    return sets


def _out_of_domain(task: Task, name: str, labels: tuple[str, ...], counts: Counts) -> LabelledSet:
    """A fixed stratified sample of the set's test rows, or of all its rows where it has no test."""
    data: Data = task.out_of_domain[name]
    raw = read(data, task_name=f"{task.name}/{name}", field=f"task.out_of_domain.{name}")
    cleaned = clean(raw.train if raw.test is None else raw.test, labels, place=f"the out-of-domain set {name!r}")
    chosen = stratified_sample(cleaned.rows.labels, task.out_of_domain_size, task.split_seed)
    if cleaned.empty + cleaned.unlabelled:
        unlabelled = f" and {cleaned.unlabelled:,} without label" if data.label else ""
        dropped = f"{cleaned.empty:,} rows without {counts.lacking}{unlabelled} were dropped."
        counts.sentences.append(f"{name}: {dropped}")
    counts.sentences.append(f"{name}: {len(chosen):,} of {len(cleaned.rows):,} rows, a fixed stratified sample.")
    return cleaned.rows.take(chosen)


def _read(rows: LabelledSet, task: Task) -> Sequence[str]:
    """What a network reads, and must not have read before: no number, labels or text to be written after it."""
    marked = task.data.score or task.data.labels or isinstance(kind(task.kind), WritingKind)
    return [text.rpartition(PAIR)[0] for text in rows.texts] if marked else rows.texts


def _compare(sets: dict[str, LabelledSet], task: Task, counts: Counts) -> None:
    """Find what stands in two sets; take it out of validation for the tests' sake, out of train for all others'."""
    remove = task.deduplicate
    held = [name for name in sets if name != "train"]
    for pool, against in [("validation", [n for n in held if n != "validation"]), ("train", held)]:
        found = np.zeros(len(sets[pool]), dtype=bool)
        for name in against:
            exact, alike = overlap(_read(sets[pool], task), _read(sets[name], task))
            counts.exact[f"{pool}/{name}"], counts.near[f"{pool}/{name}"] = int(exact.sum()), int(alike.sum())
            found |= exact | alike
        counts.removed[pool] = int(found.sum()) if remove else 0
        if found.all() and remove:
            raise DataError(
                f"Every row of the {pool} set also stands in {' or '.join(against)}, so none is left. "
                f"Give sets that differ, or leave task.data.test and task.data.validation out to have them drawn."
            )
        if remove:
            sets[pool] = sets[pool].take(~found)
