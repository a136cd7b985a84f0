"""What tuning bought: the best of k trials, expected."""

from math import comb

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def expected_best(values: Floats) -> Floats:
    """The expected best of k of n random trials, for k = 1..n: [n] from validation scores [n], higher being better.

    Unbiased: sum over sorted v_(i) of C(i-1, k-1) / C(n, k) v_(i) (Dodge et al. 2019; Tang et al. 2020). It holds for
    unpruned random search only.

    Raises:
        ValueError: there is no trial.
    """
    if not len(values):
        raise ValueError("the expected best needs at least one trial")
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    n = len(ordered)
    return np.array([sum(comb(i, k - 1) / comb(n, k) * ordered[i] for i in range(k - 1, n)) for k in range(1, n + 1)])


def median_best_so_far(paths: Floats) -> Floats:
    """For an adaptive sampler: the median over P repeated sweeps of the best value so far, [n] from paths [P, n]."""
    return np.asarray(np.median(np.maximum.accumulate(paths, axis=1), axis=0))
