"""The rule that turns an interval into a verdict, and what an undecided claim still needs."""

import math

from scipy.special import stdtrit

SUPPORTED, REFUTED, INCONCLUSIVE = "supported", "refuted", "inconclusive"
MOST_SEEDS = 1000


def judge(low: float, high: float, delta: float) -> str:
    """The verdict on "the effect is at least delta" from the interval of the effect, signed in the claim's direction.

    Supported when its lower end is at least delta, refuted when its upper end is below delta, else inconclusive.
    """
    if low >= delta:
        return SUPPORTED
    return REFUTED if high < delta else INCONCLUSIVE


def refutation(high: float, nothing: float = 0.0) -> str:
    """How a refuted claim fails: "opposite" when the whole interval lies on the other side of `nothing`."""
    return "opposite" if high < nothing else "too small"


def seeds_needed(per_seed: float, fixed: float, distance: float, level: float, seeds: int) -> int | None:
    """The fewest seeds, more than `seeds`, whose interval would exclude delta if the estimate stays where it is.

    The variance with S seeds is per_seed / S + fixed, in squared units of `distance`, which is from the estimate to
    delta. None where the test items alone leave the interval too wide, or 1,000 seeds would not do.
    """
    for count in range(seeds + 1, MOST_SEEDS + 1):
        variance = per_seed / count + fixed
        df = variance**2 / ((per_seed / count) ** 2 / (count - 1)) if per_seed > 0.0 and count > 1 else math.inf
        if count > 1 and float(stdtrit(min(df, 1e9), 0.5 + level / 2.0)) * math.sqrt(variance) <= distance:
            return count
    return None
