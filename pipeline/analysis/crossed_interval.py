"""Means over seeds x items, both random and fully crossed: variance components, intervals, p-values.

The design is that of multi-reader multi-case studies (Obuchowski & Rockette 1995; Gallas et al. 2009), with seeds as
the readers and test items as the cases. The interval adds two Student's t intervals as squares, one over seeds and one
over items (Graybill & Wang 1980; Zou & Donner 2008):

    half(alpha)^2 = t(S-1)^2 per_seed / S + t(N-1)^2 item part

It is never narrower than Student's t over the seeds alone, which answers for these very items.
"""

import dataclasses
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from pipeline.analysis.skewed_seeds import factor_for_skew

Floats = npt.NDArray[np.float64]
Scores = npt.NDArray[Any]  # [S, N], any number type
Terms = Iterable[tuple[float, int]]  # variances with their degrees of freedom

RESIDUAL_FLOOR = 0.25
LEAST_P = 1e-300
PRECISION = 1e-12  # of a p-value, relative


@dataclass(frozen=True, kw_only=True)
class ItemPart:
    """What one set of N test items adds to the variance of a mean.

    `variance` comes from the choice of items, which all seeds share; it is infinite with one item, which cannot show
    what varies between items. `noise` is what a single seed's mean varies by because seeds differ in which items they
    get right: more seeds divide it, and it is contained in the variance over seeds.
    """

    variance: float
    items: int
    noise: float = 0.0


@dataclass(frozen=True, kw_only=True)
class CrossedMean:
    """A mean with the parts of its variance.

    `per_seed` is the variance of the per-seed values, which more seeds divide; `sets` hold what no number of seeds
    removes, the choice of test items. Both are in squared units of the score. With one seed, `per_seed` is 0 and the
    interval holds for that seed alone; with neither a second seed nor a set of items it is infinite.
    """

    value: float
    seeds: int
    per_seed: float
    sets: tuple[ItemPart, ...] = ()

    @property
    def fixed(self) -> float:
        """The variance that no number of seeds removes."""
        return sum(part.variance for part in self.sets)

    @property
    def variance(self) -> float:
        """The variance of the mean over seeds and items."""
        return self.per_seed / self.seeds + self.fixed

    @property
    def items(self) -> int:
        """The number of test items, of the smallest set if there are several; 0 if there is none."""
        return min((part.items for part in self.sets), default=0)

    def half_width(self, level: float, seeds: int | None = None) -> float:
        """Half the width of the two-sided interval; for `seeds` seeds, if the parts of the variance stay as they are.

        The square is never below a quarter of what the seed x item noise is expected to add: seeds that happen to
        agree to the digit are no proof of precision.
        """
        return self._half(1.0 - level, seeds or self.seeds)

    def guarded_half_width(self, level: float, seeds: int | None = None) -> float:
        """The same with the room that a verdict leaves for skewed seeds."""
        factor = factor_for_skew(seeds or self.seeds, level)
        return dataclasses.replace(self, per_seed=factor**2 * self.per_seed).half_width(level, seeds)

    def interval(self, level: float) -> tuple[float, float]:
        """The two-sided interval; a point if nothing varies."""
        half = self.half_width(level)
        return self.value - half, self.value + half

    def p_value(self) -> float:
        """The two-sided p-value of a mean of 0: the alpha at which the interval just reaches 0.

        If nothing varies it is 1 for a mean of 0, else 0.
        """
        distance, low, high = abs(self.value), LEAST_P, 1.0
        if distance == 0.0 or not math.isfinite(self._half(0.5, self.seeds)):
            return 1.0
        if self._half(low, self.seeds) <= distance:
            return 0.0
        while high > low * (1.0 + PRECISION):
            middle = math.sqrt(low) * math.sqrt(high)  # their product may be too small for a float
            low, high = (middle, high) if self._half(middle, self.seeds) > distance else (low, middle)
        return high

    def _half(self, alpha: float, seeds: int) -> float:
        over_seeds = [(self.per_seed / seeds, seeds - 1)] if seeds > 1 else []
        terms = [*over_seeds, *((part.variance, max(1, part.items - 1)) for part in self.sets)]
        if not terms:
            return math.inf
        floor = (
            (RESIDUAL_FLOOR * part.noise / seeds, (seeds - 1) * (part.items - 1)) for part in self.sets if part.noise
        )
        return math.sqrt(max(_squares(terms, alpha), _squares(floor, alpha)))


def crossed_mean(scores: Scores) -> CrossedMean:
    """The mean of scores [S, N], or of a paired difference [S, N], with its variance over seeds and items.

    Raises:
        ValueError: the array is empty, not two-dimensional, or not finite.
    """
    part = item_part(scores)
    return mean_over(scores.mean(axis=1, dtype=np.float64), (part,))


def mean_over(values: npt.ArrayLike, sets: Sequence[ItemPart] = ()) -> CrossedMean:
    """The mean of per-seed values [S] with the item parts of the sets of items that they were measured on.

    Any metric fits, and any signed sum over several sets, each of which adds its own part. Without sets the interval
    is Student's t over the seeds.

    Raises:
        ValueError: there is no value, or one is not finite.
    """
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.ndim != 1 or not len(numbers) or not np.isfinite(numbers).all():
        raise ValueError(f"per-seed values must be one finite number for each seed, but are {values!r}")
    varied = len(numbers) > 1 and np.ptp(numbers) > 1e-12  # less is rounding
    return CrossedMean(
        value=float(numbers.mean()),
        seeds=len(numbers),
        per_seed=float(numbers.var(ddof=1)) if varied else 0.0,
        sets=tuple(sets),
    )


def item_part(scores: Scores) -> ItemPart:
    """The item part of the mean of scores [S, N], or of a paired difference: (MS_item - MS_residual) / (S N).

    It is not let below 0. With one seed it is MS_item / N.

    Raises:
        ValueError: the array is empty, not two-dimensional, or not finite.
    """
    if scores.ndim != 2 or 0 in scores.shape:
        raise ValueError(f"scores must be a [seeds, items] array, but have shape {scores.shape}")
    grand = float(scores.mean(dtype=np.float64))
    if not math.isfinite(grand):
        raise ValueError("scores must be finite")
    seeds, items = scores.shape
    if items == 1:
        return ItemPart(variance=math.inf, items=1)
    centred = scores.astype(np.float64) - grand
    rows, columns = centred.mean(axis=1), centred.mean(axis=0)
    ss_item = seeds * float(columns @ columns)
    ss_residual = float(np.einsum("ij,ij->", centred, centred)) - items * float(rows @ rows) - ss_item
    # Rounding leaves about 1e-16 a cell where the true sum is 0.
    ss_residual = ss_residual if ss_residual > 1e-12 * centred.size else 0.0
    ms_residual = ss_residual / ((seeds - 1) * (items - 1)) if seeds > 1 else 0.0
    variance = max(0.0, ss_item / (items - 1) - ms_residual) / (seeds * items)
    return ItemPart(variance=variance, items=items, noise=ms_residual / items)


def by_group(scores: Scores, groups: npt.NDArray[Any]) -> Scores:
    """Scores [S, N] of items that come in G groups as one number a group, float64 [S, G], with the same means.

    Item by item they would count as N independent ones. Of a group of n items it is m + (sum - n m) G / N, where m is
    the seed's mean over all items: the mean of the group if all are of one size, else its share in the mean, linearised
    as of any ratio of sums (Cochran 1977, section 6).

    Args:
        scores: of N items, or a paired difference.
        groups: the number of each item's group, int [N].
    """
    _, place, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    sums = np.zeros((len(scores), len(sizes)))
    np.add.at(sums.T, place, scores.T.astype(np.float64))
    means = scores.mean(axis=1, dtype=np.float64)[:, None]
    return np.asarray(means + (sums - sizes * means) * len(sizes) / len(groups))


def _squares(terms: Terms, alpha: float) -> float:
    """The sum of squared half-widths of Student's t intervals at 1 - alpha."""
    total = 0.0
    for variance, df in terms:
        if variance > 0.0:
            quantile = float(stdtrit(df, alpha / 2.0))  # of the lower tail, which is exact for small alpha
            total += quantile * quantile * variance
    return total
