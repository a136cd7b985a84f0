"""The rule that turns an interval into a verdict, and what an undecided claim still needs."""

import dataclasses
import math
from bisect import bisect_left
from collections.abc import Callable
from typing import Final, Literal

from scipy.special import chdtri, ndtr, ndtri

from pipeline.analysis.crossed_interval import CrossedMean

CAUTION = 0.8  # how surely the variance over seeds is below what the chance of settling grants it
SUPPORTED: Final = "supported"
REFUTED: Final = "refuted"
INCONCLUSIVE: Final = "inconclusive"
MOST_SEEDS = 1000
Judgement = Literal["supported", "refuted", "inconclusive"]


def judge(low: float, high: float, delta: float) -> Judgement:
    """The verdict on "the effect is at least delta" from the interval of the effect, signed in the claim's direction.

    Supported when its lower end is at least delta, refuted when its upper end is below delta, else inconclusive.
    """
    if low >= delta:
        return SUPPORTED
    return REFUTED if high < delta else INCONCLUSIVE


def judge_within(low: float, high: float, margin: float) -> Judgement:
    """The verdict on "the effect is at most `margin` on either side of 0".

    Supported when the whole interval lies within, refuted when all of it lies outside, else inconclusive.
    """
    if -margin <= low and high <= margin:
        return SUPPORTED
    return REFUTED if high < -margin or low > margin else INCONCLUSIVE


def refutation(high: float, nothing: float = 0.0) -> Literal["too_small", "opposite"]:
    """How a refuted claim fails: "opposite" when the whole interval lies on the other side of `nothing`."""
    return "opposite" if high < nothing else "too_small"


def seeds_needed(half_width: Callable[[int], float], distance: float, seeds: int) -> int | None:
    """The fewest seeds, more than `seeds`, whose interval would exclude delta if the estimate stays where it is.

    Args:
        half_width: half the width of the interval with so many seeds, which never grows with them.
        distance: from the estimate to delta, in the same unit.

    None where the test items alone leave the interval too wide, or 1,000 seeds would not do.
    """
    counts = range(seeds + 1, MOST_SEEDS + 1)
    place = bisect_left(counts, True, key=lambda count: half_width(count) <= distance)
    return counts[place] if place < len(counts) else None


def chance_to_settle(mean: CrossedMean, delta: float, seeds: int, level: float) -> float | None:
    """The chance that the interval excludes delta once there are so many seeds, all those of `mean` among them.

    The variance over seeds is taken at its upper 80% bound, s^2 (S - 1) / chi2(0.2, S - 1), both for the width of the
    later interval and for how far the mean moves until then: by s^2 (1/S - 1/S'). The items stay the same ones.

    Args:
        delta: the smallest effect that matters, in the unit and the direction of `mean`.
        level: of the later interval.

    None with one seed, or where the variance is not finite.
    """
    if mean.seeds < 2 or not math.isfinite(mean.variance + mean.value):
        return None
    upper = mean.per_seed * (mean.seeds - 1) / float(chdtri(mean.seeds - 1, CAUTION))
    half = dataclasses.replace(mean, per_seed=upper).guarded_half_width(level, seeds)
    moves = math.sqrt(upper * (1.0 / mean.seeds - 1.0 / seeds))
    above, below = mean.value - half - delta, delta - half - mean.value
    if moves == 0.0:
        return float(above >= 0.0 or below > 0.0)
    return float(ndtr(above / moves) + ndtr(below / moves))


def smallest_effect(mean: CrossedMean, threshold: float, seeds: int, level: float, power: float = 0.8) -> float | None:
    """The smallest true effect that so many seeds show to be above `threshold` with this chance.

    The interval is taken at its expected width, and its middle as normal around the true effect with the variance of
    `mean` at so many seeds: both parts, seeds and items, as they were measured; its value is not looked at.

    None with one seed, or where the variance is not finite.
    """
    if mean.seeds < 2 or not math.isfinite(mean.variance):
        return None
    spread = math.sqrt(mean.per_seed / seeds + mean.fixed)
    return threshold + mean.guarded_half_width(level, seeds) + float(ndtri(power)) * spread
