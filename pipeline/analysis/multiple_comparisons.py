"""Several questions at once."""

from collections.abc import Sequence

import numpy as np


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's (1979) step-down adjusted p-values, in the order given: each at least its own p and at most 1."""
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(stepped, 1.0)
    return [float(value) for value in adjusted]


def simultaneous_level(level: float, claims: int, share: float = 1.0) -> float:
    """The level of each of m intervals that all hold together with probability `level` or more (Bonferroni).

    Args:
        share: the part of the error that these intervals may use, where there are others, as at other looks.
    """
    return 1.0 - (1.0 - level) / max(1, claims) * share
