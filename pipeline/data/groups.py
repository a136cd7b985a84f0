"""Holding out whole groups (a writer's or a document's rows), so that none has rows on both sides of a split.

Groups come in random order, and one is held out if the set's counts of classes then come nearer to those wanted (in
absolute difference, summed over classes). A class that is still absent gets the group that costs least.
"""

from collections.abc import Sequence

import numpy as np

from pipeline.data.cleaning import LEAST
from pipeline.errors import DataError


def check_groups(
    groups: Sequence[str], labels: np.ndarray, names: tuple[str, ...], *, field: str, column: str, drawn: Sequence[str]
) -> None:
    """Refuses rows that cannot be divided into train and the sets in `drawn` by whole groups.

    Args:
        groups: the group of each row.
        labels: class of each row, int [N].
        names: the classes.
        field: the setting that names the groups' column, for messages.
        column: the column.
        drawn: the sets that are held out.

    Raises:
        DataError: there are fewer groups than sets, or a class has rows in fewer groups than that.
    """
    sets = ["train", *drawn]
    remedy = (
        f"Choose another column, leave {field} out, or give separate sets with "
        f"{' and '.join(f'task.data.{name}' for name in drawn)}."
    )
    distinct = sorted(set(groups))
    if len(distinct) < len(sets):
        raise DataError(
            f"{field} must have {len(sets)} groups at least, one for each of {', '.join(sets)}, but column {column!r} "
            f"has {len(distinct)}: {', '.join(repr(group[:60]) for group in distinct)}. {remedy}"
        )
    pairs = set(zip(labels.tolist(), groups, strict=True))
    counts = np.bincount([label for label, _ in pairs], minlength=len(names))
    rare = [f"{name!r} has {count}" for name, count in zip(names, counts, strict=True) if count < len(sets)]
    if rare:
        raise DataError(
            f"Each class needs rows in {len(sets)} groups at least (column {column!r}), one for each of "
            f"{', '.join(sets)}, but {', '.join(rare)}. Merge classes with task.data.label_names or leave them out "
            f"with task.data.where. {remedy}"
        )


def draw_groups(
    labels: np.ndarray, groups: Sequence[str], takes: list[np.ndarray], generator: np.random.Generator
) -> list[np.ndarray]:
    """Draws a set of whole groups for each of `takes`.

    Args:
        labels: class of each row, int [N].
        groups: the group of each row.
        takes: rows of each class wanted in each set, int [C]; all zeros for a set that is not drawn.
        generator: decides the order of the groups.

    Returns:
        Sorted disjoint row numbers, int64: one array for each of `takes`, then the rest.

    Raises:
        DataError: no group can be held out without taking a class from the sets that follow.
    """
    _, number = np.unique(np.array(groups, dtype=object).astype(str), return_inverse=True)
    counts = np.zeros((number.max() + 1, len(takes[0])), dtype=np.int64)
    np.add.at(counts, (number, labels), 1)
    place = np.full(len(counts), len(takes))
    for at, wanted in enumerate(takes):
        if wanted.any():
            free = generator.permutation(np.flatnonzero(place == len(takes)))
            following = 1 + sum(bool(later.any()) for later in takes[at + 1 :])
            place[_held_out(counts, free, wanted, following)] = at
    return [np.flatnonzero(place[number] == at) for at in range(len(takes) + 1)]


def _held_out(counts: np.ndarray, free: np.ndarray, wanted: np.ndarray, following: int) -> list[int]:
    """Numbers of the groups that one set takes of the `free` ones, in whose order they are tried."""
    pool = _Pool(counts, free, following)
    lacking = wanted.copy()
    for group in free:
        if not (lacking > 0).any():
            break
        if np.abs(lacking - counts[group]).sum() < np.abs(lacking).sum() and pool.can_spare(group):
            pool.take(group)
            lacking -= counts[group]
    for label in np.flatnonzero(wanted > 0):
        absent = lacking[label] == wanted[label]
        able = [g for g in free if absent and counts[g, label] and pool.can_spare(g)]  # none of these is taken
        if able:
            cheapest = min(able, key=lambda g: int(np.abs(lacking - counts[g]).sum()))
            pool.take(cheapest)
            lacking -= counts[cheapest]
    if not pool.taken:
        raise DataError(
            f"Whole groups must leave {LEAST} rows of each class to every set, but no group of task.data.group can be "
            f"held out so. Choose another column, or give separate sets with task.data.validation and task.data.test."
        )
    return pool.taken


class _Pool:
    """The groups that are free, less those taken; each class must stay in as many groups as sets follow."""

    def __init__(self, counts: np.ndarray, free: np.ndarray, following: int) -> None:
        self.taken: list[int] = []
        self._counts, self._following = counts, following
        self._rows, self._groups = counts[free].sum(axis=0), (counts[free] > 0).sum(axis=0)

    def can_spare(self, group: int) -> bool:
        rows = self._rows - self._counts[group] >= LEAST * self._following
        groups = self._groups - (self._counts[group] > 0) >= self._following
        return bool((rows & groups)[self._counts[group] > 0].all())

    def take(self, group: int) -> None:
        self.taken.append(group)
        self._rows = self._rows - self._counts[group]
        self._groups = self._groups - (self._counts[group] > 0)
