"""Test items that come in groups: how often intervals miss that count them one by one, and that count groups.

`python -m tests.analysis.clusters` prints the table of docs/errors.md.
"""

import sys

import numpy as np

from pipeline.analysis.crossed_interval import by_group, crossed_mean

LEVELS = (0.95, 0.99)
SEEDS, ITEMS = 5, 600
SEED_SD, ITEM_SD, RESIDUAL = 0.01, 0.3, 0.4
Rates = dict[float, float]


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


def misses(size: int, correlation: float, repetitions: int, *, uneven: bool = False) -> tuple[Rates, Rates]:
    """Shares of intervals that miss, items one by one and in groups, by level."""
    rng = np.random.default_rng([15, size, int(100 * correlation), int(uneven)])
    single, grouped = dict.fromkeys(LEVELS, 0.0), dict.fromkeys(LEVELS, 0.0)
    for _ in range(repetitions):
        groups = groups_of(rng, size, uneven=uneven)
        found = scores(rng, groups, correlation)
        for missed, mean in ((single, crossed_mean(found)), (grouped, crossed_mean(by_group(found, groups)))):
            for level in LEVELS:
                missed[level] += float(abs(mean.value) > mean.half_width(level)) / repetitions
    return single, grouped


def _table(repetitions: int) -> None:
    print("| items a group | correlation | one by one, 95% | 99% | in groups, 95% | 99% |")
    print("| --- " * 6 + "|")
    for size, correlation, uneven in (
        (1, 0.0, False), (2, 1.0, False), (4, 0.3, False), (10, 0.1, False), (10, 0.3, False), (10, 0.3, True),
    ):  # fmt: skip
        found = misses(size, correlation, repetitions, uneven=uneven)
        shown = " | ".join(f"{rates[level]:.3f}" for rates in found for level in LEVELS)
        print(f"| {size}{' on average' if uneven else ''} | {correlation} | {shown} |", flush=True)


if __name__ == "__main__":
    _table(int(sys.argv[1]) if len(sys.argv) > 1 else 4000)
