"""How often the interval over seeds and items misses the truth, how wide it is and what it finds, by simulation.

The tests run short versions; `python -m tests.analysis.coverage` prints the tables of docs/errors.md (about half
an hour), with the word `skewed` the last of them alone. Intervals are computed for many repetitions at once; a test
checks that they are those of the pipeline.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np
from scipy.special import ndtri, stdtrit

from pipeline.analysis.crossed_interval import RESIDUAL_FLOOR, CrossedMean
from pipeline.analysis.skewed_seeds import factor_for_skew

Effects = Callable[[np.random.Generator, tuple[int, int]], np.ndarray]

LEVELS = (0.95, 0.99, 0.995, 0.999)
SEEDS = (3, 5, 10, 20)
SHARES = (0.05, 0.2, 0.5, 0.8, 0.95)  # of the variance of the mean, due to seeds and their noise
NOISY = 0.1  # part of the seeds' share that is seed x item noise
EFFECT = 4.0  # true effect for the power, in standard errors
REDRAWN = 0.05  # chance that a seed answers an item by luck alone
GAIN = 0.01  # true difference of the 0/1 scores


@dataclass(frozen=True, kw_only=True)
class Draws:
    """Repetitions [R] of one design: how far the estimate is off, and the parts of its variance, all of the mean."""

    error: np.ndarray
    seed: np.ndarray
    item: np.ndarray
    noise: np.ndarray
    seeds: int
    items: int

    @property
    def share(self) -> float:
        """The measured share of the seeds in the variance."""
        return float(self.seed.mean() / (self.seed.mean() + self.item.mean()))

    def half_widths(self, level: float, factor: float = 1.0) -> np.ndarray:
        """Half the width of every interval, [R], whose part over seeds is `factor` times as wide."""

        def squared(df: int) -> float:
            return float(stdtrit(df, (1.0 - level) / 2.0)) ** 2

        added = squared(self.seeds - 1) * factor**2 * self.seed + squared(self.items - 1) * self.item
        floor = squared((self.seeds - 1) * (self.items - 1)) * RESIDUAL_FLOOR * self.noise
        return np.sqrt(np.maximum(added, floor))

    def guarded_half_widths(self, level: float) -> np.ndarray:
        """The same with the room that a verdict leaves for skewed seeds."""
        return self.half_widths(level, factor_for_skew(self.seeds, level))

    def misses(self, level: float, factor: float = 1.0) -> float:
        """The share of intervals that miss the truth, as a multiple of 1 - level."""
        return float(np.mean(np.abs(self.error) > self.half_widths(level, factor)) / (1.0 - level))

    def width(self, level: float) -> float:
        """The mean width, as a multiple of the normal interval with the variance known."""
        return self._intervals(level).width(level)

    def power(self, level: float) -> float:
        """How often an effect of EFFECT standard errors is told from 0."""
        return self._intervals(level).power(level)

    def _intervals(self, level: float) -> "Intervals":
        return Intervals(error=self.error, half={level: self.half_widths(level)})


@dataclass(frozen=True, kw_only=True)
class Intervals:
    """Intervals of R repetitions: how far their middles are off, and half of each width, by level, [R] each."""

    error: np.ndarray
    half: Mapping[float, np.ndarray]

    @classmethod
    def around_zero(cls, means: Sequence[CrossedMean], levels: Sequence[float]) -> "Intervals":
        """Of means whose truth is 0."""
        half = {level: np.array([mean.half_width(level) for mean in means]) for level in levels}
        return cls(error=np.array([mean.value for mean in means]), half=half)

    def misses(self, level: float) -> float:
        """The share of intervals that miss the truth."""
        return float(np.mean(np.abs(self.error) > self.half[level]))

    def width(self, level: float) -> float:
        """The mean width, as a multiple of the normal interval with the variance known."""
        return float(self.half[level].mean() / (-ndtri((1.0 - level) / 2.0) * self.error.std()))

    def power(self, level: float) -> float:
        """How often an effect of EFFECT standard errors is told from 0."""
        return float(np.mean(np.abs(self.error + EFFECT * self.error.std()) > self.half[level]))


def gaussian(rng: np.random.Generator, seeds: int, share: float, repetitions: int, *, items: int = 600) -> Draws:
    """Gaussian seeds, items and seed x item noise, from the distributions of their mean squares.

    The noise is a tenth of the seeds' share, but 0 at a share of 1, where seeds alone hold all the variance.
    """
    noise = NOISY * share * (share < 1.0)
    seed, item = share - noise, 1.0 - share  # variances of the mean
    degrees = np.array([seeds - 1, items - 1, (seeds - 1) * (items - 1)])
    squares = rng.chisquare(degrees, size=(repetitions, 3)) / degrees * [seed + noise, item + noise, noise]
    return Draws(
        error=rng.normal(0.0, 1.0, repetitions),
        seed=squares[:, 0],
        item=np.maximum(0.0, squares[:, 1] - squares[:, 2]),
        noise=squares[:, 2],
        seeds=seeds,
        items=items,
    )


def zero_one(rng: np.random.Generator, seeds: int, share: float, repetitions: int, *, items: int = 100) -> Draws:
    """The paired difference of two arms' 0/1 scores, whose truth is GAIN.

    An item is right if its difficulty, uniform in [0, 1] and the same for all seeds, is below the seed's level; with
    chance REDRAWN a seed draws it anew. Arms share most difficulties where seeds are to matter more than items.
    """
    same, redrawn = _regime(share)
    luck = _luck_sd(seeds, items, share, same, redrawn)
    parts = [
        of_scores(_differences(rng, (count, seeds, items), same, redrawn, luck), GAIN)
        for count in _chunks(repetitions, 4_000_000 // (seeds * items))
    ]
    joined = {name: np.concatenate([getattr(p, name) for p in parts]) for name in ("error", "seed", "item", "noise")}
    return Draws(**joined, seeds=seeds, items=items)


def skewed(
    rng: np.random.Generator,
    seeds: int,
    share: float,
    repetitions: int,
    effects: Effects,
    *,
    items: int = 600,
    noisy: float = NOISY,
) -> Draws:
    """As `gaussian`, but with the effects of seeds from another distribution, of mean 0 and variance 1."""
    shape = (repetitions, seeds)
    noise, item = noisy * share, 1.0 - share
    values = effects(rng, shape) * np.sqrt((share - noise) * seeds) + rng.normal(0.0, np.sqrt(noise * seeds), shape)
    degrees = np.array([items - 1, (seeds - 1) * (items - 1)])
    squares = rng.chisquare(degrees, size=(repetitions, 2)) / degrees * [item + noise, noise]
    return Draws(
        error=values.mean(axis=1) + rng.normal(0.0, np.sqrt(item), repetitions),
        seed=values.var(axis=1, ddof=1) / seeds,
        item=np.maximum(0.0, squares[:, 0] - squares[:, 1]),
        noise=squares[:, 1],
        seeds=seeds,
        items=items,
    )


def exponential(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Seeds fall below the best by an exponential amount."""
    return 1.0 - rng.exponential(1.0, shape)


def both_exponential(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """The difference of two arms that both do so."""
    return (exponential(rng, shape) - exponential(rng, shape)) / np.sqrt(2.0)


def failing(rng: np.random.Generator, shape: tuple[int, int], *, chance: float) -> np.ndarray:
    """A seed fails with this chance, and loses what all that fail lose."""
    return (chance - (rng.random(shape) < chance)) / np.sqrt(chance * (1.0 - chance))


EFFECTS: dict[str, Effects] = {
    "exponential, one arm": exponential,
    "exponential, both arms": both_exponential,
    "10% of seeds fail": partial(failing, chance=0.1),
    "20% of seeds fail": partial(failing, chance=0.2),
}


def of_scores(scores: np.ndarray, truth: float) -> Draws:
    """The parts of many arrays of scores at once, [R, S, N]."""
    _, seeds, items = scores.shape
    rows, columns = scores.mean(axis=2, dtype=np.float64), scores.mean(axis=1, dtype=np.float64)
    grand = rows.mean(axis=1)
    squares = np.einsum("rsi,rsi->r", scores, scores, dtype=np.float64)
    ss_item = seeds * ((columns - grand[:, None]) ** 2).sum(axis=1)
    ss_seed = items * ((rows - grand[:, None]) ** 2).sum(axis=1)
    ms_noise = (squares - seeds * items * grand**2 - ss_item - ss_seed) / ((seeds - 1) * (items - 1))
    cells = seeds * items
    return Draws(
        error=grand - truth,
        seed=ss_seed / (seeds - 1) / cells,
        item=np.maximum(0.0, ss_item / (items - 1) - ms_noise) / cells,
        noise=ms_noise / cells,
        seeds=seeds,
        items=items,
    )


def _differences(
    rng: np.random.Generator, shape: tuple[int, int, int], same: float, redrawn: float, luck: float
) -> np.ndarray:
    count, seeds, items = shape
    shared = rng.random((count, 1, items), dtype=np.float32)
    scores = []
    for gain in (GAIN, 0.0):
        own = rng.random((count, 1, items), dtype=np.float32)
        difficulty = np.where(rng.random((count, 1, items)) < same, shared, own)
        drawn = rng.random(shape, dtype=np.float32)  # where it is below `redrawn`, it is uniform there: the new draw
        level = 0.5 + gain + np.clip(rng.normal(0.0, luck, (count, seeds, 1)), -0.4, 0.4).astype(np.float32)
        right = difficulty < level
        if redrawn:
            right = np.where(drawn < redrawn, drawn < redrawn * level, right)
        scores.append(right.astype(np.float32))
    return scores[0] - scores[1]


def _regime(share: float) -> tuple[float, float]:
    """The share of items whose difficulty is the same for both arms, and the chance that an answer is drawn anew."""
    if share in (0.0, 1.0):
        return 0.0, share
    return (0.98 if share >= 0.5 else 0.0), REDRAWN


def _luck_sd(seeds: int, items: int, share: float, same: float, redrawn: float) -> float:
    """The standard deviation of an arm's level over seeds that gives the wanted share, roughly."""
    if share == 1.0:
        return 0.1
    kept = (1.0 - redrawn) ** 2
    item = kept * ((1.0 - same) * 0.5 + same * GAIN) / items
    noise = (0.5 - kept * same * (0.5 - GAIN)) / items - item
    return float(np.sqrt(max(0.0, share / (1.0 - share) * item * seeds - noise) / 2.0))


def _chunks(total: int, most: int) -> list[int]:
    return [min(most, total - start) for start in range(0, total, most)]


def _table(title: str, draw: Callable[..., Draws], repetitions: int, key: int) -> None:
    print(f"\n{title}\n\n| seeds | level | {' | '.join(str(s) for s in (0, *SHARES, 1))} | width | power |")
    print("| --- " * (len(SHARES) + 6) + "|")
    for seeds in SEEDS:
        found = [
            draw(np.random.default_rng([key, seeds, n]), seeds, s, repetitions) for n, s in enumerate((0, *SHARES, 1))
        ]
        for level in LEVELS:
            misses = " | ".join(f"{d.misses(level):.2f}" for d in found)
            widths, powers = (
                ", ".join(f"{measure(d, level):.2f}" for d in found[2:5]) for measure in (Draws.width, Draws.power)
            )
            print(f"| {seeds} | {100 * level:g}% | {misses} | {widths} | {powers} |", flush=True)
    print("measured shares with the last number of seeds:", ", ".join(f"{d.share:.2f}" for d in found))


def _skewed_table(repetitions: int) -> None:
    shown = " | ".join(f"{100 * level:g}%" for level in LEVELS)
    print(f"\n| seeds vary as | share | seeds | {shown} | width, 95%, 99.9% | power, 95%, 99.9% |")
    print("| --- " * (len(LEVELS) + 5) + "|")
    for number, (name, effects) in enumerate(EFFECTS.items()):
        for share, seeds in product((0.5, 0.95), SEEDS):
            rng = np.random.default_rng([43, seeds, int(100 * share), number])
            found = skewed(rng, seeds, share, repetitions, effects)
            misses = " | ".join(f"{found.misses(level):.2f}" for level in LEVELS)
            width, power = (
                ", ".join(f"{measure(found, level):.2f}" for level in (LEVELS[0], LEVELS[-1]))
                for measure in (Draws.width, Draws.power)
            )
            print(f"| {name} | {share} | {seeds} | {misses} | {width} | {power} |", flush=True)


if __name__ == "__main__":
    if "skewed" not in sys.argv:
        _table("Gaussian", gaussian, 1_000_000, 41)
        _table("0/1 scores", zero_one, 300_000, 42)
    _skewed_table(1_000_000)
