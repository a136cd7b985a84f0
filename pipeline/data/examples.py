"""A task's examples: sources read and cleaned, validation and test set apart, train freed of what stands in them."""

from dataclasses import dataclass, field

import numpy as np

from pipeline.config.schema import TEXTS, Data, Task
from pipeline.data.cleaning import LEAST, Cleaned, check_any_label, check_classes, check_counts, clean, without
from pipeline.data.comparing import Compared, apart, compare, compare_with, keyed, repeats
from pipeline.data.groups import check_groups
from pipeline.data.periods import later_tested, spans
from pipeline.data.readers.sources import read
from pipeline.data.sets import RESERVED, LabelledSet, RawSet, RawSplits, Repeats
from pipeline.data.splits import split, stratified_sample
from pipeline.data.table_cells.classes import aligned
from pipeline.data.table_cells.look import look
from pipeline.data.table_cells.several import numbers
from pipeline.errors import DataError
from pipeline.files import safe_name
from pipeline.language import Sentence, said, set_name
from pipeline.tasks import columns

_IN_WORDS = {2: "two", 3: "three", 4: "four"}


@dataclass(kw_only=True)
class Counts:
    """What was found on the way."""

    lacking: Sentence = field(
        default_factory=lambda: said("text")
    )  # what a row that was dropped is without, beside its label, its group and its time
    deduplicated: bool = True
    rows_read: int = 0
    empty: int = 0
    unlabelled: int = 0
    ungrouped: int = 0
    undated: int = 0
    repeats: Repeats = field(default_factory=Repeats)
    look: list[Sentence] = field(default_factory=list)
    sentences: list[Sentence] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Examples:
    """The sets as they are trained and tested on, by name, train, validation and test first.

    `occurrences` are the numbers of the labels that occur in each, of all texts in one array.
    """

    labels: tuple[str, ...]
    occurrences: dict[str, np.ndarray]
    sets: dict[str, LabelledSet]
    counts: Counts
    compared: Compared
    look: tuple[Sentence, ...]


def examples(task: Task) -> Examples:
    """Read, clean, split and deduplicate the data of `task`.

    Raises:
        DataError: the data cannot serve the task; the message says why and what to do.
    """
    counts = Counts(lacking=_needed(task.data), deduplicated=task.deduplicate)
    raw = read(task.data, task_name=task.name)
    compared = Compared()
    labels, sets = _in_domain(task, raw, counts, compared)
    sets = compare(sets, task, compared)
    labels = raw.several if task.data.labels else labels
    occurrences = {name: _occurrences(task, name, rows, labels) for name, rows in sets.items()}
    check_counts(occurrences["train"], labels, least=LEAST, place=f"the training rows of task {task.name!r}")
    return Examples(
        labels=labels, occurrences=occurrences, sets=sets, counts=counts, compared=compared, look=tuple(counts.look)
    )


def _needed(data: Data) -> Sentence:
    count = sum(columns(data)[name] is not None for name in TEXTS)
    number = said(_IN_WORDS[count]) if count in _IN_WORDS else count
    texts = said("text") if count == 1 else said("one of their {count} texts", count=number)
    return said("{texts} or their number", texts=texts) if data.score else texts


def _in_domain(
    task: Task, raw: RawSplits, counts: Counts, compared: Compared
) -> tuple[tuple[str, ...], dict[str, LabelledSet]]:
    if task.data.label is not None:
        check_classes(raw.train, column=task.data.label, field="task.data")
    check_any_label(raw.several, data=task.data, field="task.data")
    labels = _classes(raw)
    given = keyed(_cleaned(raw, labels, task.name, counts), task)
    counts.look += look(task.data, given, raw.several if task.data.labels else labels, raw.sentences)
    counts.repeats = repeats(list(given.values()), task)
    if given["train"].years is not None and "test" not in given:
        given, sentence = later_tested(given, task)
        counts.sentences.append(sentence)
    given["train"] = apart(given, task, compared)
    sets = _held_out(given, labels, task, counts)
    counts.look += spans(sets)
    for name in ("validation", "test"):
        absent = [label for i, label in enumerate(labels) if not (sets[name].labels == i).any()]
        if absent:
            form = "{set} holds no example of {absent}."
            counts.sentences.append(said(form, set=set_name(name), absent=", ".join(absent)))
    return labels, sets


def _classes(raw: RawSplits) -> tuple[str, ...]:
    """The classes that occur in rows that have all else."""
    import pyarrow as pa

    if "label" not in raw.train.table.column_names:
        return raw.labels
    there = pa.array(np.flatnonzero(~raw.train.incomplete))
    present = set(raw.train.table.column("label").take(there).unique().to_pylist())
    return tuple(name for name in raw.labels if name in present)


def _cleaned(raw: RawSplits, labels: tuple[str, ...], task_name: str, counts: Counts) -> dict[str, LabelledSet]:
    given = {"train": raw.train, "validation": raw.validation, "test": raw.test}
    sets: dict[str, LabelledSet] = {}
    for name, rows in given.items():
        if rows is not None:
            sets[name] = _counted(clean(rows, labels, place=f"the {name} set of task {task_name!r}"), counts)
    return sets


def _counted(cleaned: Cleaned, counts: Counts) -> LabelledSet:
    counts.rows_read += len(cleaned.rows) + cleaned.dropped
    counts.empty += cleaned.empty
    counts.unlabelled += cleaned.unlabelled
    counts.ungrouped += cleaned.ungrouped
    counts.undated += cleaned.undated
    return cleaned.rows


def _held_out(
    given: dict[str, LabelledSet], labels: tuple[str, ...], task: Task, counts: Counts
) -> dict[str, LabelledSet]:
    """Train, validation and test; what is not given is drawn from train."""
    rows = given["train"]
    sizes = {"validation": task.data.validation_size, "test": task.data.test_size}
    wanted = {name: None if name in given else size for name, size in sizes.items()}
    names = [name for name, size in wanted.items() if size is not None]
    if rows.groups is not None and names:
        column = str(task.data.group)
        check_groups(rows.groups, rows.labels, labels, field="task.data.group", column=column, drawn=names)
    drawn = split(
        rows.labels,
        labels,
        validation_size=wanted["validation"],
        test_size=wanted["test"],
        seed=task.split_seed,
        groups=rows.groups,
    )
    sets = {"train": rows.take(drawn.train)}
    for name, part in (("validation", drawn.validation), ("test", drawn.test)):
        sets[name] = given[name] if name in given else rows.take(part)
    counts.sentences += [_drawn(name, sets[name], task) for name in names]
    return sets


def _drawn(name: str, rows: LabelledSet, task: Task) -> Sentence:
    groups, strata = said(""), said(", stratified by class")
    if rows.groups is not None:
        form = " as whole groups ({groups:,} of column {column})"
        groups = said(form, groups=len(set(rows.groups)), column=repr(task.data.group))
        strata = said(", nearly stratified by class")
    return said(
        "{set}: {rows:,} rows held out at random{groups}{strata} (seed {seed}).",
        set=set_name(name),
        rows=len(rows),
        groups=groups,
        strata=strata if task.data.label else "",
        seed=task.split_seed,
    )


def check_set_name(name: str) -> None:
    """Refuse a name that a set which is only evaluated cannot have.

    Raises:
        DataError: it is that of one of the task's own sets.
        UserError: it cannot be part of a file's name.
    """
    if name in RESERVED:
        raise DataError(f"An out-of-domain set cannot be called {name!r}: that is a set of its own. Rename it.")
    safe_name(name, "The name of an out-of-domain set")


def evaluated_examples(task: Task, name: str, labels: tuple[str, ...], trained: dict[str, LabelledSet]) -> Examples:
    """A set that is only evaluated, compared with those that a network was trained and chosen on; none is changed.

    Args:
        task: the task.
        name: one of `task.out_of_domain`.
        labels: the classes of the training rows.
        trained: train and validation.

    Raises:
        DataError: the set cannot serve, for example since it has a label that training lacks.
    """
    counts, compared = Counts(lacking=_needed(task.data), deduplicated=False), Compared()
    rows = _sampled(task, name, labels, counts)
    compare_with(rows, name, trained, task, compared)
    occurrences = {name: _occurrences(task, name, rows, labels)}
    return Examples(
        labels=labels,
        occurrences=occurrences,
        sets={name: rows},
        counts=counts,
        compared=compared,
        look=tuple(counts.look),
    )


def _occurrences(task: Task, name: str, rows: LabelledSet, labels: tuple[str, ...]) -> np.ndarray:
    return numbers(rows, labels, place=f"the {name} set") if task.data.labels else rows.labels


def _sampled(task: Task, name: str, labels: tuple[str, ...], counts: Counts) -> LabelledSet:
    """A fixed stratified sample of the set's test rows, or of all its rows where it has no test."""
    data: Data = task.out_of_domain[name]
    raw = read(data, task_name=f"{task.name}/{name}", field=f"task.out_of_domain.{name}")
    counts.look += [said("{set}: {sentence}", set=name, sentence=sentence) for sentence in raw.sentences]
    rows = raw.train if raw.test is None else raw.test
    rows = RawSet(table=aligned(rows.table, labels))
    cleaned = clean(rows, labels, place=f"the out-of-domain set {name!r}")
    chosen = stratified_sample(cleaned.rows.labels, task.out_of_domain_size, task.split_seed)
    if cleaned.dropped:
        unlabelled, ungrouped = cleaned.unlabelled if data.label else None, cleaned.ungrouped if data.group else None
        first = "{count:,} rows without {what}"
        dropped = without(counts.lacking, cleaned.empty, unlabelled, ungrouped, first=first)
        counts.sentences.append(said("{set}: {dropped} were dropped.", set=name, dropped=dropped))
    form = "{set}: {chosen:,} of {rows:,} rows, a fixed stratified sample."
    counts.sentences.append(said(form, set=name, chosen=len(chosen), rows=len(cleaned.rows)))
    return cleaned.rows.take(chosen)
