"""Seeds that fall into two kinds: trainings that work and trainings that fail, of which no t interval can be made.

Values over seeds are cut in two at the place that leaves the least variance within the parts. How often the parts of a
Gaussian sample would be as far apart follows from simulation. Where no seed failed, some still may.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv

Floats = npt.NDArray[np.float64]

CLEAN = 0.01  # of Gaussian samples are cut as cleanly as what counts as two kinds
_SAMPLES = 20_000
_STREAM = 104


@dataclass(frozen=True, kw_only=True)
class TwoKinds:
    """The best cut of per-seed values in two. `rare` are the positions of the smaller part, or of the lower of two
    parts of one size; `distance` is that between the means of the parts; `p` how often Gaussian values would be cut as
    cleanly.
    """

    rare: tuple[int, ...]
    distance: float
    p: float


def two_kinds(values: npt.ArrayLike, noise: float = 0.0) -> TwoKinds | None:
    """How cleanly per-seed values [S] fall into two parts; None with two seeds or fewer, or where all are the same.

    Args:
        values: one for each seed.
        noise: the variance of one seed's value that comes from its items alone, which no part can vary less than.
    """
    per_seed = np.asarray(values, dtype=np.float64)
    order, seeds = np.argsort(per_seed, kind="stable"), len(per_seed)
    if seeds < 3 or np.ptp(per_seed) <= 1e-12:
        return None
    shares = _shares(per_seed[order][None], noise)[0]
    cut = int(shares.argmax()) + 1
    low, high = order[:cut], order[cut:]
    rare = low if len(low) <= len(high) else high
    return TwoKinds(
        rare=tuple(int(place) for place in np.sort(rare)),
        distance=float(per_seed[high].mean() - per_seed[low].mean()),
        p=float((1 + np.sum(_of_gaussians(seeds) >= shares.max())) / (1 + _SAMPLES)),
    )


def failing_shares(failed: int, seeds: int, alpha: float) -> tuple[float, float]:
    """The least and the largest share of trainings that fail where so many of these did, each at 1 - alpha.

    Clopper and Pearson's bounds; where none failed the largest is 1 - alpha^(1/S).
    """
    least = float(betaincinv(failed, seeds - failed + 1, alpha)) if failed else 0.0
    most = float(betaincinv(failed + 1, seeds - failed, 1.0 - alpha)) if failed < seeds else 1.0
    return least, most


def _shares(ordered: Floats, noise: float) -> Floats:
    """The share of the variance between the parts at each cut [R, S - 1] of ordered values [R, S]."""
    seeds = ordered.shape[1]
    sums, squares = np.cumsum(ordered, axis=1), np.cumsum(ordered**2, axis=1)
    below, total = np.arange(1, seeds), sums[:, -1:]
    parts = sums[:, :-1] ** 2 / below + (total - sums[:, :-1]) ** 2 / (seeds - below)
    between = parts - total**2 / seeds
    within = np.maximum(squares[:, -1:] - parts, noise * (seeds - 2))
    return np.asarray(between / np.maximum(between + within, 1e-300))


@lru_cache
def _of_gaussians(seeds: int) -> Floats:
    """The share at the best cut of many Gaussian samples."""
    samples = np.random.default_rng([_STREAM, seeds]).normal(size=(_SAMPLES, seeds))
    return np.asarray(_shares(np.sort(samples, axis=1), 0.0).max(axis=1))
