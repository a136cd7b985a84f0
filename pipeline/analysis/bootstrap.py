"""Resampling of items and of seeds, for metrics that are not means and for label multipliers.

Items are drawn once for all seeds and arms, as in the multi-bootstrap of Sellam et al. 2022 (MultiBERTs). Draws are
weights, so that a replicate of a mean is a matrix product and any weighted statistic fits. Seeds are drawn beside the
items for label multipliers alone.
"""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.analysis.crossed_interval import ItemPart

Floats = npt.NDArray[np.float64]
Weights = npt.NDArray[np.float32]


def item_weights(
    items: int, replicates: int, rng: np.random.Generator, groups: npt.NDArray[Any] | None = None
) -> Weights:
    """How often each of N items is drawn in each of B resamples: counts [B, N], every row summing to N.

    Args:
        items: N.
        replicates: B.
        rng: decides the draws.
        groups: the number of each item's group from 0 to G - 1, int [N]. Then G groups are drawn, each with all its
            items, and rows sum to about N.
    """
    if groups is not None:
        return item_weights(int(groups.max()) + 1, replicates, rng)[:, groups]
    counts = np.empty((replicates, items), dtype=np.float32)
    for row in counts:  # one at a time: the draws take twice the room of the counts
        row[:] = np.bincount(rng.integers(0, items, size=items), minlength=items)
    return counts


def item_weight_blocks(
    items: int, replicates: int, rng: np.random.Generator, groups: npt.NDArray[Any] | None = None, *, most: int
) -> Iterator[Weights]:
    """The rows of `item_weights`, in order, in blocks of at most `most` bytes, or of one row."""
    rows = max(1, most // (items * np.dtype(np.float32).itemsize))
    for first in range(0, replicates, rows):
        yield item_weights(items, min(rows, replicates - first), rng, groups)


def seed_weights(seeds: int, replicates: int, rng: np.random.Generator) -> Floats:
    """The weight of each of S seeds in each of B resamples, [B, S], every row summing to 1.

    Resampling S seeds understates their variance by (S - 1) / S, so deviations from 1/S are widened by
    sqrt(S / (S - 1)); a weight may therefore be negative. One seed keeps its weight of 1: then only items vary.
    """
    if seeds == 1:
        return np.ones((replicates, 1))
    deviations = item_weights(seeds, replicates, rng).astype(np.float64) / seeds - 1.0 / seeds
    return np.asarray(1.0 / seeds + deviations * math.sqrt(seeds / (seeds - 1)))


def item_means(scores: npt.NDArray[Any], weights: Weights) -> npt.NDArray[np.float32]:
    """Every seed's mean score under every item resample: [B, S] from scores [S, N] and counts [B, N]."""
    return np.asarray(weights @ scores.T.astype(np.float32) / weights.sum(axis=1, keepdims=True))


def drawn_item_part(draws: npt.NDArray[Any], items: int) -> ItemPart:
    """The item part of the mean of any statistic over S seeds, from its values [B, S] under B resamples of N items.

    What the seeds' common value varies by, less what more seeds would remove. Resampling N items understates their
    variance by (N - 1) / N, which is undone; for a mean the result is that of `crossed.item_part`, but for the draws.
    """
    if items == 1:
        return ItemPart(variance=math.inf, items=1)
    seeds, unbiased = draws.shape[1], items / (items - 1)
    common = draws.mean(axis=1, dtype=np.float64)
    noise = unbiased * float((draws - common[:, None]).var(axis=0).sum()) / (seeds - 1) if seeds > 1 else 0.0
    return ItemPart(variance=max(0.0, unbiased * float(common.var()) - noise / seeds), items=items, noise=noise)


def percentile_interval(replicates: Floats, level: float) -> tuple[float, float]:
    """The two-sided percentile interval; its ends are replicates, rounded outwards, so that they may be infinite."""
    ordered = np.sort(replicates)
    tail = (1.0 - level) / 2.0 * (len(ordered) - 1)
    return float(ordered[math.floor(tail + 1e-9)]), float(ordered[math.ceil(len(ordered) - 1 - tail - 1e-9)])
