"""Learning curves over label counts: how many labels a score is worth."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from pipeline.analysis.bootstrap import percentile_interval

Floats = npt.NDArray[np.float64]

Censoring = Literal["none", "above", "below"]
FEWEST_POINTS = 4  # for a power law
FEWEST_USABLE = 0.5  # share of the replicates that must allow a fit before an interval is given


@dataclass(frozen=True, kw_only=True)
class LabelMultiplier:
    """N*/n. It is `censored` "above" if `value` is a lower bound, "below" if it is an upper bound."""

    value: float
    low: float
    high: float
    censored: Censoring


@dataclass(frozen=True, kw_only=True)
class PowerLaw:
    """k n**alpha, each with its interval (low, high); the interval is (0, inf) where replicates give none."""

    k: float
    alpha: float
    k_interval: tuple[float, float]
    alpha_interval: tuple[float, float]
    usable: float


def isotonic(values: npt.NDArray[Any]) -> Floats:
    """The non-decreasing least-squares fit (pool adjacent violators) along the last axis, of shape [..., K] as given.

    By the max-min formula fit_j = max over i <= j of min over k >= j of the mean of values i..k, which runs over many
    curves at once and is exact for the few sizes of a study.
    """
    values = np.asarray(values, dtype=np.float64)
    points = values.shape[-1]
    sums = np.concatenate([np.zeros((*values.shape[:-1], 1)), np.cumsum(values, axis=-1)], axis=-1)
    fitted = np.full(values.shape, -np.inf)
    for start in range(points):
        means = (sums[..., start + 1 :] - sums[..., start, None]) / np.arange(1, points - start + 1)
        least = np.minimum.accumulate(means[..., ::-1], axis=-1)[..., ::-1]
        fitted[..., start:] = np.maximum(fitted[..., start:], least)
    # Rounding in the sums may undo the order by one digit in the last place.
    return np.asarray(np.maximum.accumulate(fitted, axis=-1))


def labels_to_reach(sizes: Floats, fitted: Floats, targets: Floats) -> Floats:
    """The fewest labels N* at which non-decreasing curves [..., K] over sizes [K] reach targets [...].

    Linear in log N between sizes; the smallest N on a plateau; -inf below the smallest size, inf past the largest.
    """
    reached = fitted >= targets[..., None]
    upper = np.argmax(reached, axis=-1)
    lower = np.maximum(upper - 1, 0)
    high = np.take_along_axis(fitted, upper[..., None], axis=-1)[..., 0]
    low = np.take_along_axis(fitted, lower[..., None], axis=-1)[..., 0]
    rise = np.where(high > low, high - low, 1.0)
    share = np.clip((targets - low) / rise, 0.0, 1.0)
    labels = sizes[lower] * (sizes[upper] / sizes[lower]) ** share
    labels = np.where((upper == 0) & (high > targets), -np.inf, labels)
    return np.where(reached.any(axis=-1), labels, np.inf)


def label_multiplier(sizes: Floats, curve: Floats, target: float, at: float) -> tuple[float, Censoring]:
    """N*/n for one curve [K] over sizes [K] and the score `target` reached elsewhere with `at` labels.

    Censored it is the bound, with "above" or "below"; never extrapolated.
    """
    labels = float(labels_to_reach(sizes, isotonic(curve), np.asarray(target, dtype=np.float64)))
    if np.isfinite(labels):
        return labels / at, "none"
    return (float(sizes[-1]) / at, "above") if labels > 0 else (float(sizes[0]) / at, "below")


def multiplier_interval(
    sizes: Floats, curve: Floats, target: float, at: float, curves: Floats, targets: Floats, level: float
) -> LabelMultiplier:
    """The multiplier with its percentile interval from joint replicates of the curve [B, K] and the target [B].

    A censored replicate counts as plus or minus infinity. A lower end among those above is given as the bound N_max/n,
    which it surely exceeds, an upper end among those below as N_min/n; the other ends are infinity and 0.
    """
    value, censored = label_multiplier(sizes, curve, target, at)
    low, high = percentile_interval(labels_to_reach(sizes, isotonic(curves), targets) / at, level)
    least, most = float(sizes[0]) / at, float(sizes[-1]) / at
    low = 0.0 if low == -np.inf else min(low, most)
    high = least if high == -np.inf else high
    return LabelMultiplier(
        value=value,
        low=min(low, value),
        high=np.inf if censored == "above" else max(high, value),
        censored=censored,
    )


def transferred_law(sizes: Floats, labels: Floats, replicates: Floats, level: float) -> PowerLaw | None:
    """Effective data transferred D = N* - n fitted as k n**alpha (Hernandez et al. 2021), least squares on logarithms.

    `labels` [K] holds N* at each n of `sizes` [K], `replicates` [B, K] its resamples; censored or non-positive points
    are left out. None with fewer than four points.
    """
    usable = np.isfinite(labels) & (labels > sizes)
    if usable.sum() < FEWEST_POINTS:
        return None
    n, resampled = sizes[usable], replicates[:, usable]
    alpha, k = _fit(n, (labels[usable] - n)[None])
    whole = np.all(np.isfinite(resampled) & (resampled > n), axis=1)
    alphas, ks = _fit(n, resampled[whole] - n)
    enough = whole.mean() >= FEWEST_USABLE
    return PowerLaw(
        k=float(k[0]),
        alpha=float(alpha[0]),
        k_interval=percentile_interval(ks, level) if enough else (0.0, np.inf),
        alpha_interval=percentile_interval(alphas, level) if enough else (-np.inf, np.inf),
        usable=float(whole.mean()),
    )


def _fit(sizes: Floats, amounts: Floats) -> tuple[Floats, Floats]:
    x = np.log(sizes) - np.log(sizes).mean()
    y = np.log(amounts)
    slopes = y @ x / (x @ x)
    return slopes, np.exp(y.mean(axis=1) - slopes * np.log(sizes).mean())
