"""The slope of scores on a number known of each item, as a mean over items: intervals of means hold for it."""

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def slope_by_item(scores: npt.NDArray[Any], at: npt.NDArray[Any]) -> Floats:
    """The least-squares slope of `scores` on `at`, as one number for each item, float64 [N]: their mean is the slope.

    With x the distance of `at` from its mean, S the sum of its squares, e the residual and h = 1/N + x^2 / S:

        u = slope + c - mean c,   c = (N - 1) x e / (S (1 - h))

    They are the jackknife's pseudo-values, moved to the slope. So the variance of their mean is the one that is robust
    to unequal variances and to items far from the mean (HC3: MacKinnon & White 1985). They are linear in the scores:
    the difference of two arms' numbers is the number of their difference.

    Args:
        scores: of N items.
        at: what they are regressed on.

    Raises:
        ValueError: `at` does not vary, or one item alone is not at the value of all others.
    """
    x = np.asarray(at, dtype=np.float64) - np.mean(at, dtype=np.float64)
    y = np.asarray(scores, dtype=np.float64) - np.mean(scores, dtype=np.float64)
    squares = float(x @ x)
    free = 1.0 - 1.0 / len(x) - x * x / squares if squares > 0 else np.zeros(1)
    if free.min() < 1e-9:
        raise ValueError("items must be at several values, with more than one item away from the others")
    slope = float(x @ y) / squares
    moved = (len(x) - 1) * x * (y - slope * x) / (squares * free)
    return np.asarray(slope + moved - moved.mean())
