"""One number over several tasks (Agarwal et al. 2021, "Deep RL at the edge of the statistical precipice")."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from pipeline.analysis.bootstrap import percentile_interval

Floats = npt.NDArray[np.float64]


def interquartile_mean(scores: Floats) -> float:
    """The mean of the middle half of all scores [R, T] of R runs on T tasks, pooled."""
    ordered = np.sort(scores, axis=None)
    cut = len(ordered) // 4
    return float(ordered[cut : len(ordered) - cut].mean())


def probability_of_improvement(first: Floats, second: Floats) -> float:
    """How likely a run of `first` [R1, T] beats one of `second` [R2, T] on a random task; a tie counts half."""
    ahead = (first[:, None, :] > second[None, :, :]) + 0.5 * (first[:, None, :] == second[None, :, :])
    return float(ahead.mean())


def stratified_interval(
    statistic: Callable[..., float], groups: tuple[Floats, ...], level: float, replicates: int, rng: np.random.Generator
) -> tuple[float, float]:
    """Percentile interval of `statistic(*groups)`, resampling the runs of each group [R, T] within each task."""
    return percentile_interval(
        np.array([statistic(*(_resample(group, rng) for group in groups)) for _ in range(replicates)]), level
    )


def _resample(scores: Floats, rng: np.random.Generator) -> Floats:
    rows = rng.integers(0, scores.shape[0], size=scores.shape)
    return np.take_along_axis(scores, rows, axis=0)
