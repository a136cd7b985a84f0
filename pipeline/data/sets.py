"""The records of this layer: rows as read, sets as encoded, and the account of what happened between."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

RESERVED = ("train", "validation", "test")  # names an out-of-domain set cannot take


@dataclass(frozen=True, kw_only=True)
class RawSet:
    """Rows in the order of their source; None where the text or the label is missing."""

    texts: tuple[str | None, ...]
    labels: tuple[str | None, ...]

    def __len__(self) -> int:
        return len(self.texts)


@dataclass(frozen=True, kw_only=True)
class RawSplits:
    """What a source holds; `validation` and `test` are None where they are to be drawn from `train`.

    `labels` are the classes of `train`, renamed, in the order of the values they stand for. Where a text can have
    several, they stand after it, and `several` are the classes.
    """

    train: RawSet
    validation: RawSet | None
    test: RawSet | None
    labels: tuple[str, ...]
    several: tuple[str, ...] = ()
    sentences: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class LabelledSet:
    """N clean texts and their classes, int32 [N]."""

    texts: tuple[str, ...]
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.texts)

    def take(self, rows: np.ndarray) -> "LabelledSet":
        """The rows at these positions (or where this mask is true), in order."""
        index = np.flatnonzero(rows) if rows.dtype == bool else rows
        return LabelledSet(texts=tuple(self.texts[i] for i in index), labels=self.labels[index])


@dataclass(frozen=True, kw_only=True)
class DataReport:
    """What was read, dropped, found twice and cut short.

    `rows` and `truncated` are per set as used. `exact_duplicates` and `near_duplicates` are keyed "train/test": rows of
    the first set that also stand in the second (near ones exclude exact ones). `removed` is per set.
    """

    rows_read: int
    dropped_empty: int
    dropped_unlabelled: int
    repeated: int  # rows that repeat an earlier text of the same source
    conflicting: int  # texts that occur with different labels
    rows: dict[str, int]
    exact_duplicates: dict[str, int]
    near_duplicates: dict[str, int]
    removed: dict[str, int]
    truncated: dict[str, int]
    class_counts: dict[str, dict[str, int]]
    sentences: tuple[str, ...]


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
    truncated: int
    fingerprint: str
    beside: dict[str, np.ndarray] = field(default_factory=dict)  # what else the kind knows of each text, [N]

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of each item, int64 [N]."""
        return np.diff(self.offsets)

    def item(self, i: int) -> np.ndarray:
        """Token ids of item i, int32 [length]."""
        return self.ids[self.offsets[i] : self.offsets[i + 1]]

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, kw_only=True, eq=False)
class Prepared:
    """A task's data, encoded with one tokenizer and stored in `folder`."""

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
