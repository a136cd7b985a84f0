"""How often a study that ends with its budget gives a wrong verdict.

    python -m tests.analysis.budgets

prints the table of docs/errors.md (some minutes). A budget is drawn for each study, in seeds: the price of a seed
falls as claims are settled, since cells that only settled claims read are not trained. So the number of seeds of the
last look depends on the verdicts of earlier looks, and the union bound over planned looks alone does not cover it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pipeline.analysis.multiple_comparisons import simultaneous_level
from tests.analysis.coverage import Draws, of_scores
from tests.analysis.looks import CHUNK, CONFIDENCE, DELTA, MIXES, PLANNED, differences

CORRELATION = 0.5  # of the differences of two claims, which share an arm
SHARED = 0.3  # of a seed's price, that of the arm all claims share
BUDGET = (2.0, 20.0)  # seeds at full price, drawn uniformly


class Claims:
    """The intervals of m claims in R studies, at each number of seeds: estimates [R, m] and half-widths [R, m]."""

    def __init__(self, rng: np.random.Generator, mix: tuple[float, float], claims: int, items: int) -> None:
        own = [differences(rng, mix, CHUNK, items=items) for _ in range(claims)]
        shared = differences(rng, mix, CHUNK, items=items)
        weights = (CORRELATION**0.5, (1 - CORRELATION) ** 0.5)
        scores = [weights[0] * shared + weights[1] * each if claims > 1 else each for each in own]
        self.number = claims
        self._draws: dict[int, list[Draws]] = {
            count: [of_scores(each[:, :count], 0.0) for each in scores] for count in range(2, PLANNED.seeds[-1] + 1)
        }

    def judged(self, count: int, share: float, effect: float) -> tuple[np.ndarray, np.ndarray]:
        """Which claims a look with `share` of the error settles, and which of these verdicts are wrong, [R, m] each."""
        level = simultaneous_level(CONFIDENCE, self.number, share)
        estimate = effect + np.stack([each.error for each in self._draws[count]], axis=1)
        half = np.stack([each.guarded_half_widths(level) for each in self._draws[count]], axis=1)
        supported, refuted = estimate - half >= DELTA, estimate + half < DELTA
        wrong = refuted if effect >= DELTA else estimate + half < 0.0
        return supported | refuted, wrong | supported if effect <= DELTA else wrong

    def half_width(self, count: int, share: float) -> np.ndarray:
        """Half the width of what a verdict at such a look has to hold in, mean over claims, [R]."""
        level = simultaneous_level(CONFIDENCE, self.number, share)
        return np.asarray(np.mean([each.guarded_half_widths(level) for each in self._draws[count]], axis=0))


def ended(rng: np.random.Generator, found: Claims, effect: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each study whether any verdict is wrong, the share of its claims that are settled when it ends, and half the
    mean width at its last look, NaN where it takes none, [R] each.
    """
    budgets = rng.uniform(*BUDGET, CHUNK)
    planned = {k: found.judged(k, s, effect) for k, s in zip(PLANNED.seeds, PLANNED.spend, strict=True)}
    left = [1.0 - sum(PLANNED.spend[:taken]) for taken in range(len(PLANNED.spend))]
    last = {(k, taken): found.judged(k, left[taken], effect) for k in range(2, 20) for taken in range(len(left))}
    widths = {look: found.half_width(look[0], left[look[1]]) for look in last}
    widths_planned = {k: found.half_width(k, s) for k, s in zip(PLANNED.seeds, PLANNED.spend, strict=True)}
    wrong, share, half = np.zeros(CHUNK, bool), np.zeros(CHUNK), np.full(CHUNK, np.nan)
    for study, budget in enumerate(budgets):
        open_claims = np.ones(found.number, bool)
        for count, taken, ends in _looks(budget, open_claims):
            settled, mistaken = last[count, taken] if ends else planned[count]
            half[study] = (widths[count, taken] if ends else widths_planned[count])[study]
            wrong[study] |= bool(np.any(open_claims & mistaken[study] & settled[study]))
            open_claims &= ~settled[study]
        share[study] = 1.0 - open_claims.mean()
    return wrong, share, half


def _looks(budget: float, open_claims: np.ndarray) -> Iterator[tuple[int, int, bool]]:
    """The looks of a study: number of seeds, planned looks before it, and whether the budget ends there.

    `open_claims` is read anew after each look, which changes it.
    """
    seeds = 0
    for taken, planned in enumerate(PLANNED.seeds):
        price = SHARED + (1 - SHARED) * open_claims.mean()
        affordable = seeds + int(budget / price)
        if affordable < planned:
            if affordable > max(seeds, 1):
                yield affordable, taken, True
            return
        budget -= price * (planned - seeds)
        seeds = planned
        yield planned, taken, False
        if not open_claims.any():
            return


@dataclass(frozen=True, kw_only=True)
class Rates:
    """The share of studies with a wrong verdict on any of their claims, the share of claims that are settled, and half
    the mean width at the last look.
    """

    wrong: float
    settled: float
    half: float


def rates(
    rng: np.random.Generator,
    mix: tuple[float, float],
    *,
    claims: int,
    effect: float,
    repetitions: int,
    items: int = 200,
) -> Rates:
    """What becomes of studies whose budget ends anywhere."""
    chunks = [ended(rng, Claims(rng, mix, claims, items), effect) for _ in range(0, repetitions, CHUNK)]
    wrong, settled, half = (float(np.nanmean([chunk[which] for chunk in chunks])) for which in (0, 1, 2))
    return Rates(wrong=wrong, settled=settled, half=half)


def _table(repetitions: int) -> None:
    print(
        "| varies | claims | wrong, at delta | wrong, A/A | settled, 6 points | settled, 10 points | "
        "half-width, points |\n" + "| --- " * 7 + "|"
    )
    for number, (name, mix) in enumerate(MIXES.items()):
        for claims in (1, 5):
            found = [
                rates(
                    np.random.default_rng([61, number, claims]),
                    mix,
                    claims=claims,
                    effect=effect,
                    repetitions=repetitions,
                )
                for effect in (DELTA, 0.0, 3 * DELTA, 5 * DELTA)
            ]
            shown = [*(f"{each.wrong:.3f}" for each in found[:2]), *(f"{each.settled:.2f}" for each in found[2:])]
            print(f"| {name} | {claims} | {' | '.join(shown)} | {100 * found[0].half:.1f} |", flush=True)


if __name__ == "__main__":
    _table(2000)
