"""How accurate an arm is before and soon after it starts."""

from typing import Any

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[Any]


def score_after(examples: Numbers, scores: Numbers, at: float) -> float:
    """The score after `at` training examples: linear between the points [T], the last one past the end."""
    return float(np.interp(at, examples, scores))


def normalised_area(examples: Numbers, scores: Numbers, horizon: float) -> float:
    """The mean score over the first `horizon` training examples: the area under the trajectory [T] over its width.

    In units of the score. Arms are compared over one horizon, the longest that all of them trained.
    """
    if horizon <= examples[0]:
        return float(scores[0])
    inside = examples < horizon
    x = np.append(examples[inside], horizon).astype(np.float64)
    y = np.append(scores[inside], score_after(examples, scores, horizon))
    return float(np.trapezoid(y, x) / (x[-1] - x[0]))
