"""Why no claim is judged by a cost to a target: how often "half the cost" would be supported where it is just true.

`python -m tests.analysis.costs` prints the table of docs/errors.md; a test runs a part of it.
"""

from collections.abc import Sequence
from itertools import product

import numpy as np

from pipeline.analysis.cost import Reach, cost_ratio, cost_to_target

LEVEL = 0.99  # of one claim among five
TARGET, CLAIMED = 0.7, 2.0
STEPS = np.arange(10.0, 810.0, 10.0)
STEEP, FLAT = 0.15, 0.05  # how much more of the items a network has right with each doubling of its steps
SEED_SD = 0.1  # of the logarithm of the steps that a seed needs


def supported(
    rng: np.random.Generator, *, seeds: int, items: int, repetitions: int, arm_slope: float, slope: float
) -> float:
    """The share of studies that support "at least half", where the geometric mean of the true ratios is exactly that.

    Every curve rises with the logarithm of the steps. Validation items are drawn anew in each study and shared by its
    seeds: an item is right once the curve has passed its difficulty, but for a little noise of each training.
    """
    hits = 0
    for _ in range(repetitions):
        difficulty = rng.random(items)
        luck = np.exp(rng.normal(0.0, SEED_SD, (2, seeds)))
        arm = [_reach(rng, difficulty, arm_slope, 100.0 * each) for each in luck[0]]
        against = [_reach(rng, difficulty, slope, 100.0 * CLAIMED * each) for each in luck[1]]
        hits += cost_ratio(arm, against, LEVEL).low >= CLAIMED
    return hits / repetitions


def _reach(rng: np.random.Generator, difficulty: np.ndarray, slope: float, needed: float) -> Reach:
    """What a training of this slope takes on these items, whose true score is at the target after `needed` steps."""
    true = TARGET + slope * np.log2(STEPS / needed)
    noisy = difficulty + rng.normal(0.0, 0.1, (len(STEPS), len(difficulty)))
    scores = (np.clip(noisy, 0.0, 1.0) < true[:, None]).mean(axis=1)
    return cost_to_target(scores, STEPS, TARGET)


def table(rng: np.random.Generator, repetitions: int = 1000) -> Sequence[str]:
    """The rows of docs/errors.md."""
    rows = [
        "| seeds | validation items | arm steep, other flat | both flat | both steep |",
        "| --- | --- | --- | --- | --- |",
    ]
    for seeds, items in product((5, 10), (128, 1000)):
        found = [
            supported(rng, seeds=seeds, items=items, repetitions=repetitions, arm_slope=ours, slope=theirs)
            for ours, theirs in ((STEEP, FLAT), (FLAT, FLAT), (STEEP, STEEP))
        ]
        rows.append(f"| {seeds} | {items:,} | " + " | ".join(f"{share:.3f}" for share in found) + " |")
    return rows


if __name__ == "__main__":
    print("\n".join(table(np.random.default_rng(20261201))))
