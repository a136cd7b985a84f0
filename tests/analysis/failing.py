"""How often studies whose trainings fail now and then give a wrong verdict, with and without the obstacle of two kinds
of seeds.

`python -m tests.analysis.failing` prints the table of docs/statistics.md; the tests run parts of it.
"""

import sys
from dataclasses import dataclass
from itertools import product

import numpy as np

from pipeline.analysis.multiple import simultaneous_level
from pipeline.analysis.two_kinds import CLEAN, two_kinds
from tests.analysis.coverage import Draws, of_scores
from tests.analysis.looks import CONFIDENCE, DELTA, PLANNED, Design, course, differences

ITEM_SD = 0.25


@dataclass(frozen=True, kw_only=True)
class Failures:
    """A seed fails with this chance and then loses so much; those that work vary by `seed_sd`."""

    chance: float
    loss: float
    seed_sd: float = 0.01


def failing_differences(
    rng: np.random.Generator, failures: Failures, repetitions: int, *, seeds: int, items: int
) -> np.ndarray:
    """Paired differences [R, S, N] whose true mean is 0, failures included."""
    scores = differences(rng, (failures.seed_sd, ITEM_SD), repetitions, seeds=seeds, items=items)
    lost = failures.loss * (failures.chance - (rng.random((repetitions, seeds, 1)) < failures.chance))
    return np.asarray(scores + lost.astype(np.float32))


def of_two_kinds(scores: np.ndarray, draws: Draws) -> np.ndarray:
    """Which of R studies have seeds of two kinds by the rule of the pipeline, bool [R]."""
    found = (
        two_kinds(row, noise)
        for row, noise in zip(scores.mean(axis=2, dtype=np.float64), draws.noise * draws.seeds, strict=True)
    )
    return np.array([one is not None and one.p <= CLEAN for one in found])


def wrong_verdicts(
    rng: np.random.Generator,
    failures: Failures,
    *,
    claims: int,
    effect: float,
    repetitions: int,
    items: int = 200,
    design: Design = PLANNED,
    chunk: int = 100,
) -> tuple[float, float, float]:
    """The share of studies with a wrong verdict on any claim, without and with the obstacle, and how often it stands
    in the way of a claim at its last look.
    """
    wrong, guarded, blocked = [], [], []
    for _ in range(0, repetitions, chunk):
        plain, kept, ended = np.zeros(chunk, bool), np.zeros(chunk, bool), []
        for _ in range(claims):
            scores = failing_differences(rng, failures, chunk, seeds=design.seeds[-1], items=items)
            found = [of_scores(scores[:, :count], 0.0) for count in design.seeds]
            plain |= course(found, design, claims, effect).wrong
            held = [of_two_kinds(scores[:, :count], d) for count, d in zip(design.seeds, found, strict=True)]
            kept |= _guarded(found, held, design, claims, effect)
            ended.append(held[-1])
        wrong.append(plain)
        guarded.append(kept)
        blocked.append(np.mean(ended))
    return float(np.mean(wrong)), float(np.mean(guarded)), float(np.mean(blocked))


def _guarded(found: list[Draws], held: list[np.ndarray], design: Design, claims: int, effect: float) -> np.ndarray:
    """Which studies are wrong on a claim that is judged at no look whose seeds are of two kinds."""
    wrong, settled = np.zeros(len(held[0]), bool), np.zeros(len(held[0]), bool)
    for draws, two, share in zip(found, held, design.spend, strict=True):
        half = draws.half_widths(simultaneous_level(CONFIDENCE, claims, share))
        low, high = effect + draws.error - half, effect + draws.error + half
        judged = ~settled & ~two & ((low >= DELTA) | (high < DELTA))
        mistaken = ((low >= DELTA) & (effect <= DELTA)) | ((high < DELTA) if effect >= DELTA else (high < 0.0))
        wrong |= judged & mistaken
        settled |= judged
    return wrong


def _table(repetitions: int) -> None:
    print("| items | seeds fail | points lost | wrong, without | wrong, with | claims held up at 20 seeds |")
    print("| --- " * 6 + "|")
    for items, chance, loss in product((200, 1000), (0.05, 0.1, 0.2), (0.1, 0.2)):
        rng = np.random.default_rng([61, int(100 * chance), int(100 * loss), items])
        failures = Failures(chance=chance, loss=loss)
        found = wrong_verdicts(rng, failures, claims=5, effect=DELTA, repetitions=repetitions, items=items, chunk=50)
        shown = " | ".join(f"{rate:.3f}" for rate in found)
        print(f"| {items:,} | {chance:.0%} | {100 * loss:g} | {shown} |", flush=True)


if __name__ == "__main__":
    _table(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
