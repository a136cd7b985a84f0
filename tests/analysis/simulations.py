"""How often intervals hold the truth, by simulation. The tests run short versions; this prints the table of the docs:

python -m tests.analysis.simulations
"""

import numpy as np

from pipeline.analysis.bootstrap import item_means, item_weights, multi_bootstrap, percentile_interval, seed_weights
from pipeline.analysis.crossed import crossed_mean, crossed_unpaired
from pipeline.analysis.curves import label_multiplier, multiplier_interval

SIZES = np.array([25.0, 100.0, 400.0, 1600.0])
LABELS, MULTIPLIER = 100.0, 8.0


def bernoulli(rng: np.random.Generator, ease: np.ndarray, luck: np.ndarray) -> np.ndarray:
    """0/1 scores [S, N] with success probability ease [N] plus luck [S]."""
    return (rng.random((len(luck), len(ease))) < ease + luck[:, None]).astype(np.int8)


def _luck(rng: np.random.Generator, seed_sd: float, shape: tuple[int, ...]) -> np.ndarray:
    """Seed effects cut at 0.1, so that no probability leaves [0, 1] and the truth stays known."""
    return np.clip(rng.normal(0.0, seed_sd, shape), -0.1, 0.1)


def difference_coverage(seeds: int, items: int, seed_sd: float, rng: np.random.Generator, repetitions: int) -> float:
    """Share of 95% intervals of a paired difference (crossed components) that hold the true 0.05."""
    held = 0
    for _ in range(repetitions):
        ease, interaction = rng.uniform(0.55, 0.75, items), rng.uniform(-0.1, 0.1, items)
        luck = _luck(rng, seed_sd, (2, seeds))
        difference = bernoulli(rng, ease + interaction + 0.05, luck[0]) - bernoulli(rng, ease, luck[1])
        low, high = crossed_mean(difference).interval(0.95)
        held += low <= 0.05 <= high
    return held / repetitions


def aa_rate(seeds: int, items: int, rng: np.random.Generator, repetitions: int) -> float:
    """How often two disjoint groups of seeds of one arm, from a bank of forty, differ at 5%."""
    bank = bernoulli(rng, rng.uniform(0.5, 0.9, items), rng.normal(0, 0.02, 40))
    differ = 0
    for _ in range(repetitions):
        order = rng.permutation(40)
        low, high = crossed_unpaired(bank[order[:seeds]], bank[order[seeds : 2 * seeds]]).interval(0.95)
        differ += not low <= 0.0 <= high
    return differ / repetitions


def bootstrap_coverage(seeds: int, items: int, seed_sd: float, rng: np.random.Generator, repetitions: int) -> float:
    """Share of 95% intervals of a mean (crossed multi-bootstrap) that hold the true 0.7."""
    held = 0
    for _ in range(repetitions):
        scores = bernoulli(rng, rng.uniform(0.55, 0.85, items), _luck(rng, seed_sd, (seeds,)))
        replicates = multi_bootstrap(lambda w, x=scores: item_means(x, w), seeds, items, 500, rng)
        low, high = percentile_interval(replicates, 0.95)
        held += low <= 0.7 <= high
    return held / repetitions


def multiplier_coverage(seeds: int, items: int, seed_sd: float, rng: np.random.Generator, repetitions: int) -> float:
    """Share of 95% intervals of the label multiplier that hold the value read off the true curve."""
    truth, target = curve(SIZES), float(curve(np.array(LABELS * MULTIPLIER)))
    wanted, _ = label_multiplier(SIZES, truth, target, LABELS)
    held = 0
    for _ in range(repetitions):
        ease = rng.uniform(-0.09, 0.09, items)
        arms = [bernoulli(rng, level + ease, _luck(rng, seed_sd, (seeds,))) for level in (*truth, target)]
        weights, over = item_weights(items, 500, rng), seed_weights(seeds, 500, rng)
        drawn = np.stack([np.sum(item_means(scores, weights) * over, axis=1) for scores in arms], axis=1)
        means = np.array([scores.mean() for scores in arms])
        found = multiplier_interval(SIZES, means[:-1], means[-1], LABELS, drawn[:, :-1], drawn[:, -1], 0.95)
        held += found.low <= wanted <= found.high
    return held / repetitions


def curve(labels: np.ndarray) -> np.ndarray:
    """The expected accuracy of scratch at so many labels."""
    return np.asarray(0.9 - 0.4 * (1.0 + labels / 150.0) ** -0.6)


def _table() -> None:
    print("| seeds | seed sd | crossed t, difference | multi-bootstrap, mean | label multiplier |")
    print("| --- | --- | --- | --- | --- |")
    for seeds in (2, 3, 5, 10):
        for number, seed_sd in enumerate((0.0, 0.01, 0.03)):
            key = [31, seeds, number]
            crossed = difference_coverage(seeds, 800, seed_sd, np.random.default_rng(key), 4000)
            boot = bootstrap_coverage(seeds, 800, seed_sd, np.random.default_rng(key), 400)
            labels = multiplier_coverage(seeds, 800, seed_sd, np.random.default_rng(key), 400)
            print(f"| {seeds} | {seed_sd} | {crossed:.3f} | {boot:.3f} | {labels:.3f} |", flush=True)
    for seeds in (3, 5, 10, 20):
        print(
            f"A/A, {seeds} against {seeds} seeds: {aa_rate(seeds, 800, np.random.default_rng([32, seeds]), 4000):.3f}"
        )


if __name__ == "__main__":
    _table()
