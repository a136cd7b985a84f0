"""Estimates of scores and their differences: per-seed values, and the part that the choice of test items adds."""

import dataclasses
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.analysis.bootstrap import (
    drawn_item_part,
    item_means,
    item_weight_blocks,
    item_weights,
    seed_weights,
)
from pipeline.analysis.crossed import CrossedMean, ItemPart, item_part, mean_over
from pipeline.records import Estimate, ScoreTerm
from pipeline.records.metrics import SHARES
from pipeline.study.finding.table import Size, Table

Floats = npt.NDArray[np.float64]

REPLICATES = 2000
KEPT_BYTES = 256 << 20  # of one set's draws: of a larger set they are drawn again for each arm and size, in blocks
ITEM_DRAWS, SEED_DRAWS = 101, 102  # one stream of random numbers each
CROSSED = "Student's t over seeds and over items, added as squares"
DRAWN = f"{CROSSED}; item part by bootstrap, {REPLICATES:,} replicates"
BOOTSTRAP = f"crossed multi-bootstrap, {REPLICATES:,} replicates"
OVER_SEEDS = "Student's t over seeds"
ONE_SEED = "one seed: the interval holds for this seed alone"


@dataclass(frozen=True, kw_only=True)
class Effect:
    """An estimate, and the mean with the parts of its variance behind it; of ratios that is the mean logarithm."""

    estimate: Estimate
    mean: CrossedMean


class Replicates:
    """Bootstrap replicates of every arm and size, all under the same draws of items and seeds."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self._weights: dict[str, npt.NDArray[np.float32]] = {}
        self._seeds: dict[int, Floats] = {}
        self._means: dict[tuple[str, Size, str, tuple[int, ...]], Floats] = {}
        self._per_seed: dict[tuple[str, Size, str], npt.NDArray[np.float32]] = {}

    def of(self, arm: str, size: Size, dataset: str, seeds: Sequence[int]) -> Floats:
        """Replicates [B] of the arm's mean score, items and seeds resampled."""
        key = (arm, size, dataset, tuple(seeds))
        if key not in self._means:
            drawn = self.chosen(arm, size, dataset, seeds)
            self._means[key] = np.sum(drawn * self._seed_draws(len(seeds)), axis=1, dtype=np.float64)
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
        if self.table.is_mean:
            return np.concatenate([item_means(rows, weights) for weights in self._draws(dataset)])
        drawn = [self.table.drawn(rows, weights, dataset) for weights in self._draws(dataset)]
        return np.concatenate(drawn).astype(np.float32)

    def _seed_draws(self, seeds: int) -> Floats:
        if seeds not in self._seeds:
            self._seeds[seeds] = seed_weights(seeds, REPLICATES, np.random.default_rng([SEED_DRAWS, seeds]))
        return self._seeds[seeds]

    def _draws(self, dataset: str) -> Iterable[npt.NDArray[np.float32]]:
        """How often each item is drawn, the same each time: blocks [b, N] of REPLICATES rows in all."""
        items = self.table.sets[dataset].items
        if dataset not in self._weights:
            stream = np.random.default_rng([ITEM_DRAWS, list(self.table.sets).index(dataset)])
            if items * REPLICATES * np.dtype(np.float32).itemsize > KEPT_BYTES:
                return item_weight_blocks(items, REPLICATES, stream, most=KEPT_BYTES // 4)
            self._weights[dataset] = item_weights(items, REPLICATES, stream)
        return [self._weights[dataset]]


def effect(
    table: Table, replicates: Replicates, terms: Sequence[ScoreTerm], seeds: Sequence[int], level: float
) -> Effect:
    """The weighted sum of scores over `seeds`, with interval and p-value."""
    scores = [t.weight * table.score(table.rows(t.arm, t.size, t.dataset, seeds), t.dataset) for t in terms]
    return effect_of(table, np.sum(scores, axis=0), item_parts(table, replicates, terms, seeds), level)


def effect_of(table: Table, values: Floats, sets: Sequence[ItemPart], level: float) -> Effect:
    """An effect from its per-seed values [S], in units of the study's metric, and the item parts of its sets."""
    alone = ONE_SEED if len(values) == 1 else ""
    return _from_mean(mean_over(values, sets), level, CROSSED if table.is_mean else DRAWN, alone)


def over_seeds(values: Sequence[float], level: float, *notes: str) -> Effect:
    """A quantity known once for each seed: its mean and Student's t interval, no interval with one seed."""
    alone = "one seed: no interval" if len(values) == 1 else ""
    return _from_mean(mean_over(values), level, OVER_SEEDS, *notes, alone)


def item_parts(
    table: Table, replicates: Replicates, terms: Sequence[ScoreTerm], seeds: Sequence[int]
) -> tuple[ItemPart, ...]:
    """What the choice of items adds to the variance of a weighted sum, for each set that its terms are measured on.

    Terms on the same set are subtracted item by item, so that items which are hard for both cancel.
    """
    datasets = dict.fromkeys(term.dataset for term in terms)
    here = ([term for term in terms if term.dataset == dataset] for dataset in datasets)
    if table.is_mean:
        blocks = (sum(np.float64(t.weight) * table.rows(t.arm, t.size, t.dataset, seeds) for t in own) for own in here)
        return tuple(item_part(np.asarray(block)) for block in blocks)
    drawn = (sum(t.weight * replicates.chosen(t.arm, t.size, t.dataset, seeds) for t in own) for own in here)
    return tuple(
        drawn_item_part(np.asarray(draws), table.sets[dataset].items)
        for dataset, draws in zip(datasets, drawn, strict=True)
    )


def _from_mean(mean: CrossedMean, level: float, method: str, *notes: str) -> Effect:
    low, high = mean.interval(level)
    estimate = Estimate(
        value=mean.value,
        low=low,
        high=high,
        level=level,
        seeds=mean.seeds,
        items=mean.items,
        method=method,
        p=mean.p_value(),
        notes=tuple(note for note in notes if note),
    )
    return Effect(estimate=estimate, mean=mean)


def noted(found: Effect, *notes: str) -> Effect:
    """The same effect with more conditions in words."""
    both = (*found.estimate.notes, *(note for note in notes if note))
    return dataclasses.replace(found, estimate=dataclasses.replace(found.estimate, notes=both))


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


def widening(seeds: int) -> str:
    """The small-sample inflation of the bootstrap, in words."""
    return f"seed deviations widened by {math.sqrt(seeds / (seeds - 1)):.3g} for {seeds} seeds" if seeds > 1 else ""
