"""Train subsets that nest: with one seed, the 100 examples lie within the 400."""

import numpy as np

from pipeline.errors import DataError

TRAIN_SAMPLE = 400  # rows of a train subset, each class's share of it, that what a cell does on them is measured on


def nested_subset(labels: np.ndarray, size: int | str, seed: int) -> np.ndarray:
    """A stratified subset of `size` rows with at least one of each class; sorted positions, int64 [size].

    With the same seed, a smaller subset lies within every larger one. `size` "all" takes every row, whatever the seed.

    Args:
        labels: class of each row, int [N]; only classes that occur count.
        size: rows, or "all".
        seed: draws the subset.

    Raises:
        DataError: there are fewer rows than `size`, or `size` cannot hold one of each class.
    """
    rows = len(labels)
    if size == "all":
        return np.arange(rows)
    if not isinstance(size, int):
        raise DataError(f"train.size must be a number of labels or 'all', but got {size!r}.")
    classes = len(np.unique(labels))
    if size > rows:
        raise DataError(
            f"A subset of {size:,} training labels was asked for, but {rows:,} are left after cleaning and holding "
            f"out. Use study.sizes=[{_smaller(rows, classes)},all], or train.size={rows} or less for one training."
        )
    if size < max(classes, 1):
        raise DataError(
            f"A subset needs one example at least of each of {classes} classes, but its size is {size}. "
            f"Use study.sizes with {classes} or more, or train.size={classes}."
        )
    return np.sort(_order(labels, seed)[:size])


def train_sample(labels: np.ndarray, seed: int) -> np.ndarray:
    """TRAIN_SAMPLE positions of a train subset whose classes are `labels` [N], or all of them: a stratified sample."""
    size = max(min(TRAIN_SAMPLE, len(labels)), len(np.unique(labels)))
    return nested_subset(labels, size, seed)


def _smaller(rows: int, classes: int) -> str:
    fitting = [n for n in (25, 100, 400, 1600, 6400, 25600) if classes <= n < rows]
    return ",".join(str(n) for n in fitting[-3:]) or str(max(classes, rows // 2))


def _order(labels: np.ndarray, seed: int) -> np.ndarray:
    """All rows, ordered so that every prefix is stratified: one of each class, then by the share of its class used."""
    generator = np.random.default_rng([seed, 11])
    position = np.empty(len(labels), dtype=np.float64)
    tie = np.empty(len(labels), dtype=np.float64)
    for label in np.unique(labels):
        rows = generator.permutation(np.flatnonzero(labels == label))
        position[rows] = (np.arange(len(rows)) + 0.5) / len(rows)
        position[rows[0]] = -1.0
        tie[rows] = generator.random()
    return np.lexsort((tie, position))
