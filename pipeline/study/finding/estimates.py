"""Estimates of scores and their differences: crossed components for means, the multi-bootstrap for other metrics."""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from pipeline.analysis.bootstrap import item_means, item_weights, percentile_interval, seed_weights, sign_flip_p
from pipeline.analysis.crossed import CrossedMean, crossed_gap, crossed_mean
from pipeline.records import Estimate
from pipeline.records.metrics import SHARES
from pipeline.study.finding.table import Size, Table

Floats = npt.NDArray[np.float64]

REPLICATES = 2000
ITEM_DRAWS, SEED_DRAWS, FLIP_DRAWS = 101, 102, 103  # one stream of random numbers each
CROSSED = "crossed components, Student's t"
BOOTSTRAP = f"crossed multi-bootstrap, {REPLICATES:,} replicates"
OVER_SEEDS = "Student's t over seeds"
ONE_SEED = "one seed: the interval holds for this seed alone"


@dataclass(frozen=True, kw_only=True)
class Term:
    """One arm's score at one size on one set; estimates are signed sums of such terms over the same seeds."""

    sign: float
    arm: str
    size: Size
    dataset: str


@dataclass(frozen=True, kw_only=True)
class Effect:
    """A signed sum of scores, before a level is chosen. `per_seed` and `fixed` are the parts of its variance."""

    estimate: Estimate
    per_seed: float
    fixed: float


class Replicates:
    """Bootstrap replicates of every arm and size, all under the same draws of items and seeds."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self._weights: dict[str, npt.NDArray[np.float32]] = {}
        self._seeds: dict[int, Floats] = {}
        self._means: dict[tuple[str, Size, str, tuple[int, ...], bool], Floats] = {}
        self._per_seed: dict[tuple[str, Size, str], npt.NDArray[np.float32]] = {}

    def of(self, arm: str, size: Size, dataset: str, seeds: Sequence[int], *, vary_seeds: bool = True) -> Floats:
        """Replicates [B] of the arm's mean score; with `vary_seeds=False` only the items are resampled."""
        key = (arm, size, dataset, tuple(seeds), vary_seeds)
        if key not in self._means:
            found = self.chosen(arm, size, dataset, seeds)
            weights = self._seed_draws(len(seeds)) if vary_seeds else np.full((1, len(seeds)), 1.0 / len(seeds))
            self._means[key] = np.sum(found * weights, axis=1, dtype=np.float64)
        return self._means[key]

    def chosen(self, arm: str, size: Size, dataset: str, seeds: Sequence[int]) -> npt.NDArray[np.float32]:
        """The score of the chosen seeds under every draw of items, [B, S]."""
        columns = {seed: column for column, seed in enumerate(self.table.seeds((arm, size)))}
        found = self.per_seed(arm, size, dataset)
        return found if len(seeds) == len(columns) else found[:, [columns[seed] for seed in seeds]]

    def per_seed(self, arm: str, size: Size, dataset: str) -> npt.NDArray[np.float32]:
        """The score of every finished seed under every draw of items, [B, S]."""
        key = (arm, size, dataset)
        if key not in self._per_seed:
            rows = self.table.rows(arm, size, dataset, self.table.seeds((arm, size)))
            self._per_seed[key] = self._measure(rows, dataset)
        return self._per_seed[key]

    def _measure(self, rows: npt.NDArray[np.float32], dataset: str) -> npt.NDArray[np.float32]:
        weights = self._draws(dataset)
        if self.table.is_mean:
            return item_means(rows, weights)
        return self.table.drawn(rows, weights, dataset).astype(np.float32)

    def _seed_draws(self, seeds: int) -> Floats:
        if seeds not in self._seeds:
            self._seeds[seeds] = seed_weights(seeds, REPLICATES, np.random.default_rng([SEED_DRAWS, seeds]))
        return self._seeds[seeds]

    def _draws(self, dataset: str) -> npt.NDArray[np.float32]:
        if dataset not in self._weights:
            stream = np.random.default_rng([ITEM_DRAWS, list(self.table.sets).index(dataset)])
            self._weights[dataset] = item_weights(self.table.sets[dataset].items, REPLICATES, stream)
        return self._weights[dataset]


def effect(table: Table, replicates: Replicates, terms: Sequence[Term], seeds: Sequence[int], level: float) -> Effect:
    """The signed sum of scores over `seeds`, with interval and p-value."""
    if table.is_mean:
        return from_components(_crossed(table, terms, seeds), level)
    return _from_replicates(table, replicates, terms, seeds, level)


def over_seeds(values: Sequence[float], level: float, note: str = "") -> Effect:
    """A quantity known once for each seed: its mean and Student's t interval, no interval with one seed."""
    found = from_components(crossed_mean(np.asarray(values, dtype=np.float64)[:, None]), level)
    alone = "one seed: no interval" if len(values) == 1 else ""
    estimate = dataclasses.replace(
        found.estimate, items=0, method=OVER_SEEDS, note="; ".join(part for part in (note, alone) if part)
    )
    return dataclasses.replace(found, estimate=estimate)


def from_components(found: CrossedMean, level: float) -> Effect:
    """A crossed mean as an estimate at `level`."""
    low, high = found.interval(level)
    estimate = Estimate(
        value=found.value,
        low=low,
        high=high,
        level=level,
        seeds=found.seeds,
        items=found.items,
        method=CROSSED,
        p=found.p_value(),
        note=ONE_SEED if found.seeds == 1 else "",
    )
    return Effect(estimate=estimate, per_seed=found.per_seed, fixed=found.fixed)


def noted(found: Effect, *notes: str) -> Effect:
    """The same effect with more conditions in words."""
    note = "; ".join(part for part in (found.estimate.note, *notes) if part)
    return dataclasses.replace(found, estimate=dataclasses.replace(found.estimate, note=note))


def within(estimate: Estimate, metric: str) -> Estimate:
    """A score's interval cut to the range the metric can take."""
    if metric not in SHARES:
        return estimate
    return dataclasses.replace(estimate, low=max(0.0, estimate.low), high=min(1.0, estimate.high))


def without_p(estimate: Estimate) -> Estimate:
    """The estimate of a score, of which no one asks whether it is 0."""
    return dataclasses.replace(estimate, p=None)


def pool_note(sizes: Sequence[Size]) -> str:
    """The condition of intervals at size "all", or nothing."""
    return 'at "all" every seed trains on the same pool: the interval is conditional on it' if "all" in sizes else ""


def _crossed(table: Table, terms: Sequence[Term], seeds: Sequence[int]) -> CrossedMean:
    """Terms on the same set are subtracted item by item, sets are combined over their shared seeds."""
    blocks = []
    for dataset in dict.fromkeys(term.dataset for term in terms):
        here = [term for term in terms if term.dataset == dataset]
        blocks.append(sum(np.float32(t.sign) * table.rows(t.arm, t.size, dataset, seeds) for t in here))
    return crossed_gap(tuple(np.asarray(block) for block in blocks), (1.0,) * len(blocks))


def _from_replicates(
    table: Table, replicates: Replicates, terms: Sequence[Term], seeds: Sequence[int], level: float
) -> Effect:
    rows = partial(table.rows, seeds=seeds)
    per_seed = np.sum([t.sign * table.score(rows(t.arm, t.size, t.dataset), t.dataset) for t in terms], axis=0)
    draws = np.sum([t.sign * replicates.of(t.arm, t.size, t.dataset, seeds) for t in terms], axis=0)
    low, high = percentile_interval(draws, level)
    value = float(per_seed.mean())
    estimate = Estimate(
        value=value,
        low=min(low, value),
        high=max(high, value),
        level=level,
        seeds=len(seeds),
        items=min(table.sets[t.dataset].items for t in terms),
        method=BOOTSTRAP,
        p=sign_flip_p(per_seed, np.random.default_rng(FLIP_DRAWS)),
        note=ONE_SEED if len(seeds) == 1 else widening(len(seeds)),
    )
    spread = float(per_seed.var(ddof=1)) if len(seeds) > 1 else 0.0
    return Effect(estimate=estimate, per_seed=spread, fixed=_fixed_part(replicates, terms, seeds))


def _fixed_part(replicates: Replicates, terms: Sequence[Term], seeds: Sequence[int]) -> float:
    """The variance over draws of items that seeds share, less what more seeds would remove."""
    drawn = np.sum([t.sign * replicates.chosen(t.arm, t.size, t.dataset, seeds) for t in terms], axis=0)
    common = drawn.mean(axis=1, dtype=np.float64)
    if len(seeds) == 1:
        return float(common.var())
    own = (drawn - common[:, None]).var(axis=0).mean() / (len(seeds) - 1)
    return max(0.0, float(common.var() - own))


def widening(seeds: int) -> str:
    """The small-sample inflation of the bootstrap, in words."""
    return f"seed deviations widened by {math.sqrt(seeds / (seeds - 1)):.3g} for {seeds} seeds" if seeds > 1 else ""
