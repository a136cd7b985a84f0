"""The crossed multi-bootstrap of Sellam et al. 2022 (MultiBERTs).

Items are drawn once for all seeds and arms, and seeds beside them. Draws are weights, so that a replicate of a mean
is a matrix product and any weighted statistic fits.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Weights = npt.NDArray[np.float32]

FEWEST_SEEDS_TO_FLIP = 8  # with S seeds the smallest two-sided p is 2 / 2**S
MOST_SEEDS_TO_ENUMERATE = 12
FLIPS = 10_000


def item_weights(items: int, replicates: int, rng: np.random.Generator) -> Weights:
    """How often each of N items is drawn in each of B resamples: counts [B, N], every row summing to N."""
    counts = np.empty((replicates, items), dtype=np.float32)
    for row in counts:  # one at a time: the draws take twice the room of the counts
        row[:] = np.bincount(rng.integers(0, items, size=items), minlength=items)
    return counts


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
    return np.asarray(weights @ scores.T.astype(np.float32) / np.float32(scores.shape[1]))


def multi_bootstrap(
    statistic: Callable[[Weights], npt.NDArray[Any]], seeds: int, items: int, replicates: int, rng: np.random.Generator
) -> Floats:
    """Replicates [B] of the mean over S seeds of any statistic of the items.

    `statistic` turns item counts [B, N] into the statistic of every seed, [B, S]; for the difference of two arms it
    returns the difference, so that both see the same items and seeds.
    """
    per_seed = statistic(item_weights(items, replicates, rng))
    return np.asarray(np.sum(per_seed * seed_weights(seeds, replicates, rng), axis=1), dtype=np.float64)


def percentile_interval(replicates: Floats, level: float) -> tuple[float, float]:
    """The two-sided percentile interval; its ends are replicates, rounded outwards, so that they may be infinite."""
    ordered = np.sort(replicates)
    tail = (1.0 - level) / 2.0 * (len(ordered) - 1)
    return float(ordered[math.floor(tail + 1e-9)]), float(ordered[math.ceil(len(ordered) - 1 - tail - 1e-9)])


def sign_flip_p(differences: Floats, rng: np.random.Generator) -> float | None:
    """Two-sided p that per-seed differences [S] are symmetric about 0, all sign patterns being equally likely then.

    None with fewer than eight seeds, where it could not be small. Exact up to twelve seeds, beyond by random patterns.
    """
    seeds = len(differences)
    if seeds < FEWEST_SEEDS_TO_FLIP:
        return None
    if seeds <= MOST_SEEDS_TO_ENUMERATE:
        patterns = (np.arange(2**seeds)[:, None] >> np.arange(seeds)) & 1
        flipped = np.abs((2.0 * patterns - 1.0) @ differences)
        return float(np.mean(flipped >= abs(differences.sum()) * (1.0 - 1e-12)))
    signs = 2.0 * rng.integers(0, 2, size=(FLIPS, seeds), dtype=np.int8) - 1.0
    flipped = np.abs(signs @ differences)
    return float((1 + np.sum(flipped >= abs(differences.sum()) * (1.0 - 1e-12))) / (FLIPS + 1))
