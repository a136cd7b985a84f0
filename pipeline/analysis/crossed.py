"""Means over seeds x items, both random and fully crossed: variance components, Student's t intervals.

The design is that of multi-reader multi-case studies (Obuchowski & Rockette 1995; Gallas et al. 2009), with seeds as
the readers and test items as the cases.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr, stdtrit

Floats = npt.NDArray[np.float64]
Scores = npt.NDArray[Any]  # [S, N], any number type

RESIDUAL_FLOOR = 0.25


@dataclass(frozen=True, kw_only=True)
class CrossedMean:
    """A mean with the parts of its variance.

    `per_seed` is what one seed adds (variance of the per-seed means, so more seeds divide it), `fixed` what no number
    of seeds removes: the choice of test items. Both in squared units of the score. With one seed, `per_seed` is 0 and
    the interval speaks of that seed alone.
    """

    value: float
    variance: float
    df: float
    seeds: int
    items: int
    per_seed: float
    fixed: float

    def interval(self, level: float) -> tuple[float, float]:
        """The two-sided Student's t interval; a point where nothing varies."""
        half = half_width(self.variance, self.df, level)
        return self.value - half, self.value + half

    def p_value(self) -> float:
        """Two-sided, against a mean of 0. Where nothing varies: 1 for a mean of 0, else 0."""
        if self.variance == 0.0:
            return 1.0 if self.value == 0.0 else 0.0
        return float(2.0 * stdtr(self.df, -abs(self.value) / math.sqrt(self.variance)))


@dataclass(frozen=True, kw_only=True)
class _Block:
    """Mean squares of one [S, N] array."""

    seed_means: Floats
    items: int
    ms_item: float
    ms_residual: float

    @property
    def item_part(self) -> float:
        """The part of the mean's variance that comes from the choice of items, never below 0."""
        seeds = len(self.seed_means)
        return max(0.0, self.ms_item - self.ms_residual) / (seeds * self.items)


def crossed_mean(scores: Scores) -> CrossedMean:
    """The mean of scores [S, N], or of a paired difference [S, N], and its variance over seeds and items.

    V = (MS_seed + MS_item - MS_residual) / (S N), where the item component is not let below 0; degrees of freedom by
    Satterthwaite in Hillis's form (2007). V is not let below a quarter of MS_residual / (S N), the least it can be
    expected to be: seeds that happen to agree to the digit are no proof of precision.

    Raises:
        ValueError: the array is empty, not two-dimensional, or not finite.
    """
    return crossed_gap((scores,), (1.0,))


def crossed_gap(blocks: tuple[Scores, ...], signs: tuple[float, ...]) -> CrossedMean:
    """The signed sum of the means of several [S, N_k] arrays that share their seeds but not their items.

    In-domain minus out-of-domain is `crossed_gap((inside, outside), (1, -1))`. Its seed part is the variance of the
    per-seed sums, to which every block adds its own item part.

    Raises:
        ValueError: a block is empty or not finite, or the blocks differ in seeds.
    """
    parts = [_block(block) for block in blocks]
    if len({len(part.seed_means) for part in parts}) > 1:
        raise ValueError(f"the blocks must have the same seeds, but have {[len(p.seed_means) for p in parts]}")
    sums = np.sum([sign * part.seed_means for sign, part in zip(signs, parts, strict=True)], axis=0)
    return _combine(float(sums.mean()), [sums], [part.item_part for part in parts], parts)


def crossed_unpaired(first: Scores, second: Scores) -> CrossedMean:
    """The mean of `first` [S1, N] minus that of `second` [S2, N]: the same items, but different seeds.

    Items that are hard for both cancel; only their interaction with the group stays in the item part.

    Raises:
        ValueError: an array is empty or not finite, or the items differ.
    """
    if first.shape[1:] != second.shape[1:]:
        raise ValueError(f"both arrays must have the same items, but have shapes {first.shape} and {second.shape}")
    parts = [_block(first), _block(second)]
    gap = first.mean(axis=0, dtype=np.float64) - second.mean(axis=0, dtype=np.float64)
    noise = sum(part.ms_residual / len(part.seed_means) for part in parts)
    spread = float(gap.var(ddof=1)) if len(gap) > 1 else 0.0
    fixed = max(0.0, spread - noise) / len(gap)
    return _combine(float(gap.mean()), [part.seed_means for part in parts], [fixed], parts)


def half_width(variance: float, df: float, level: float) -> float:
    """Half the width of a two-sided Student's t interval."""
    if variance == 0.0:
        return 0.0
    return float(stdtrit(min(df, 1e9), 0.5 + level / 2.0)) * math.sqrt(variance)


def _block(scores: Scores) -> _Block:
    if scores.ndim != 2 or 0 in scores.shape:
        raise ValueError(f"scores must be a [seeds, items] array, but have shape {scores.shape}")
    grand = float(scores.mean(dtype=np.float64))
    if not math.isfinite(grand):
        raise ValueError("scores must be finite")
    centred = scores.astype(np.float64) - grand
    seeds, items = centred.shape
    rows, columns = centred.mean(axis=1), centred.mean(axis=0)
    ss_item = seeds * float(columns @ columns)
    ss_residual = float(np.einsum("ij,ij->", centred, centred)) - items * float(rows @ rows) - ss_item
    # Rounding leaves about 1e-16 a cell where the true sum is 0.
    ss_residual = ss_residual if ss_residual > 1e-12 * centred.size else 0.0
    ms_item = ss_item / (items - 1) if items > 1 else 0.0
    ms_residual = ss_residual / ((seeds - 1) * (items - 1)) if seeds > 1 and items > 1 else 0.0
    return _Block(seed_means=rows + grand, items=items, ms_item=ms_item, ms_residual=ms_residual)


def _combine(value: float, groups: list[Floats], fixed_parts: list[float], blocks: list[_Block]) -> CrossedMean:
    seed_variances = [float(g.var(ddof=1)) if len(g) > 1 and np.ptp(g) > 1e-12 else 0.0 for g in groups]
    seed_parts = [v / len(g) for v, g in zip(seed_variances, groups, strict=True)]
    fixed = sum(fixed_parts)
    variance = sum(seed_parts) + fixed
    # Hillis 2007: Satterthwaite over the parts that stay after flooring, hence never fewer than seeds - 1.
    squares = sum(p**2 / (len(g) - 1) for p, g in zip(seed_parts, groups, strict=True) if p > 0.0)
    squares += sum(p**2 / (b.items - 1) for p, b in zip(fixed_parts, blocks, strict=False) if p > 0.0)
    noise = sum(block.ms_residual / (len(block.seed_means) * block.items) for block in blocks)
    seeds, items = min(len(g) for g in groups), min(block.items for block in blocks)
    unknown = seeds == 1 and max(block.items for block in blocks) == 1
    return CrossedMean(
        value=value,
        variance=math.inf if unknown else max(variance, RESIDUAL_FLOOR * noise),
        df=variance**2 / squares if squares > 0.0 else float(max(1, seeds - 1)),
        seeds=seeds,
        items=items,
        per_seed=sum(seed_variances),
        fixed=fixed,
    )
