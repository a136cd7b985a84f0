"""How often claims on multipliers, costs and robustness are wrongly supported or refuted, by simulation.

Each scenario plants the truth exactly at what the claim asks, where either verdict is wrong: at 99% each should come in
0.5% of the studies at most. Power is how often a truth well beyond it is supported. The tests run short versions;
`python -m tests.analysis.contrasts` prints the table of docs/errors.md.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pipeline.analysis.contrast import bracket, match, weights_at
from pipeline.analysis.crossed_interval import CrossedMean, item_part, mean_over
from pipeline.analysis.verdict import REFUTED, SUPPORTED, judge
from tests.analysis.simulations import bernoulli, curve

LEVEL = 0.99
ITEMS = 600
DELTA = 0.02  # of robustness
BASELINE = (0.55, 0.62, 0.70)  # in-domain scores of the other arm at three sizes
Contrast = Callable[[np.random.Generator, int, float, float], list[CrossedMean]]  # none if it cannot be judged


@dataclass(frozen=True, kw_only=True)
class Rates:
    """Shares of the studies in which the claim was supported and refuted, and in which it could be judged; and the mean
    width of what its verdict rests on.
    """

    supported: float
    refuted: float
    judged: float
    width: float


def rates(
    contrast: Contrast, planted: float, threshold: float, seeds: int, seed_sd: float, rng: np.random.Generator, n: int
) -> Rates:
    """What becomes of `n` studies of so many seeds in which the truth is `planted`."""
    found = [means for _ in range(n) if (means := contrast(rng, seeds, seed_sd, planted))]
    ends = [bracket(means, lambda mean: mean.guarded_half_width(LEVEL)) for means in found]
    verdicts = [judge(low, high, threshold) for low, high in ends]
    return Rates(
        supported=verdicts.count(SUPPORTED) / max(1, len(found)),
        refuted=verdicts.count(REFUTED) / max(1, len(found)),
        judged=len(found) / n,
        width=float(np.mean([high - low for low, high in ends])) if ends else float("nan"),
    )


def multiplier(sizes: tuple[float, ...], labels: float = 100.0) -> Contrast:
    """An arm at so many labels, worth `planted` times as many, against the other's curve at twice as many."""

    def contrast(rng: np.random.Generator, seeds: int, seed_sd: float, planted: float) -> list[CrossedMean]:
        ease = rng.uniform(-0.09, 0.09, ITEMS)
        weights = weights_at(np.array(sizes), 2.0 * labels)
        assert weights is not None
        arm = _cell(rng, float(curve(np.array(labels * planted))), ease, seeds, seed_sd)
        points = [_cell(rng, float(curve(np.array(size))), ease, seeds, seed_sd) for size in sizes]
        read = [point for point, weight in zip(points, weights, strict=True) if weight]
        return [_mean(arm - np.tensordot(weights, points, axes=1)), *(_mean(arm - point) for point in read)]

    return contrast


def computation(rng: np.random.Generator, seeds: int, seed_sd: float, planted: float) -> list[CrossedMean]:
    """Whole runs whose budgets are a factor of two apart, if the arm needs 1/`planted` of the other's computation."""
    ease = rng.uniform(-0.09, 0.09, ITEMS)
    ours, theirs = (float(curve(np.array(flops))) for flops in (100.0 * planted, 200.0))
    return [_mean(_cell(rng, ours, ease, seeds, seed_sd) - _cell(rng, theirs, ease, seeds, seed_sd))]


def robustness(slope: float) -> Contrast:
    """An arm whose out-of-domain score is `planted` above the line, of this slope, on which the other's scores lie."""

    def contrast(rng: np.random.Generator, seeds: int, seed_sd: float, planted: float) -> list[CrossedMean]:
        inside, outside = rng.uniform(-0.2, 0.2, ITEMS), rng.uniform(-0.2, 0.2, 400)

        def cells(score: float, robust: float) -> tuple[np.ndarray, np.ndarray]:
            luck = np.clip(rng.normal(0.0, seed_sd, seeds), -0.1, 0.1)  # is felt in both domains
            line = 0.5 + slope * (score - BASELINE[0]) + robust
            return bernoulli(rng, score + inside, luck), bernoulli(rng, line + outside, slope * luck)

        points, (own, far) = [cells(score, 0.0) for score in BASELINE], cells(0.66, planted)
        curves = (np.array([block[side].mean() for block in points]) for side in (0, 1))
        found = match(*curves, float(own.mean()))
        if found is None:
            return []
        read = [np.tensordot(found.weights, [block[side] for block in points], axes=1) for side in (0, 1)]
        return [_mean(far - read[1], -found.slope * (own - read[0]))]

    return contrast


def _cell(rng: np.random.Generator, score: float, ease: np.ndarray, seeds: int, seed_sd: float) -> np.ndarray:
    return bernoulli(rng, score + ease, np.clip(rng.normal(0.0, seed_sd, seeds), -0.1, 0.1))


def _mean(*blocks: np.ndarray) -> CrossedMean:
    """Of a weighted sum over one or more sets of items, [S, N] each."""
    return mean_over(sum(block.mean(axis=1) for block in blocks), [item_part(block) for block in blocks])


# Name, contrast, planted truth at the edge of the claim, planted truth beyond it, threshold of the effect.
SCENARIOS: dict[str, tuple[Contrast, float, float, float]] = {
    "multiplier of 2 at 100 labels, 200 among the sizes": (multiplier((100.0, 200.0, 400.0)), 2.0, 8.0, 0.0),
    "multiplier of 2 at 100 labels, between 100 and 400": (multiplier((100.0, 400.0)), 2.0, 8.0, 0.0),
    "multiplier of 2 at 400 labels, between 400 and 1,600": (multiplier((400.0, 1600.0), 400.0), 2.0, 16.0, 0.0),
    "half the computation": (computation, 2.0, 8.0, 0.0),
    "robustness of 2 points, slope 0.5": (robustness(0.5), DELTA, 0.15, DELTA),
    "robustness of 2 points, slope 1": (robustness(1.0), DELTA, 0.15, DELTA),
}


def _table(repetitions: int) -> None:
    print("| claim | seeds | seed sd | supported at the edge | refuted | not judged | width | supported beyond |")
    print("| --- " * 8 + "|")
    for number, (name, (contrast, edge, beyond, threshold)) in enumerate(SCENARIOS.items()):
        for seeds in (3, 5, 10):
            for seed_sd in (0.01, 0.03):
                rng = np.random.default_rng([51, number, seeds, int(1000 * seed_sd)])
                at = rates(contrast, edge, threshold, seeds, seed_sd, rng, repetitions)
                past = rates(contrast, beyond, threshold, seeds, seed_sd, rng, repetitions // 10)
                print(
                    f"| {name} | {seeds} | {seed_sd} | {at.supported:.4f} | {at.refuted:.4f} | {1 - at.judged:.3f} | "
                    f"{100 * at.width:.1f} | {past.supported:.2f} |",
                    flush=True,
                )


if __name__ == "__main__":
    _table(10_000)
