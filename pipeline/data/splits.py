"""Which rows are held out. Drawn at random, stratified by class, fixed by a seed and the order of the rows.

The rule: the test takes `test_size` rows but a quarter of all at most, validation `validation_size` but a tenth at
most, each at least two of every class. Where rows have groups, whole groups are held out, as near to that as they can.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.data.cleaning import LEAST, check_counts
from pipeline.data.groups import draw_groups


@dataclass(frozen=True, kw_only=True)
class Split:
    """Sorted row numbers, int64; `validation` and `test` are empty where none was to be drawn."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def allocate(counts: np.ndarray, size: int, *, least: int, most: np.ndarray) -> np.ndarray:
    """How many of each class a sample of `size` takes: proportional by largest remainders, within [least, most].

    Args:
        counts: examples of each class, [C].
        size: rows wanted; the sum differs from it only where `least` or `most` forces it.
        least: of each class.
        most: of each class, [C].

    Returns:
        int64 [C].
    """
    share = size * counts / counts.sum()
    take: np.ndarray = np.clip(np.floor(share), least, most).astype(np.int64)
    while take.sum() < size and (take < most).any():
        take[np.argmax(np.where(take < most, share - take, -np.inf))] += 1
    while take.sum() > size and (take > least).any():
        take[np.argmax(np.where(take > least, take - share, -np.inf))] -= 1
    return take


def stratified_sample(labels: np.ndarray, size: int, seed: int) -> np.ndarray:
    """Sorted positions of a stratified sample of `size` rows (all where there are no more, or size is 0), int64."""
    if size == 0 or size >= len(labels):
        return np.arange(len(labels))
    counts = np.bincount(labels)
    take = allocate(counts, size, least=0, most=counts)
    return _drawn(labels, [take], _generator(seed, 1))[0]


def split(
    labels: np.ndarray,
    names: tuple[str, ...],
    *,
    validation_size: int | None,
    test_size: int | None,
    seed: int,
    groups: Sequence[str] | None = None,
) -> Split:
    """Draw validation and test from labelled rows; None for a set that exists already.

    Args:
        labels: class of each row, int [N].
        names: the classes.
        validation_size: rows wanted.
        test_size: rows wanted.
        seed: decides which rows are drawn.
        groups: the group of each row, if whole groups are to be held out, see `check_groups`.

    Raises:
        DataError: a class has too few examples for two in each split, or groups cannot be divided.
    """
    wanted = [size for size in (test_size, validation_size) if size is not None]
    check_counts(labels, names, least=LEAST * (len(wanted) + 1), place=f"the rows to be split in {len(wanted) + 1}")
    counts = np.bincount(labels, minlength=len(names))
    takes: list[np.ndarray] = []
    for size, divisor, after in ((test_size, 4, len(wanted) - 1), (validation_size, 10, 0)):
        free = counts - (np.sum(takes, axis=0) if takes else 0) - LEAST * (after + 1)
        rows = 0 if size is None else max(min(size, len(labels) // divisor), LEAST * len(names))
        takes.append(allocate(counts, rows, least=LEAST, most=free) if rows else np.zeros_like(counts))
    generator = _generator(seed, 0)
    parts = _drawn(labels, takes, generator) if groups is None else draw_groups(labels, groups, takes, generator)
    test, validation, train = parts
    return Split(train=train, validation=validation, test=test)


def _drawn(labels: np.ndarray, takes: list[np.ndarray], generator: np.random.Generator) -> list[np.ndarray]:
    """Sorted disjoint positions: one array for each of `takes` (rows of each class), then the rest."""
    parts: list[list[np.ndarray]] = [[] for _ in range(len(takes) + 1)]
    for label in range(len(takes[0])):
        rows = generator.permutation(np.flatnonzero(labels == label))
        ends = np.cumsum([take[label] for take in takes])
        for part, piece in zip(parts, np.split(rows, ends), strict=True):
            part.append(piece)
    return [np.sort(np.concatenate(part)) for part in parts]


def _generator(seed: int, purpose: int) -> np.random.Generator:
    return np.random.default_rng([seed, 7, purpose])
