"""The records of this layer: rows as read, sets as encoded, and the account of what happened between."""

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.data.example_table import ExampleTable
from pipeline.language import Sentence
from pipeline.tasks import Known

RESERVED = ("train", "validation", "test")  # names an out-of-domain set cannot take


@dataclass(frozen=True, kw_only=True, eq=False)
class RawSet:
    """Rows in the order of their source.

    `table` is an Arrow table with a column for each field of an example that is read, and "group" and "time" where rows
    have them. What is missing is null.
    """

    table: Any

    def lacks(self, name: str) -> np.ndarray:
        """Whether a row has nothing in a column; bool [N], false where there is no such column."""
        there = name in self.table.column_names
        return np.asarray(self.table.column(name).is_null()) if there else np.zeros(len(self), dtype=bool)

    @property
    def incomplete(self) -> np.ndarray:
        """Whether a row lacks any field of its example but the label, bool [N]."""
        needed = [name for name in self.table.column_names if name not in ("label", "group", "time")]
        return np.asarray(np.any([self.lacks(name) for name in needed], axis=0))

    def __len__(self) -> int:
        return int(self.table.num_rows)


@dataclass(frozen=True, kw_only=True, eq=False)
class RawSplits:
    """What a source holds; `validation` and `test` are None where they are to be drawn from `train`.

    `labels` are the classes of `train`, renamed, in the order of the values they stand for; of multi-label tasks they
    are `several`.
    """

    train: RawSet
    validation: RawSet | None
    test: RawSet | None
    labels: tuple[str, ...]
    several: tuple[str, ...] = ()
    sentences: tuple[Sentence, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class LabelledSet:
    """N clean examples, the numbers of their classes, int32 [N], and their groups and times, if rows have them.

    `years` are when texts were written, in years since 1970, float64 [N]. `keys` say which texts are equal, where these
    have been compared before, see `duplicates.keys_of`.
    """

    examples: ExampleTable
    labels: np.ndarray
    groups: tuple[str, ...] | None = None
    years: np.ndarray | None = None
    keys: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.examples)

    @property
    def group_numbers(self) -> np.ndarray:
        """The number of each row's group, int32 [N]; rows without groups are groups of one."""
        if self.groups is None:
            return np.arange(len(self), dtype=np.int32)
        return np.unique(np.array(self.groups), return_inverse=True)[1].astype(np.int32)

    def take(self, rows: np.ndarray) -> "LabelledSet":
        """The rows at these positions (or where this mask is true), in order."""
        index = np.flatnonzero(rows) if rows.dtype == bool else rows
        groups = None if self.groups is None else tuple(self.groups[i] for i in index)
        years, keys = (None if known is None else known[index] for known in (self.years, self.keys))
        return LabelledSet(
            examples=self.examples.take(index), labels=self.labels[index], groups=groups, years=years, keys=keys
        )


@dataclass(frozen=True, kw_only=True)
class Repeats:
    """Rows of one source that repeat an earlier row's text."""

    exact: int = 0  # word for word
    folded: int = 0  # except for case or punctuation, with the same label
    conflicting: int = 0  # texts that occur with different labels, word for word
    relabelled: int = 0  # rows that differ from an earlier one in case or punctuation and in the label: no repeats


@dataclass(frozen=True, kw_only=True)
class Overlap:
    """Rows of one set that also stand in another, each counted once in the first three."""

    exact: int = 0  # word for word
    folded: int = 0  # except for case or punctuation, with the same label
    near: int = 0  # nearly
    relabelled: int = 0  # differ in case or punctuation and in the label: no repeats, not removed
    grouped: int = 0  # of the same group as a row of the other set, whatever their text

    @property
    def repeated(self) -> int:
        """Rows that repeat a text of the other set."""
        return self.exact + self.folded + self.near


@dataclass(frozen=True, kw_only=True)
class DataReport:
    """What was read, dropped, found twice and cut short.

    `look` are those of the sentences that are shown before the first training: what was read, and which classes.
    `rows`, `truncated` and `unknown` (a share of tokens) are per set as used. `overlaps` is keyed "train/test": rows of
    the first set that also stand in the second. `removed` is per set. `known_halves` is empty unless examples have
    several texts: rows of each set other than train with a text that also stands in a training row.
    """

    rows_read: int
    dropped_empty: int
    dropped_unlabelled: int
    dropped_ungrouped: int
    repeats: Repeats
    rows: dict[str, int]
    overlaps: dict[str, Overlap]
    removed: dict[str, int]
    known_halves: dict[str, int]
    truncated: dict[str, int]
    unknown: dict[str, float]
    class_counts: dict[str, dict[str, int]]
    look: tuple[Sentence, ...]
    sentences: tuple[Sentence, ...]
    dropped_undated: int = 0

    def with_set(self, more: "DataReport") -> "DataReport":
        """The same with the account of a set that is only evaluated; rows read and removed are those of the task."""
        counted = ("rows", "overlaps", "known_halves", "truncated", "unknown", "class_counts")
        both = {name: getattr(self, name) | getattr(more, name) for name in counted}
        look, sentences = (*self.look, *more.look), (*self.sentences, *more.sentences)
        return dataclasses.replace(self, **both, look=look, sentences=sentences)


@dataclass(frozen=True, kw_only=True, eq=False)
class EncodedSet:
    """N texts as token ids, flat: item i is `ids[offsets[i]:offsets[i + 1]]`. Arrays are read-only and memory-mapped.

    `role` is "train", "validation", "in_domain" or "out_of_domain". `fingerprint` is a digest of texts and labels.
    """

    name: str
    role: str
    ids: np.ndarray  # int32 [tokens]
    offsets: np.ndarray  # int64 [N + 1]
    labels: np.ndarray  # int32 [N]
    groups: np.ndarray  # int32 [N]: number of each text's group; rows without groups are groups of one
    truncated: int
    unknown: float  # share of its tokens, special ones left out, that the tokenizer does not know
    fingerprint: str
    years: np.ndarray | None = None  # float64 [N]: when each text was written, in years since 1970, if rows have a time
    beside: dict[str, np.ndarray] = field(default_factory=dict)  # what else the kind knows of each text, [N]
    folder: Path = Path()  # where it is stored
    examples: ExampleTable | None = None  # those of a probe, which is not stored

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of each item, int64 [N]."""
        return np.diff(self.offsets)

    def item(self, i: int) -> np.ndarray:
        """Token ids of item i, int32 [length]."""
        return self.ids[self.offsets[i] : self.offsets[i + 1]]

    def known(self, rows: np.ndarray, classes: int) -> Known:
        """What a task kind knows of these rows, where there are so many classes."""
        return Known(
            ids=[self.item(int(row)) for row in rows],
            labels=np.asarray(self.labels)[rows],
            beside={name: np.asarray(values)[rows] for name, values in self.beside.items()},
            classes=classes,
        )

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, kw_only=True, eq=False)
class Prepared:
    """A task's data, encoded with one tokenizer. What is trained on lies in `folder`, other sets in their own."""

    folder: Path
    labels: tuple[str, ...]
    train: EncodedSet
    validation: EncodedSet
    test: EncodedSet
    out_of_domain: dict[str, EncodedSet]
    report: DataReport

    @property
    def sets(self) -> dict[str, EncodedSet]:
        """Every set by its name."""
        return {"train": self.train, "validation": self.validation, "test": self.test} | self.out_of_domain

    def measured(self, *, tested: bool) -> list[EncodedSet]:
        """The sets that a training is measured on: validation and, where it is tested, all test sets."""
        return [self.validation, *([self.test, *self.out_of_domain.values()] if tested else [])]
