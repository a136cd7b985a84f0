"""How much wider an interval must be so that one arm's skewed seeds miss it at most twice as often as promised.

`python -m tests.analysis.skewed_seeds` prints the rows of `pipeline/analysis/skewed_seeds.py` (about a minute); the
tests check them with fewer repetitions.
"""

import sys

import numpy as np

from pipeline.analysis.skewed_seeds import MOST, SEEDS, TAILS, factor_for_skew
from tests.analysis.coverage import NOISY, Draws, Intervals, exponential, skewed

SHARE = 0.99  # of the variance of the mean, due to seeds and their noise
SHARES_OF_NOISE = (NOISY, 0.05, 0.02, 0.0)  # of the seeds' part
STEP = 0.01  # to which a factor is rounded up


def draws(rng: np.random.Generator, seeds: int, repetitions: int, *, noisy: float = 0.0) -> Draws:
    """Studies in which seeds are nearly all that varies, and differ in nothing but their skewed effects."""
    return skewed(rng, seeds, SHARE, repetitions, exponential, noisy=noisy)


def factor(found: Draws, level: float) -> float:
    """The least factor in steps of STEP with which an interval misses at most MOST times as often as promised."""
    low, high = round(1.0 / STEP), round(3.0 / STEP)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if found.misses(level, STEP * middle) <= MOST else (middle + 1, high)
    return STEP * low


def _table(repetitions: int) -> None:
    for seeds in SEEDS:
        found = draws(np.random.default_rng([47, seeds]), seeds, repetitions)
        print(
            "(" + ", ".join(f"{factor(found, 1.0 - tail):.2f}" for tail in TAILS) + f"),  # {seeds} seeds", flush=True
        )


def _left(repetitions: int) -> None:
    """How often guarded intervals miss where seeds differ less in which items they answer."""
    noise = " | ".join(f"noise {share:.0%}" for share in SHARES_OF_NOISE)
    print(f"\n| seeds | level | {noise} | width, noise 0% | power, noise 0% |")
    print("| --- " * (4 + len(SHARES_OF_NOISE)) + "|")
    for seeds in (3, 5, 10, 20):
        found = [draws(np.random.default_rng([48, seeds]), seeds, repetitions, noisy=n) for n in SHARES_OF_NOISE]
        for level in (0.95, 0.99, 0.998):
            shown = [f"{each.misses(level, factor_for_skew(seeds, level)):.2f}" for each in found]
            guarded = Intervals(error=found[-1].error, half={level: found[-1].guarded_half_widths(level)})
            shown += [f"{guarded.width(level):.2f}", f"{guarded.power(level):.2f}"]
            print(f"| {seeds} | {100 * level:g}% | {' | '.join(shown)} |", flush=True)


if __name__ == "__main__":
    if "left" not in sys.argv:
        _table(4_000_000)
    _left(1_000_000)
