"""Linear contrasts on learning curves: which weights of its measured points read a curve at a place between them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.analysis.crossed_interval import CrossedMean

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Match:
    """Where a curve first reaches a score: the weights [K] of its points there, and how a second score that was
    measured at the same points changes with the first one.
    """

    weights: Floats
    slope: float


def weights_at(sizes: Floats, labels: float) -> Floats | None:
    """The weights [K] that read a curve over ascending sizes [K] at `labels`, linear in log N between two of them.

    None if `labels` lies outside the sizes: nothing is extrapolated.
    """
    if not sizes[0] <= labels <= sizes[-1]:
        return None
    upper = int(np.searchsorted(sizes, labels))
    weights = np.zeros(len(sizes))
    weights[upper] = 1.0
    if sizes[upper] > labels:
        share = float(np.log(labels / sizes[upper - 1]) / np.log(sizes[upper] / sizes[upper - 1]))
        weights[upper - 1], weights[upper] = 1.0 - share, share
    return weights


def match(inside: Floats, outside: Floats, score: float) -> Match | None:
    """Where a curve `inside` [K], higher being better, first reaches `score`, and how `outside` [K] changes with it.

    None if no point reaches the score, or the first one is above it already.
    """
    reached = inside >= score
    if not reached.any() or (reached[0] and inside[0] > score):
        return None
    upper = max(1, int(np.argmax(reached))) if len(inside) > 1 else 0
    weights = np.zeros(len(inside))
    if not upper:
        weights[0] = 1.0
        return Match(weights=weights, slope=1.0)
    low, high = float(inside[upper - 1]), float(inside[upper])
    share = (score - low) / (high - low) if high > low else 0.0
    weights[upper - 1], weights[upper] = 1.0 - share, share
    slope = float(outside[upper] - outside[upper - 1]) / (high - low) if high > low else 1.0
    return Match(weights=weights, slope=slope)


def bracket(readings: Iterable[CrossedMean], half: Callable[[CrossedMean], float]) -> tuple[float, float]:
    """The interval of a difference that lies between several others: from their lowest end to their highest.

    Between two sizes a learning curve is only known to rise, so a score there lies between the scores at the two. A
    straight line between them would be too low where the curve bends.

    Args:
        half: half the width of the interval of one of them.
    """
    ends = [(reading.value - half(reading), reading.value + half(reading)) for reading in readings]
    return min(low for low, _ in ends), max(high for _, high in ends)
