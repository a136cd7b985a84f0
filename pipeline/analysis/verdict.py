"""The rule that turns an interval into a verdict, and what an undecided claim still needs."""

from bisect import bisect_left
from collections.abc import Callable

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
