"""How much wider an interval must be so that one arm's skewed seeds miss it at most twice as often as its level says.

`python -m tests.analysis.skewed_seeds` prints the rows of `pipeline/analysis/skewed_seeds.py` (about a minute); the
tests check them with fewer repetitions.
"""

import numpy as np

from pipeline.analysis.skewed_seeds import MOST, SEEDS, TAILS
from tests.analysis.coverage import Draws, Effects, exponential, skewed

SHARE = 0.99  # of the variance of the mean, due to seeds and their noise
STEP = 0.01  # to which a factor is rounded up


def draws(rng: np.random.Generator, seeds: int, repetitions: int, effects: Effects = exponential) -> Draws:
    """Studies in which seeds are nearly all that varies."""
    return skewed(rng, seeds, SHARE, repetitions, effects)


def factor(found: Draws, level: float) -> float:
    """The least factor in steps of STEP with which an interval misses at most MOST times as often as it says."""
    low, high = round(1.0 / STEP), round(3.0 / STEP)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if found.misses(level, STEP * middle) <= MOST else (middle + 1, high)
    return STEP * low


def _table(repetitions: int) -> None:
    for seeds in SEEDS:
        found = draws(np.random.default_rng([47, seeds]), seeds, repetitions)
        print(seeds, [round(factor(found, 1.0 - tail), 2) for tail in TAILS], flush=True)


if __name__ == "__main__":
    _table(4_000_000)
