"""How often studies whose trainings fail now and then give a wrong verdict, with and without what stands in its way:
seeds of two kinds, and room for failures that were not seen.

`python -m tests.analysis.failing` prints the table of docs/errors.md; the tests run parts of it.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from pipeline.analysis.multiple_comparisons import simultaneous_level
from pipeline.analysis.two_kinds_of_seeds import CLEAN, failing_shares, two_kinds
from tests.analysis.coverage import Draws, of_scores
from tests.analysis.looks import CONFIDENCE, DELTA, PLANNED, Design, differences

ITEM_SD = 0.25


@dataclass(frozen=True, kw_only=True)
class Failures:
    """A seed fails with this chance and then loses so much; those that work vary by `seed_sd`."""

    chance: float
    loss: float
    seed_sd: float = 0.01


def failing_differences(
    rng: np.random.Generator, failures: Failures, repetitions: int, *, seeds: int, items: int
) -> tuple[np.ndarray, np.ndarray]:
    """Paired differences [R, S, N] whose true mean is 0, failures included, and which seeds failed, [R, S]."""
    scores = differences(rng, (failures.seed_sd, ITEM_SD), repetitions, seeds=seeds, items=items)
    failed = rng.random((repetitions, seeds, 1)) < failures.chance
    lost = failures.loss * (failures.chance - failed)
    return np.asarray(scores + lost.astype(np.float32)), failed[:, :, 0]


def of_two_kinds(scores: np.ndarray, draws: Draws) -> np.ndarray:
    """Which of R studies have seeds of two kinds by the rule of the pipeline, bool [R]."""
    found = (
        two_kinds(row, noise)
        for row, noise in zip(scores.mean(axis=2, dtype=np.float64), draws.noise * draws.seeds, strict=True)
    )
    return np.array([one is not None and one.p <= CLEAN for one in found])


@dataclass(frozen=True, kw_only=True)
class Rates:
    """Shares of studies with a wrong verdict on any claim: by the interval alone, where two kinds of seeds are an
    obstacle, and with the room for skewed seeds and unseen failures besides, as in the pipeline. `held_up` is how often
    two kinds of seeds stand in a claim's way at its end, `half` half the mean width of the intervals at the last look,
    and of what a verdict has to hold in.
    """

    plain: float
    two_kinds: float
    verdicts: float
    held_up: float
    half: tuple[float, float]


def wrong_verdicts(
    rng: np.random.Generator,
    failures: Failures,
    *,
    claims: int,
    repetitions: int,
    items: int = 200,
    design: Design = PLANNED,
    chunk: int = 50,
) -> Rates:
    """How often studies are wrong whose true effects, failures included, are at the smallest that matters."""
    found: dict[str, list[np.ndarray]] = {"plain": [], "two_kinds": [], "verdicts": [], "held_up": []}
    halves = []
    for _ in range(0, repetitions, chunk):
        wrong = {name: np.zeros(chunk, bool) for name in ("plain", "two_kinds", "verdicts")}
        for _ in range(claims):
            scores, failed = failing_differences(rng, failures, chunk, seeds=design.seeds[-1], items=items)
            looks = [_look(scores[:, :count], failed[:, :count], failures.loss) for count in design.seeds]
            held = [
                of_two_kinds(scores[:, :count], look.draws) for count, look in zip(design.seeds, looks, strict=True)
            ]
            wrong["plain"] |= _wrong(looks, [_never(held)] * len(looks), design, claims)
            wrong["two_kinds"] |= _wrong(looks, held, design, claims)
            wrong["verdicts"] |= _wrong(looks, held, design, claims, guarded=True)
            found["held_up"].append(held[-1])
            halves.append(_half_widths(looks[-1], simultaneous_level(CONFIDENCE, claims, design.spend[-1])))
        for name, each in wrong.items():
            found[name].append(each)
    half, with_room = np.mean(halves, axis=0)
    shares = {name: float(np.mean(each)) for name, each in found.items()}
    return Rates(**shares, half=(float(half), float(with_room)))


def _half_widths(look: "_Look", level: float) -> tuple[float, float]:
    """Half the mean width of the intervals, and of what a verdict has to hold in; where all failed no room is known."""
    half, skewed = look.draws.half_widths(level), look.draws.guarded_half_widths(level)
    better = np.where(np.isfinite(look.better), look.better, 0.0)
    low, high = np.maximum(half + look.worse, skewed), np.maximum(half + better, skewed)
    return float(half.mean()), float((low + high).mean() / 2.0)


@dataclass(frozen=True, kw_only=True)
class _Look:
    """The draws of a look, and how much worse and better the mean may be by failures other than those seen, [R]."""

    draws: Draws
    worse: np.ndarray
    better: np.ndarray


def _look(scores: np.ndarray, failed: np.ndarray, loss: float) -> _Look:
    seeds, counts = failed.shape[1], failed.sum(axis=1)
    bounds = [failing_shares(count, seeds, 1.0 - CONFIDENCE) for count in range(seeds + 1)]
    least, most = (np.array(each)[counts] for each in zip(*bounds, strict=True))
    better = np.where(counts < seeds, loss * (counts / seeds - least), np.inf)  # where all failed, no one knows
    return _Look(draws=of_scores(scores, 0.0), worse=loss * (most - counts / seeds), better=better)


def _wrong(
    looks: Sequence[_Look], held: Sequence[np.ndarray], design: Design, claims: int, *, guarded: bool = False
) -> np.ndarray:
    """Which studies are wrong on a claim: around DELTA either verdict is."""
    return np.asarray(_judged(looks, held, design, claims, guarded=guarded) != 0)


def _judged(
    looks: Sequence[_Look],
    held: Sequence[np.ndarray],
    design: Design,
    claims: int,
    *,
    effect: float = 0.0,
    guarded: bool = False,
) -> np.ndarray:
    """1 where a claim whose effect is so far above DELTA is supported, -1 where it is refuted and 0 where it is left
    open, [R]; it is judged at no look whose seeds are `held` up.

    A guarded verdict must besides survive, each by itself, skewed seeds and another share of failing trainings.
    """
    found = np.zeros(len(held[0]), int)
    for look, two, share in zip(looks, held, design.spend, strict=True):
        level = simultaneous_level(CONFIDENCE, claims, share)
        value, half = look.draws.error + effect, look.draws.half_widths(level)
        low, high = value - half, value + half
        if guarded:
            skewed = look.draws.guarded_half_widths(level)
            low, high = (
                np.minimum(low - look.worse, value - skewed),
                np.maximum(high + look.better, value + skewed),
            )
        verdict = (low >= 0.0) * 1 - (high < 0.0)
        found = np.where((found == 0) & ~two, verdict, found)
    return found


def supported(
    rng: np.random.Generator, failures: Failures, effect: float, *, repetitions: int, items: int, claims: int = 5
) -> list[tuple[float, float]]:
    """How often a claim whose effect is so far above DELTA is supported after each of the planned looks: by the
    interval alone, and as verdicts are given.
    """
    counts = PLANNED.seeds
    scores, failed = failing_differences(rng, failures, repetitions, seeds=counts[-1], items=items)
    looks = [_look(scores[:, :count], failed[:, :count], failures.loss) for count in counts]
    held = [of_two_kinds(scores[:, :count], look.draws) for count, look in zip(counts, looks, strict=True)]
    rates = []
    for last in range(1, len(counts) + 1):
        design = Design(seeds=counts[:last], spend=PLANNED.spend[:last])
        plain = _judged(looks[:last], [_never(held)] * last, design, claims, effect=effect)
        verdicts = _judged(looks[:last], held[:last], design, claims, effect=effect, guarded=True)
        rates.append((float(np.mean(plain == 1)), float(np.mean(verdicts == 1))))
    return rates


def _never(held: Sequence[np.ndarray]) -> np.ndarray:
    return np.zeros(len(held[0]), bool)


def _table(repetitions: int) -> None:
    print(
        "| items | seeds fail | points lost | interval alone | two kinds | verdicts | two kinds at 20 seeds | "
        "half-width, points |"
    )
    print("| --- " * 8 + "|")
    for items, chance, loss in product((200, 1000), (0.05, 0.1, 0.2, 0.4, 0.5), (0.1, 0.2, 0.4)):
        rng = np.random.default_rng([61, int(100 * chance), int(100 * loss), items])
        failures = Failures(chance=chance, loss=loss)
        found = wrong_verdicts(rng, failures, claims=5, repetitions=repetitions, items=items)
        shown = " | ".join(f"{rate:.3f}" for rate in (found.plain, found.two_kinds, found.verdicts, found.held_up))
        half = ", ".join(f"{100 * each:.1f}" for each in found.half)
        print(f"| {items:,} | {chance:.0%} | {100 * loss:g} | {shown} | {half} |", flush=True)


def _power(repetitions: int) -> None:
    print("\n| items | arm gained over its start | effect | " + " | ".join(f"{n} seeds" for n in PLANNED.seeds) + " |")
    print("| --- " * (3 + len(PLANNED.seeds)) + "|")
    for items, loss, effect in product((200, 1000), (0.0, 0.05, 0.1, 0.2), (0.04, 0.08, 0.16)):
        rng = np.random.default_rng([62, int(100 * loss), int(100 * effect), items])
        found = supported(rng, Failures(chance=0.0, loss=loss), effect, repetitions=repetitions, items=items)
        shown = " | ".join(f"{plain:.2f}, {verdicts:.2f}" for plain, verdicts in found)
        print(f"| {items:,} | {100 * loss:g} points | {100 * (DELTA + effect):g} points | {shown} |", flush=True)


if __name__ == "__main__":
    studies = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    _table(studies)
    _power(studies)
