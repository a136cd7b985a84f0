"""How often intervals that rest on item resamples miss the truth: macro F1 and label multipliers.

The tests run short versions; `python -m tests.analysis.simulations` prints the tables of docs/errors.md, with the word
`corpus` the last of them alone. Means are
simulated in coverage.py.
"""

import sys
from functools import partial
from itertools import product

import numpy as np

from pipeline.analysis.bootstrap import drawn_item_part, item_means, item_weights, seed_weights
from pipeline.analysis.crossed_interval import CrossedMean, ItemPart, mean_over
from pipeline.analysis.curves import label_multiplier, multiplier_interval
from pipeline.analysis.metrics import moments, pearson_of_sums, weighted_macro_f1
from pipeline.analysis.verdict import INCONCLUSIVE, judge, seeds_needed
from tests.analysis.coverage import Intervals

MEASURED = (0.95, 0.99)
LEVELS = (0.95, 0.99, 0.995, 0.999)
DELTA = 0.02
SIZES = np.array([25.0, 100.0, 400.0, 1600.0])
LABELS, MULTIPLIER = 100.0, 8.0


def bernoulli(rng: np.random.Generator, ease: np.ndarray, luck: np.ndarray) -> np.ndarray:
    """0/1 scores [S, N] with success probability ease [N] plus luck [S]."""
    return (rng.random((len(luck), len(ease))) < ease + luck[:, None]).astype(np.int8)


def _luck(rng: np.random.Generator, seed_sd: float, shape: tuple[int, ...]) -> np.ndarray:
    """Seed effects cut at 0.1, so that no probability leaves [0, 1] and the truth stays known."""
    return np.clip(rng.normal(0.0, seed_sd, shape), -0.1, 0.1)


def pearson_intervals(seeds: int, items: int, seed_sd: float, rng: np.random.Generator, repetitions: int) -> Intervals:
    """Intervals of a difference in Pearson's correlation.

    Both arms answer the true number, normal, times 0.8 by seed, plus normal noise; so the true difference is 0.
    """
    draws, means = item_weights(items, 500, rng), []
    for _ in range(repetitions):
        truth = rng.normal(size=items)
        arms = []
        for _ in range(2):
            slope = 0.8 + _luck(rng, seed_sd, (seeds, 1))
            arms.append(slope * truth + np.sqrt(1.0 - slope**2) * rng.normal(size=(seeds, items)))
        drawn, values = (
            np.subtract(*(_pearson(truth, answers, weights) for answers in arms))
            for weights in (draws, np.ones((1, items)))
        )
        means.append(mean_over(values[0], (drawn_item_part(drawn, items),)))
    return Intervals.around_zero(means, LEVELS)


def _pearson(truth: np.ndarray, answers: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Of answers [S, N] to numbers [N] under weights of items [B, N], [B, S]."""
    return np.stack([pearson_of_sums(weights.astype(np.float64) @ moments(truth, row)) for row in answers], axis=1)


def macro_f1_intervals(seeds: int, items: int, seed_sd: float, rng: np.random.Generator, repetitions: int) -> Intervals:
    """Intervals of a difference in macro F1 over 4 unequal classes.

    Both arms are right with 0.7 by seed, else they answer by the classes' shares; so the true difference is 0.
    """
    draws, shares = item_weights(items, 500, rng), np.array([0.5, 0.25, 0.15, 0.1])
    means = []
    for _ in range(repetitions):
        labels = rng.choice(4, size=items, p=shares)
        arms = [_answers(rng, labels, 0.7 + _luck(rng, seed_sd, (seeds,)), shares) for _ in range(2)]
        drawn, values = (
            np.subtract(*(weighted_macro_f1(labels, predicted, weights, classes=4) for predicted in arms))
            for weights in (draws, np.ones((1, items)))
        )
        means.append(mean_over(values[0], (drawn_item_part(drawn, items),)))
    return Intervals.around_zero(means, LEVELS)


def _answers(rng: np.random.Generator, labels: np.ndarray, skill: np.ndarray, shares: np.ndarray) -> np.ndarray:
    shape = (len(skill), len(labels))
    return np.where(rng.random(shape) < skill[:, None], labels, rng.choice(len(shares), size=shape, p=shares))


def multiplier_intervals(
    seeds: int, items: int, seed_sd: float, rng: np.random.Generator, repetitions: int
) -> np.ndarray:
    """The ends [R, 2] of 95% intervals of the label multiplier, as multiples of the value read off the true curve."""
    truth, target = curve(SIZES), float(curve(np.array(LABELS * MULTIPLIER)))
    wanted, _ = label_multiplier(SIZES, truth, target, LABELS)
    ends = np.zeros((repetitions, 2))
    for study in range(repetitions):
        ease = rng.uniform(-0.09, 0.09, items)
        arms = [bernoulli(rng, level + ease, _luck(rng, seed_sd, (seeds,))) for level in (*truth, target)]
        weights, over = item_weights(items, 500, rng), seed_weights(seeds, 500, rng)
        drawn = np.stack([np.sum(item_means(scores, weights) * over, axis=1) for scores in arms], axis=1)
        means = np.array([scores.mean() for scores in arms])
        found = multiplier_interval(SIZES, means[:-1], means[-1], LABELS, drawn[:, :-1], drawn[:, -1], 0.95)
        ends[study] = found.low / wanted, found.high / wanted
    return ends


def missed(ends: np.ndarray) -> float:
    """The share of intervals of the label multiplier that do not hold the true value."""
    return float(np.mean((ends[:, 0] > 1.0) | (ends[:, 1] < 1.0)))


def promises_kept(seeds: int, seed_sd: float, level: float, rng: np.random.Generator, repetitions: int) -> float:
    """How often "N seeds would settle it", for N up to 40, comes true of a difference whose true size varies.

    Delta is 0.02, the difference of an item has a standard deviation of 0.3, and there are 600 items.
    """
    part, promised, kept = ItemPart(variance=0.3**2 / 600, items=600), 0, 0
    while promised < repetitions:
        centre = rng.uniform(-0.04, 0.14) + rng.normal(0.0, part.variance**0.5)
        values = rng.normal(centre, seed_sd, seeds)
        needed = _needed(mean_over(values, (part,)), level)
        if needed and needed <= 40:
            promised += 1
            more = mean_over(np.append(values, rng.normal(centre, seed_sd, needed - seeds)), (part,))
            kept += judge(*more.interval(level), DELTA) != INCONCLUSIVE
    return kept / repetitions


def _needed(mean: CrossedMean, level: float) -> int | None:
    if judge(*mean.interval(level), DELTA) != INCONCLUSIVE:
        return None
    return seeds_needed(partial(mean.half_width, level), abs(mean.value - DELTA), mean.seeds)


def curve(labels: np.ndarray) -> np.ndarray:
    """The expected accuracy of scratch at so many labels."""
    return np.asarray(0.9 - 0.4 * (1.0 + labels / 150.0) ** -0.6)


def _corpus_table(repetitions: int) -> None:
    """Metrics that are no means, at every level: macro F1 and Pearson's correlation."""
    levels = " | ".join(f"{100 * level:g}%" for level in LEVELS)
    print(f"| metric | seeds | seed sd | {levels} | width, 95%, 99.9% | power, 95%, 99.9% |")
    print("| --- " * (5 + len(LEVELS)) + "|")
    for metric, intervals in (("macro F1", macro_f1_intervals), ("Pearson's correlation", pearson_intervals)):
        for seeds, (number, seed_sd) in product((3, 5, 10, 20), enumerate((0.01, 0.03))):
            found = intervals(seeds, 400, seed_sd, np.random.default_rng([34, seeds, number]), repetitions)
            misses = " | ".join(f"{found.misses(level) / (1.0 - level):.2f}" for level in LEVELS)
            width, power = (
                ", ".join(f"{measure(level):.2f}" for level in (LEVELS[0], LEVELS[-1]))
                for measure in (found.width, found.power)
            )
            print(f"| {metric} | {seeds} | {seed_sd} | {misses} | {width} | {power} |", flush=True)


def _table() -> None:
    print(
        "| seeds | items | seed sd | macro F1 misses, 95% | 99% | width | power | multiplier misses, 95% | its ends |"
    )
    print("| --- " * 9 + "|")
    for seeds in (3, 5, 10):
        for number, (items, seed_sd) in enumerate(((100, 0.01), (400, 0.01), (400, 0.03), (800, 0.03))):
            key = [31, seeds, number]
            f1 = macro_f1_intervals(seeds, items, seed_sd, np.random.default_rng(key), 2000)
            labels = multiplier_intervals(seeds, items, seed_sd, np.random.default_rng(key), 400)
            rates = " | ".join(f"{f1.misses(level):.3f}" for level in MEASURED)
            cost = f"{f1.width(MEASURED[-1]):.2f} | {f1.power(MEASURED[-1]):.2f}"
            low, high = np.median(labels, axis=0)
            shown = f"{rates} | {cost} | {missed(labels):.3f} | {low:.2f} to {high:.2f}"
            print(f"| {seeds} | {items} | {seed_sd} | {shown} |", flush=True)
    for seeds, seed_sd, level in product((3, 5), (0.02, 0.05), MEASURED):
        kept = promises_kept(seeds, seed_sd, level, np.random.default_rng([33, seeds]), 3000)
        print(
            f"'N seeds would settle it', {seeds} seeds, seed sd {seed_sd}, {level:.0%}: true in {kept:.0%}", flush=True
        )


if __name__ == "__main__":
    if "corpus" not in sys.argv:
        _table()
    _corpus_table(10_000)
