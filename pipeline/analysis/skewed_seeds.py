"""Room for skewed seeds: Student's t misses more often than promised where one arm's seeds are skewed.

The higher the level, the more so, and more seeds help only from about twenty on. A factor is how much wider the part of
an interval that comes from seeds has to be so that exponential seeds miss it at most twice as often as promised. Seeds
are 0.99 of the variance there and differ in nothing else; seed x item noise, which makes them less skewed, would allow
for smaller factors (docs/errors.md).
"""

from typing import Final

import numpy as np

MOST: Final = 2.0
SEEDS: Final = (3, 4, 5, 6, 8, 10, 15, 20, 40)
TAILS: Final = (0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005, 0.0002, 0.0001)  # 1 - level
HIGHEST: Final = 1.0 - TAILS[-1]  # level of a verdict
# By number of seeds and by tail, four million studies each: `python -m tests.analysis.skewed_seeds`.
FACTORS: Final = (
    (1.11, 1.32, 1.42, 1.50, 1.57, 1.61, 1.62, 1.62, 1.62),
    (1.12, 1.38, 1.54, 1.66, 1.79, 1.86, 1.92, 1.97, 1.98),
    (1.10, 1.37, 1.54, 1.68, 1.83, 1.92, 2.01, 2.11, 2.17),
    (1.07, 1.34, 1.50, 1.65, 1.81, 1.91, 1.99, 2.09, 2.17),
    (1.03, 1.27, 1.43, 1.56, 1.72, 1.82, 1.93, 2.04, 2.13),
    (1.00, 1.21, 1.36, 1.49, 1.64, 1.76, 1.85, 1.95, 2.02),
    (1.00, 1.12, 1.25, 1.36, 1.49, 1.57, 1.65, 1.74, 1.81),
    (1.00, 1.07, 1.18, 1.28, 1.39, 1.46, 1.53, 1.61, 1.67),
    (1.00, 1.00, 1.05, 1.13, 1.21, 1.26, 1.31, 1.38, 1.42),
)


def factor_for_skew(seeds: int, level: float) -> float:
    """How much wider the part over so many seeds has to be at this level; at an end of the table, as there."""
    tails = np.log(TAILS[::-1])
    at_level = [np.interp(np.log(max(1.0 - level, TAILS[-1])), tails, row[::-1]) for row in FACTORS]
    return float(np.interp(seeds, SEEDS, at_level))
