"""How accurate an arm is before and soon after it starts, as weights of the points of its trajectory.

Each number is a weighted sum of the scores at T points, so it can be formed of every item by itself as well.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]


def weights_after(examples: Numbers, at: float) -> Floats:
    """The weights [T] that give the score after `at` training examples.

    Linear between the points [T]; past the end it is the last one.
    """
    return np.array([np.interp(at, examples, point) for point in np.eye(len(examples))])


def area_weights(examples: Numbers, horizon: float) -> Floats:
    """The weights [T] that give the mean score over the first `horizon` training examples.

    That is the area under the trajectory over its width, in units of the score. Arms are compared over one horizon, the
    longest that all of them trained.
    """
    each = np.eye(len(examples))
    if horizon <= examples[0]:
        return np.asarray(each[0])
    inside = examples < horizon
    x = np.append(examples[inside], horizon).astype(np.float64)
    y = np.vstack([each[inside], weights_after(examples, horizon)])
    return np.asarray(np.trapezoid(y, x, axis=0) / (x[-1] - x[0]))
