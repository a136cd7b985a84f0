"""Test items that come in groups: how often intervals miss that count them one by one, and that count groups.

`python -m tests.analysis.clusters` prints the table of docs/errors.md.
"""

import sys

import numpy as np

from pipeline.analysis.crossed_interval import by_group, crossed_mean
from tests.analysis.coverage import Intervals

LEVELS = (0.95, 0.99)
SEEDS, ITEMS = 5, 600
SEED_SD, ITEM_SD, RESIDUAL = 0.01, 0.3, 0.4


def scores(rng: np.random.Generator, groups: np.ndarray, correlation: float) -> np.ndarray:
    """Differences [S, N] whose true mean is 0; items of a group share so much of their variance."""
    shared = rng.normal(0.0, ITEM_SD, groups.max() + 1)[groups]
    own = rng.normal(0.0, ITEM_SD, len(groups))
    items = np.sqrt(correlation) * shared + np.sqrt(1.0 - correlation) * own
    seeds = rng.normal(0.0, SEED_SD, (SEEDS, 1))
    return np.asarray(seeds + items + rng.normal(0.0, RESIDUAL, (SEEDS, len(groups))))


def groups_of(rng: np.random.Generator, size: int, *, uneven: bool) -> np.ndarray:
    """The group of each of ITEMS items: of `size` items each, or a geometric number with that mean."""
    if not uneven:
        return np.arange(ITEMS) // size
    sizes = rng.geometric(1.0 / size, ITEMS)
    return np.repeat(np.arange(ITEMS), sizes)[:ITEMS]


def intervals(size: int, correlation: float, repetitions: int, *, uneven: bool = False) -> tuple[Intervals, Intervals]:
    """Those of items one by one, and of items in groups."""
    rng = np.random.default_rng([15, size, int(100 * correlation), int(uneven)])
    single, grouped = [], []
    for _ in range(repetitions):
        groups = groups_of(rng, size, uneven=uneven)
        found = scores(rng, groups, correlation)
        single.append(crossed_mean(found))
        grouped.append(crossed_mean(by_group(found, groups)))
    return Intervals.around_zero(single, LEVELS), Intervals.around_zero(grouped, LEVELS)


def _table(repetitions: int) -> None:
    print("| items a group | correlation | items count | misses, 95% | 99% | width, 99% | power, 99% |")
    print("| --- " * 7 + "|")
    for size, correlation, uneven in (
        (1, 0.0, False), (2, 1.0, False), (4, 0.3, False), (10, 0.1, False), (10, 0.3, False), (10, 0.3, True),
    ):  # fmt: skip
        for how, found in zip(
            ("one by one", "in groups"), intervals(size, correlation, repetitions, uneven=uneven), strict=True
        ):
            missed = " | ".join(f"{found.misses(level):.3f}" for level in LEVELS)
            cost = f"{found.width(LEVELS[-1]):.2f} | {found.power(LEVELS[-1]):.2f}"
            print(
                f"| {size}{' on average' if uneven else ''} | {correlation} | {how} | {missed} | {cost} |", flush=True
            )


if __name__ == "__main__":
    _table(int(sys.argv[1]) if len(sys.argv) > 1 else 4000)
