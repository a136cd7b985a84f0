"""Room for skewed seeds: Student's t misses more often than promised where one arm's seeds are skewed.

The higher the level, the more so, and more seeds help only from about twenty on. A factor is how much wider the part of
an interval that comes from seeds has to be so that exponential seeds miss it at most twice as often as promised. Seeds
are 0.99 of the variance there, and a tenth of their part is seed x item noise, as in all simulations of
tests/analysis/coverage.py; docs/errors.md has what is left where that noise is smaller.
"""

from typing import Final

import numpy as np

MOST: Final = 2.0
SEEDS: Final = (3, 4, 5, 6, 8, 10, 15, 20, 40)
TAILS: Final = (0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005, 0.0002, 0.0001)  # 1 - level
# By number of seeds and by tail, four million studies each: `python -m tests.analysis.skewed_seeds`.
FACTORS: Final = (
    (1.00, 1.00, 1.00, 1.00, 1.00, 1.00, 1.00, 1.00, 1.00),
    (1.00, 1.03, 1.07, 1.10, 1.11, 1.12, 1.12, 1.12, 1.12),
    (1.00, 1.07, 1.14, 1.17, 1.20, 1.22, 1.22, 1.23, 1.23),
    (1.00, 1.09, 1.16, 1.21, 1.26, 1.27, 1.29, 1.30, 1.32),
    (1.00, 1.08, 1.16, 1.23, 1.29, 1.33, 1.35, 1.37, 1.38),
    (1.00, 1.06, 1.15, 1.22, 1.29, 1.33, 1.36, 1.40, 1.41),
    (1.00, 1.03, 1.11, 1.18, 1.25, 1.30, 1.34, 1.38, 1.41),
    (1.00, 1.00, 1.07, 1.14, 1.21, 1.26, 1.29, 1.33, 1.36),
    (1.00, 1.00, 1.00, 1.06, 1.12, 1.16, 1.19, 1.24, 1.27),
)


def factor_for_skew(seeds: int, level: float) -> float:
    """How much wider the part over so many seeds has to be at this level; at an end of the table, as there."""
    tails = np.log(TAILS[::-1])
    at_level = [np.interp(np.log(max(1.0 - level, TAILS[-1])), tails, row[::-1]) for row in FACTORS]
    return float(np.interp(seeds, SEEDS, at_level))
