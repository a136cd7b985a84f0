"""What others compare arms with, beside this project's planned looks, on the same simulated studies.

`python -m tests.analysis.rivals` prints the tables of docs/errors.md (about ten minutes), with the word `widths` that
of widths alone. The other needs AdaStop, which no test does, so install it beside the other packages: `pip install -c
constraints.txt adastop==0.1.3`.

AdaStop (Mathieu et al. 2023, https://arxiv.org/abs/2306.10882) is run as its guide advises: groups of five seeds, up to
20, 10,000 permutations, alpha = 0.05. It sees one score for each seed and arm. A margin is subtracted from the scores
of one arm, so that every method answers the same question: is the effect above or below the margin?
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from pipeline.analysis.multiple_comparisons import simultaneous_level
from tests.analysis.coverage import of_scores
from tests.analysis.looks import CONFIDENCE, DELTA, MIXES, PLANNED, RESIDUAL

SEEDS, ITEMS, CHUNK, REPLICATES = 20, 200, 100, 1000
# 0/1 scores: standard deviation of a difference over seeds, share of the items that are as hard for both arms, and
# chance that an answer is left to luck.
ZERO_ONE_MIXES = {
    "mixed": (0.03, 0.85, 0.15),
    "seeds alone": (0.04, 1.0, 0.2),
    "items alone": (0.0, 0.7, 0.2),
    "seeds dominate": (0.05, 0.95, 0.1),
}
# By column of the table: the true effect and the margin that it is compared with.
QUESTIONS = {"A/A": (0.0, 0.0), "delta": (DELTA, DELTA), "2 delta": (2 * DELTA, DELTA), "5 delta": (5 * DELTA, DELTA)}


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What a method says of each of R studies: 1 above the margin, -1 below it, 0 undecided; the seeds it took, and
    half the width of its interval there, NaN where it has none.
    """

    said: np.ndarray
    seeds: np.ndarray
    half: np.ndarray


Found = Mapping[tuple[str, str], Mapping[str, tuple[float, float, float]]]  # by scores and question, then by method
Method = Callable[[np.ndarray, np.ndarray, float], Answers]
"""From the scores of two arms, [R, S, N] each, and a margin."""


def gaussian(rng: np.random.Generator, varies: str, effect: float, studies: int = CHUNK) -> tuple[np.ndarray, ...]:
    """Scores of two arms, [R, S, N] each. Seeds are independent between arms, items and noise as in `looks`."""
    by_seed, by_item = MIXES[varies]
    half = np.float32(np.sqrt(0.5))

    def arm(shift: float) -> np.ndarray:
        scores = rng.standard_normal((studies, SEEDS, ITEMS), dtype=np.float32) * np.float32(RESIDUAL) * half
        scores += rng.normal(0.0, by_seed, (studies, SEEDS, 1)).astype(np.float32) * half
        return scores + rng.normal(shift, by_item, (studies, 1, ITEMS)).astype(np.float32) * half

    scale = float(effect / half)
    return arm(scale), arm(0.0)


def zero_one(rng: np.random.Generator, varies: str, effect: float, studies: int = CHUNK) -> tuple[np.ndarray, ...]:
    """The same for right and wrong answers: an item is answered if it is easier than the arm's level under the seed."""
    by_seed, same, luck = ZERO_ONE_MIXES[varies]
    shape = (studies, SEEDS, ITEMS)
    shared = rng.random((studies, 1, ITEMS))
    as_hard = rng.random((studies, 1, ITEMS)) < same

    def arm(level: float) -> np.ndarray:
        difficulty = np.where(as_hard, shared, rng.random((studies, 1, ITEMS)))
        drawn = np.where(rng.random(shape) < luck, rng.random(shape), difficulty)
        levels = level + rng.normal(0.0, by_seed * np.sqrt(0.5), (studies, SEEDS, 1))
        return (drawn < levels).astype(np.float32)

    return arm(0.5 + effect / 2), arm(0.5 - effect / 2)


SCORES = {"Gaussian": gaussian, "0/1": zero_one}


def planned_looks(one: np.ndarray, other: np.ndarray, margin: float) -> Answers:
    """This project's verdict on one claim."""
    differences = one - other

    def interval(seeds: int, share: float) -> tuple[np.ndarray, np.ndarray]:
        found = of_scores(differences[:, :seeds], 0.0)
        half = found.guarded_half_widths(simultaneous_level(CONFIDENCE, 1, share))
        return found.error - half, found.error + half

    shares = dict(zip(PLANNED.seeds, PLANNED.spend, strict=True))
    return _first_settled(PLANNED.seeds, lambda seeds: interval(seeds, shares[seeds]), margin, len(one))


def paired_t(*looks: int) -> Method:
    """The paired t-test over per-seed means at 95%, at each of these numbers of seeds until one settles it."""

    def answer(one: np.ndarray, other: np.ndarray, margin: float) -> Answers:
        differences = one.mean(axis=2, dtype=np.float64) - other.mean(axis=2, dtype=np.float64)

        def interval(seeds: int) -> tuple[np.ndarray, np.ndarray]:
            some = differences[:, :seeds]
            half = stdtrit(seeds - 1, 0.5 + CONFIDENCE / 2) * some.std(axis=1, ddof=1) / np.sqrt(seeds)
            return some.mean(axis=1) - half, some.mean(axis=1) + half

        return _first_settled(looks, interval, margin, len(one))

    return answer


def bootstrap_over_seeds(seeds: int) -> Method:
    """The percentile bootstrap of the mean difference, seeds resampled."""
    return _bootstrap(seeds, lambda differences: differences.mean(axis=2))


def bootstrap_over_items(seeds: int) -> Method:
    """The percentile bootstrap of the mean difference, items resampled (Koehn 2004), scores averaged over seeds."""
    return _bootstrap(seeds, lambda differences: differences.mean(axis=1))


def adastop(alpha: float) -> Method:
    """AdaStop 0.1.3 on per-seed means, which it takes for independent samples and not for pairs."""
    from adastop import MultipleAgentsComparator

    def one_study(one: np.ndarray, other: np.ndarray, seed: int) -> tuple[int, int]:
        comparator = MultipleAgentsComparator(n=5, K=SEEDS // 5, B=10_000, alpha=alpha, seed=seed)
        for seeds in range(5, SEEDS + 1, 5):
            comparator.partial_compare({"one": one[:seeds], "other": other[:seeds]}, verbose=False)
            if comparator.is_finished:
                break
        (said,) = comparator.decisions.values()
        return {"larger": 1, "smaller": -1, "equal": 0}[said], seeds

    def answer(one: np.ndarray, other: np.ndarray, margin: float) -> Answers:
        means = (one.mean(axis=2, dtype=np.float64) - margin, other.mean(axis=2, dtype=np.float64))
        found = np.array([one_study(*pair, seed) for seed, pair in enumerate(zip(*means, strict=True))])
        return Answers(said=found[:, 0], seeds=found[:, 1], half=np.full(len(found), np.nan))

    return answer


def _bootstrap(seeds: int, averaged: Callable[[np.ndarray], np.ndarray]) -> Method:
    def answer(one: np.ndarray, other: np.ndarray, margin: float) -> Answers:
        values = averaged((one - other)[:, :seeds])  # [R, seeds or items]
        units = values.shape[1]
        drawn = np.random.default_rng(0).multinomial(units, np.full(units, 1 / units), REPLICATES)
        replicates = values @ (drawn.T / units)
        low, high = np.quantile(replicates, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2], axis=1)
        return _first_settled((seeds,), lambda _: (low, high), margin, len(one))

    return answer


def _first_settled(
    looks: tuple[int, ...], interval: Callable[[int], tuple[np.ndarray, np.ndarray]], margin: float, studies: int
) -> Answers:
    said, seeds, half = np.zeros(studies, dtype=int), np.full(studies, looks[-1]), np.zeros(studies)
    for look in looks:
        low, high = interval(look)
        half = np.where(said == 0, (high - low) / 2.0, half)
        new = (said == 0) & ((low > margin) | (high < margin))
        said[new] = np.where(low[new] > margin, 1, -1)
        seeds[new] = look
    return Answers(said=said, seeds=seeds, half=half)


def rates(
    methods: Mapping[str, tuple[Method, int]], scores: str, varies: str, question: str, *, key: int = 61
) -> dict[str, tuple[float, float, float]]:
    """By method, the shares of studies called above and below the margin, and the mean number of seeds.

    Args:
        methods: each with its number of studies; all are given the same ones.
    """
    effect, margin = QUESTIONS[question]
    rng = np.random.default_rng([key, list(SCORES).index(scores), list(MIXES).index(varies), round(1000 * effect)])
    found: dict[str, list[Answers]] = {name: [] for name in methods}
    for start in range(0, max(studies for _, studies in methods.values()), CHUNK):
        arms = SCORES[scores](rng, varies, effect)
        for name, (method, studies) in methods.items():
            if start < studies:
                found[name].append(method(*arms, margin))
    return {name: _rates(each) for name, each in found.items()}


def _rates(found: Sequence[Answers]) -> tuple[float, float, float]:
    said, seeds = (np.concatenate([getattr(each, name) for each in found]) for name in ("said", "seeds"))
    return float(np.mean(said > 0)), float(np.mean(said < 0)), float(np.mean(seeds))


def _rows(methods: Mapping[str, tuple[Method, int]], varies: str) -> None:
    found = {
        (scores, question): rates(methods, scores, varies, question) for scores in SCORES for question in QUESTIONS
    }
    for name in methods:
        cells = [_both(found, name, question, lambda each: f"{each[0] + each[1]:.3f}") for question in ("A/A", "delta")]
        for question in ("2 delta", "5 delta"):
            cells.append(_both(found, name, question, lambda each: f"{each[0]:.2f}"))
            cells.append(_both(found, name, question, lambda each: f"{each[2]:.1f}"))
        print(f"| {varies} | {name} | {' | '.join(cells)} |", flush=True)


def _both(found: Found, name: str, question: str, shown: Callable[[tuple[float, float, float]], str]) -> str:
    """A number of Gaussian scores, and that of 0/1 scores."""
    return ", ".join(shown(found[scores, question][name]) for scores in SCORES)


def widths(method: Method, varies: str, studies: int, *, key: int = 61) -> float:
    """Half the mean width of a method's intervals of Gaussian scores, true effect and margin at DELTA."""
    effect, margin = QUESTIONS["delta"]
    rng = np.random.default_rng([key, 0, list(MIXES).index(varies), round(1000 * effect)])
    chunks = [method(*gaussian(rng, varies, effect), margin).half for _ in range(0, studies, CHUNK)]
    return float(np.mean(chunks))


def _table() -> None:
    with_intervals: dict[str, tuple[Method, int]] = {
        "planned looks (ours)": (planned_looks, 2000),
        "paired t-test, 5 seeds": (paired_t(5), 2000),
        "paired t-test, 20 seeds": (paired_t(20), 2000),
        "paired t-test, 5, 10, 20 seeds until significant": (paired_t(5, 10, 20), 2000),
        "bootstrap over seeds, 5 seeds": (bootstrap_over_seeds(5), 2000),
        "bootstrap over items, 5 seeds": (bootstrap_over_items(5), 2000),
    }
    print(f"| method | {' | '.join(MIXES)} |")
    print("| --- " * (1 + len(MIXES)) + "|")
    for name, (method, studies) in with_intervals.items():
        shown = " | ".join(f"{100 * widths(method, varies, studies):.1f}" for varies in MIXES)
        print(f"| {name} | {shown} |", flush=True)
    if "widths" in sys.argv:
        return
    methods = with_intervals | {
        "AdaStop 0.1.3, alpha 0.05": (adastop(0.05), 200),
        "AdaStop 0.1.3, alpha 0.025": (adastop(0.025), 200),
    }
    print("| varies | method | A/A | at delta | power, 2 delta | seeds | power, 5 delta | seeds |")
    print("| --- " * 8 + "|")
    for varies in MIXES:
        _rows(methods, varies)


if __name__ == "__main__":
    _table()
