"""How often a study that judges its claims at planned looks gives a wrong verdict, and how soon it settles them.

The tests run short versions; `python -m tests.analysis.looks` prints the tables of docs/errors.md (about a
minute). Seeds are added from look to look, the test items stay the same ones.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from pipeline.analysis.crossed_interval import CrossedMean, ItemPart
from pipeline.analysis.multiple_comparisons import simultaneous_level
from pipeline.analysis.verdict import chance_to_settle
from tests.analysis.coverage import Draws, of_scores

CONFIDENCE = 0.95
DELTA = 0.02
RESIDUAL = 0.4
POWER = 0.9
CHUNK = 100


@dataclass(frozen=True, kw_only=True)
class Design:
    """Numbers of seeds at which claims are judged, and the share of the error that each look may use."""

    seeds: tuple[int, ...]
    spend: tuple[float, ...]


PLANNED = Design(seeds=(5, 10, 20), spend=(0.2, 0.3, 0.5))
UNPLANNED = Design(seeds=(5, 10, 20), spend=(1.0, 1.0, 1.0))  # seeds are added until a claim is settled
FIXED = Design(seeds=(20,), spend=(1.0,))
LONGER = Design(seeds=(6, 12, 24), spend=(0.2, 0.3, 0.5))
DESIGNS = {"planned looks": PLANNED, "the whole error at each look": UNPLANNED, "20 seeds, one look": FIXED}
# Standard deviations over seeds and over items; that of a seed on an item is RESIDUAL.
MIXES = {"mixed": (0.03, 0.25), "seeds alone": (0.04, 0.0), "items alone": (0.0, 0.35), "seeds dominate": (0.05, 0.15)}


@dataclass(frozen=True, kw_only=True)
class Course:
    """What became of one claim in R studies: the verdict's kind, the seeds it took, whether it is wrong."""

    wrong: np.ndarray
    settled: np.ndarray
    seeds: np.ndarray


def differences(
    rng: np.random.Generator, mix: tuple[float, float], repetitions: int, *, seeds: int = 20, items: int = 200
) -> np.ndarray:
    """Paired differences [R, S, N] whose true mean is 0."""
    by_seed, by_item = mix
    noise = rng.standard_normal((repetitions, seeds, items), dtype=np.float32) * np.float32(RESIDUAL)
    noise += rng.normal(0.0, by_seed, (repetitions, seeds, 1)).astype(np.float32)
    noise += rng.normal(0.0, by_item, (repetitions, 1, items)).astype(np.float32)
    return noise


def course(found: Sequence[Draws], design: Design, claims: int, effect: float) -> Course:
    """Judges one claim of `claims` whose true effect is `effect`; `found` are its draws at each look.

    Wrong are "supported" below DELTA, "opposite" from 0 on, and at DELTA itself "refuted" too.
    """
    repetitions = len(found[0].error)
    wrong, settled = np.zeros(repetitions, bool), np.zeros(repetitions, bool)
    seeds = np.full(repetitions, design.seeds[-1])
    for draws, count, share in zip(found, design.seeds, design.spend, strict=True):
        half = draws.guarded_half_widths(simultaneous_level(CONFIDENCE, claims, share))
        low, high = effect + draws.error - half, effect + draws.error + half
        supported, refuted = low >= DELTA, high < DELTA
        mistaken = refuted if effect >= DELTA else high < 0.0
        if effect <= DELTA:
            mistaken = mistaken | supported
        wrong |= ~settled & mistaken
        new = ~settled & (supported | refuted)
        seeds[new] = count
        settled |= new
    return Course(wrong=wrong, settled=settled, seeds=seeds)


def families(
    rng: np.random.Generator,
    mix: tuple[float, float],
    design: Design,
    *,
    claims: int,
    effect: float,
    repetitions: int,
    items: int = 200,
) -> Iterator[list[Course]]:
    """Studies of so many independent claims, CHUNK at a time."""
    for _ in range(0, repetitions, CHUNK):
        found = []
        for _ in range(claims):
            scores = differences(rng, mix, CHUNK, seeds=design.seeds[-1], items=items)
            found.append(course([of_scores(scores[:, :count], 0.0) for count in design.seeds], design, claims, effect))
        yield found


def family_wise_error(
    rng: np.random.Generator,
    mix: tuple[float, float],
    design: Design,
    *,
    claims: int,
    effect: float,
    repetitions: int,
    items: int = 200,
) -> float:
    """The share of studies with a wrong verdict on any of their claims."""
    chunks = families(rng, mix, design, claims=claims, effect=effect, repetitions=repetitions, items=items)
    return float(np.mean([np.any([each.wrong for each in found], axis=0) for found in chunks]))


class Plans:
    """One claim under several designs, whose studies see the same seeds; the planned effect is what a fixed design of
    FIXED seeds supports with a probability of POWER.
    """

    def __init__(self, rng: np.random.Generator, mix: tuple[float, float], repetitions: int) -> None:
        counts = sorted({*FIXED.seeds, *PLANNED.seeds, *LONGER.seeds, *range(2, FIXED.seeds[0])})
        chunks = [differences(rng, mix, CHUNK, seeds=counts[-1]) for _ in range(0, repetitions, CHUNK)]
        self._draws = {count: [of_scores(each[:, :count], 0.0) for each in chunks] for count in counts}
        self.planned = float(brentq(lambda extra: self.supported(FIXED, extra) - POWER, 0.0, 1.0, xtol=1e-4))

    def supported(self, design: Design, extra: float) -> float:
        """How often a claim is supported whose true effect is so far above DELTA."""
        return float(np.mean([each.settled for each in self._courses(design, extra)]))

    def seeds(self, design: Design, extra: float) -> float:
        """The mean number of seeds that the claim takes, as a share of those of the fixed design."""
        return float(np.mean([each.seeds for each in self._courses(design, extra)])) / FIXED.seeds[0]

    def smallest(self, extra: float) -> float:
        """The share of these seeds that a fixed design needs which was made for just this effect."""
        fixed = (Design(seeds=(count,), spend=(1.0,)) for count in range(2, FIXED.seeds[0]))
        enough = (each.seeds[0] for each in fixed if self.supported(each, extra) >= POWER)
        return next(enough, FIXED.seeds[0]) / FIXED.seeds[0]

    def _courses(self, design: Design, extra: float) -> list[Course]:
        looks = zip(*(self._draws[count] for count in design.seeds), strict=True)
        return [course(look, design, 1, DELTA + extra) for look in looks]


def promised_and_kept(
    rng: np.random.Generator, mix: tuple[float, float], level: float, repetitions: int
) -> tuple[float, float]:
    """The mean chance that is stated at 5 seeds for the look at 10, and how often that look does settle the claim.

    The true effect lies anywhere from 0 to 15 points; `level` is that of both looks.
    """
    stated, kept = [], []
    for _ in range(0, repetitions, CHUNK):
        scores = differences(rng, mix, CHUNK, seeds=10) + rng.uniform(0.0, 0.15, (CHUNK, 1, 1)).astype(np.float32)
        first, second = of_scores(scores[:, :5], 0.0), of_scores(scores, 0.0)
        for now, later in zip(_rows(first), _rows(second), strict=True):
            if abs(now.value - DELTA) <= now.guarded_half_width(level):
                chance = chance_to_settle(now, DELTA, 10, level)
                assert chance is not None
                stated.append(chance)
                kept.append(abs(later.value - DELTA) > later.guarded_half_width(level))
    return float(np.mean(stated)), float(np.mean(kept))


def _rows(draws: Draws) -> list[CrossedMean]:
    return [
        CrossedMean(
            value=float(value),
            seeds=draws.seeds,
            per_seed=float(seed) * draws.seeds,
            sets=(ItemPart(variance=float(item), items=draws.items, noise=float(noise) * draws.seeds),),
        )
        for value, seed, item, noise in zip(draws.error, draws.seed, draws.item, draws.noise, strict=True)
    ]


def half_widths(
    rng: np.random.Generator, mix: tuple[float, float], design: Design, claims: int, repetitions: int = 1000
) -> list[float]:
    """Half the mean width at each look of what a verdict has to hold in."""
    scores = differences(rng, mix, repetitions, seeds=design.seeds[-1])
    looks = zip(design.seeds, design.spend, strict=True)
    return [
        float(of_scores(scores[:, :n], 0.0).guarded_half_widths(simultaneous_level(CONFIDENCE, claims, share)).mean())
        for n, share in looks
    ]


def _errors(repetitions: int) -> None:
    print(
        "| varies | claims | "
        + " | ".join(f"{name}, at delta" for name in DESIGNS)
        + " | planned looks, A/A | half-widths, points: planned looks | one look |"
    )
    print("| --- " * (5 + len(DESIGNS)) + "|")
    for number, (name, mix) in enumerate(MIXES.items()):
        for claims in (1, 5):
            shown = []
            for design, effect in [*((each, DELTA) for each in DESIGNS.values()), (PLANNED, 0.0)]:
                rng = np.random.default_rng([51, number, claims])
                shown.append(family_wise_error(rng, mix, design, claims=claims, effect=effect, repetitions=repetitions))
            rng = np.random.default_rng([55, number, claims])
            widths = [", ".join(f"{100 * h:.1f}" for h in half_widths(rng, mix, d, claims)) for d in (PLANNED, FIXED)]
            print(
                f"| {name} | {claims} | {' | '.join(f'{rate:.3f}' for rate in shown)} | {' | '.join(widths)} |",
                flush=True,
            )


def _power(repetitions: int) -> None:
    print("\n| true effect | design | claims settled | of them wrong | all five settled | mean seeds of a claim |")
    print("| --- " * 6 + "|")
    for effect in (0.0, 0.06, 0.1, 0.14):
        for name, design in {k: v for k, v in DESIGNS.items() if v is not UNPLANNED}.items():
            rng = np.random.default_rng([52, int(100 * effect)])
            chunks = families(rng, MIXES["mixed"], design, claims=5, effect=effect, repetitions=repetitions, items=600)
            settled, wrong, seeds = zip(
                *(([e.settled for e in f], [e.wrong for e in f], [e.seeds for e in f]) for f in chunks), strict=True
            )
            together = np.mean([np.all(each, axis=0) for each in settled])
            print(
                f"| {100 * effect:g} points | {name} | {np.mean(settled):.3f} | {np.mean(wrong):.4f} | "
                f"{together:.3f} | {np.mean(seeds):.1f} |",
                flush=True,
            )


def _promises(repetitions: int) -> None:
    print("\n| varies | level | mean chance stated at 5 seeds | settled at 10 |")
    print("| --- | --- | --- | --- |")
    for number, (name, mix) in enumerate(MIXES.items()):
        for level in (0.95, 0.99):
            stated, kept = promised_and_kept(np.random.default_rng([53, number]), mix, level, repetitions)
            print(f"| {name} | {level:.0%} | {stated:.2f} | {kept:.2f} |", flush=True)


def _plans(repetitions: int) -> None:
    print("\n| varies | effect / planned | fixed: power | 5, 10, 20: power, seeds | 6, 12, 24 | fixed for it: seeds |")
    print("| --- " * 6 + "|")
    for number, (name, mix) in enumerate(MIXES.items()):
        plans = Plans(np.random.default_rng([54, number]), mix, repetitions)
        for multiple in (0.5, 1.0, 1.5, 2.0, 3.0):
            extra = multiple * plans.planned
            both = " | ".join(
                f"{plans.supported(design, extra):.2f}, {plans.seeds(design, extra):.2f}"
                for design in (PLANNED, LONGER)
            )
            fixed = f"{plans.supported(FIXED, extra):.2f}"
            print(f"| {name} | {multiple:g} | {fixed} | {both} | {plans.smallest(extra):.2f} |", flush=True)


if __name__ == "__main__":
    _errors(8000)
    _power(1000)
    _promises(4000)
    _plans(2000)
