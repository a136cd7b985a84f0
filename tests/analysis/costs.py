"""Why no claim is judged by a cost to a target: how often "half the cost" would be supported where it is just true.

`python -m tests.analysis.costs` prints the table of docs/errors.md; a test runs a part of it.
"""

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from pipeline.analysis.cost import Reach, cost_ratio, cost_to_target

LEVEL = 0.99  # of one claim among five
TARGET, CLAIMED = 0.7, 2.0
STEPS = np.arange(10.0, 810.0, 10.0)
STEEP, FLAT = 0.15, 0.05  # how much more of the items a network has right with each doubling of its steps
SHAPES = {"steep, flat": (STEEP, FLAT), "flat, flat": (FLAT, FLAT), "steep, steep": (STEEP, STEEP)}
SEED_SD = 0.1  # of the logarithm of the steps that a seed needs


@dataclass(frozen=True, kw_only=True)
class Judged:
    """The share of studies that support "at least twice", and half the mean width of their intervals, in doublings."""

    supported: float
    half: float


def judged(
    rng: np.random.Generator,
    *,
    seeds: int,
    items: int,
    repetitions: int,
    arm_slope: float,
    slope: float,
    ratio: float = CLAIMED,
) -> Judged:
    """What becomes of studies in which the geometric mean of the true ratios is `ratio`.

    Every curve rises with the logarithm of the steps. Validation items are drawn anew in each study and shared by its
    seeds: an item is right once the curve has passed its difficulty, but for a little noise of each training.
    """
    found = []
    for _ in range(repetitions):
        difficulty = rng.random(items)
        luck = np.exp(rng.normal(0.0, SEED_SD, (2, seeds)))
        arm = [_reach(rng, difficulty, arm_slope, 100.0 * each) for each in luck[0]]
        against = [_reach(rng, difficulty, slope, 100.0 * ratio * each) for each in luck[1]]
        found.append(cost_ratio(arm, against, LEVEL))
    ends = np.array([(each.low, each.high) for each in found])
    bounded = ends[(ends[:, 0] > 0.0) & np.isfinite(ends[:, 1])]
    half = float(np.mean(np.log2(bounded[:, 1] / bounded[:, 0])) / 2.0)
    return Judged(supported=float(np.mean(ends[:, 0] >= CLAIMED)), half=half)


def _reach(rng: np.random.Generator, difficulty: np.ndarray, slope: float, needed: float) -> Reach:
    """What a training of this slope takes on these items, whose true score is at the target after `needed` steps."""
    true = TARGET + slope * np.log2(STEPS / needed)
    noisy = difficulty + rng.normal(0.0, 0.1, (len(STEPS), len(difficulty)))
    scores = (np.clip(noisy, 0.0, 1.0) < true[:, None]).mean(axis=1)
    return cost_to_target(scores, STEPS, TARGET)


def _table(repetitions: int) -> None:
    print(
        "| arm, other | seeds | validation items | supported at the edge | half-width, doublings | supported at 4 |\n"
        + "| --- " * 6
        + "|"
    )
    for name, (ours, theirs) in SHAPES.items():
        for seeds, items in product((5, 10), (128, 1000)):
            design: dict[str, Any] = {"seeds": seeds, "items": items, "arm_slope": ours, "slope": theirs}
            rng = np.random.default_rng([81, seeds, items, int(100 * ours), int(100 * theirs)])
            edge, beyond = (judged(rng, **design, repetitions=repetitions, ratio=r) for r in (CLAIMED, 2 * CLAIMED))
            shown = f"{edge.supported:.3f} | {edge.half:.2f} | {beyond.supported:.2f}"
            print(f"| {name} | {seeds} | {items:,} | {shown} |", flush=True)


if __name__ == "__main__":
    _table(400)
