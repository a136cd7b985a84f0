"""Train subsets drawn from one pool are not as many fresh labels: what intervals over seeds hold for.

A real learner, nearest class means on Gaussian features, whose two "arms" read all features or a few of them. Accuracy
is known exactly, so that only the seeds matter.

`python -m tests.analysis.pools` prints the table of docs/errors.md.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, stdtrit

FEATURES, FEW = 40, 8
LABELS = 100
LEVELS = (0.95, 0.99)
SUBSETS = 300  # of one pool, whose mean is what holds for that pool


@dataclass(frozen=True, kw_only=True)
class Misses:
    """Shares of intervals that miss, by level: the mean of the pool, that of other labels, the latter if widened; their
    mean width, and the share that excludes 0, as the true difference does.
    """

    pool: dict[float, float]
    others: dict[float, float]
    widened: dict[float, float]
    widths: float  # mean factor by which they are wider
    half: dict[float, float]  # half the mean width, in points of accuracy
    power: dict[float, float]


class Learner:
    """Two classes on either side of a direction that is fixed."""

    def __init__(self) -> None:
        self.direction = np.random.default_rng(1).normal(0.0, 0.16, FEATURES)

    def pool(self, rng: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
        """Features [P, F] and classes [P], half of each."""
        classes = np.arange(rows) % 2
        return rng.normal(size=(rows, FEATURES)) + np.where(classes, 1, -1)[:, None] * self.direction, classes

    def differences(
        self, rng: np.random.Generator, features: np.ndarray, classes: np.ndarray, subsets: int
    ) -> np.ndarray:
        """The accuracy with all features less that with a few, for so many train subsets of LABELS rows, [B]."""
        means = np.stack([self._means(rng, features[classes == label], subsets) for label in (1, 0)])
        return self._accuracy(means, FEATURES) - self._accuracy(means, FEW)

    def _means(self, rng: np.random.Generator, rows: np.ndarray, subsets: int) -> np.ndarray:
        chosen = rng.permuted(np.tile(np.arange(len(rows)), (subsets, 1)), axis=1)[:, : LABELS // 2]
        return np.asarray(rows[chosen].mean(axis=1))

    def _accuracy(self, means: np.ndarray, features: int) -> np.ndarray:
        right, wrong = means[0, :, :features], means[1, :, :features]
        normal, middle, at = right - wrong, (right + wrong) / 2, self.direction[:features]
        length = np.linalg.norm(normal, axis=1)
        sides = (((normal * (sign * at - middle)).sum(axis=1) * sign) / length for sign in (1, -1))
        return np.asarray(sum(ndtr(side) for side in sides) / 2)


def truth(learner: Learner, repetitions: int = 4000) -> float:
    """The mean difference over fresh labels."""
    rng = np.random.default_rng(2)
    return float(np.mean([learner.differences(rng, *learner.pool(rng, LABELS), 1)[0] for _ in range(repetitions)]))


def misses(learner: Learner, fresh: float, rows: int, seeds: int, repetitions: int) -> Misses:
    """What Student's t over seeds misses, whose subsets come from a pool of so many rows."""
    rng = np.random.default_rng([13, rows, seeds])
    factor = np.sqrt(1.0 + seeds * LABELS / (rows - LABELS))
    missed = {kind: dict.fromkeys(LEVELS, 0.0) for kind in ("pool", "others", "widened", "half", "power")}
    for _ in range(repetitions):
        pool = learner.pool(rng, rows)
        values = learner.differences(rng, *pool, seeds)
        own = learner.differences(rng, *pool, SUBSETS).mean()
        error = values.std(ddof=1) / np.sqrt(seeds)
        for level in LEVELS:
            half = stdtrit(seeds - 1, 0.5 + level / 2) * error
            missed["pool"][level] += abs(values.mean() - own) > half
            missed["others"][level] += abs(values.mean() - fresh) > half
            missed["widened"][level] += abs(values.mean() - fresh) > factor * half
            missed["half"][level] += 100 * half
            missed["power"][level] += abs(values.mean()) > half
    shares = {kind: {level: count / repetitions for level, count in each.items()} for kind, each in missed.items()}
    return Misses(**shares, widths=float(factor))


def _table(repetitions: int) -> None:
    learner = Learner()
    fresh = truth(learner)
    print(
        "| pool | share | seeds | this pool, 95% | 99% | others, 95% | 99% | widened, 95% | 99% | times as wide | "
        "half-width, 95%, 99%, points | power, 95%, 99% |"
    )
    print("| --- " * 12 + "|")
    for rows in (120, 200, 420, 1000, 2000, 8000):
        for seeds in (5, 10):
            found = misses(learner, fresh, rows, seeds, repetitions)
            shown = [f"{each[level]:.3f}" for each in (found.pool, found.others, found.widened) for level in LEVELS]
            half, power = (", ".join(f"{each[level]:.2f}" for level in LEVELS) for each in (found.half, found.power))
            shown += [f"{found.widths:.2f}", half, power]
            print(f"| {rows} | {LABELS / rows:.2f} | {seeds} | {' | '.join(shown)} |", flush=True)


if __name__ == "__main__":
    _table(1000)
