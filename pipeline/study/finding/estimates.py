"""Estimates of scores and their differences: per-seed values, and the part that the choice of test items adds."""

import dataclasses
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from pipeline.analysis.bootstrap import (
    drawn_item_part,
    item_means,
    item_weight_blocks,
    item_weights,
    seed_weights,
)
from pipeline.analysis.crossed_interval import CrossedMean, ItemPart, by_group, item_part, mean_over
from pipeline.language import Sentence, said, set_name
from pipeline.records import Estimate, Resampling, ScoreTerm
from pipeline.records.metrics import SHARES
from pipeline.study.finding.table import Size, Table, TestSet

Floats = npt.NDArray[np.float64]

REPLICATES = 2000
SMALL_SHARE = 0.05  # of the pool, up to which its subsets count as independent
KEPT_BYTES = 256 << 20  # of one set's draws: of a larger set they are drawn again for each arm and size, in blocks
ITEM_DRAWS, SEED_DRAWS, VALIDATION_DRAWS = 101, 102, 103  # one stream of random numbers each
CROSSED = said("Student's t over seeds and over items, added as squares")
DRAWN = said("{crossed}; item part by bootstrap, {replicates:,} replicates", crossed=CROSSED, replicates=REPLICATES)
BOOTSTRAP = said("crossed multi-bootstrap, {replicates:,} replicates", replicates=REPLICATES)
ONE_SEED = said("one seed: the interval holds for this seed alone")
NO_NOTE = said("")


@dataclass(frozen=True, kw_only=True)
class Effect:
    """An estimate, and the mean with the parts of its variance behind it.

    `values` are those of the seeds that the mean is of. `guarded` is the interval with room for
    skewed seeds where the mean alone does not give it.
    """

    estimate: Estimate
    mean: CrossedMean
    values: tuple[float, ...] = ()
    guarded: tuple[float, float] | None = None


class Replicates:
    """Bootstrap replicates of every arm and size, all under the same draws of items and seeds."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self._weights: dict[str, npt.NDArray[np.float32]] = {}
        self._seeds: dict[int, Floats] = {}
        self._means: dict[tuple[str, Size, str, tuple[int, ...]], Floats] = {}
        self._per_seed: dict[tuple[str, Size, str], npt.NDArray[np.float32]] = {}

    @property
    def record(self) -> Resampling:
        """The seeds that they were drawn with."""
        streams = {dataset: self._stream(dataset) for dataset in self.table.sets}
        if self.table.validation is not None:
            streams[self.table.validation.name] = (VALIDATION_DRAWS,)
        return Resampling(replicates=REPLICATES, items=streams, seeds=SEED_DRAWS)

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
        draws = self.per_seed(arm, size, dataset)
        return draws if len(seeds) == len(columns) else draws[:, [columns[seed] for seed in seeds]]

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
        of = self.table.sets[dataset]
        return np.concatenate([self.table.drawn(rows, weights, of) for weights in self._draws(dataset)]).astype(
            np.float32
        )

    def _seed_draws(self, seeds: int) -> Floats:
        if seeds not in self._seeds:
            self._seeds[seeds] = seed_weights(seeds, REPLICATES, np.random.default_rng([SEED_DRAWS, seeds]))
        return self._seeds[seeds]

    @cached_property
    def of_validation(self) -> npt.NDArray[np.float32]:
        """How often each validation item is drawn, [B, V]."""
        assert self.table.validation is not None
        return _weights(self.table.validation, (VALIDATION_DRAWS,))

    def _stream(self, dataset: str) -> tuple[int, ...]:
        return ITEM_DRAWS, list(self.table.sets).index(dataset)

    def _draws(self, dataset: str) -> Iterable[npt.NDArray[np.float32]]:
        """How often each item is drawn, the same each time: blocks [b, N] of REPLICATES rows in all."""
        of, stream = self.table.sets[dataset], self._stream(dataset)
        if dataset not in self._weights:
            if of.items * REPLICATES * np.dtype(np.float32).itemsize > KEPT_BYTES:
                rng = np.random.default_rng(stream)
                return item_weight_blocks(of.items, REPLICATES, rng, of.groups, most=KEPT_BYTES // 4)
            self._weights[dataset] = _weights(of, stream)
        return [self._weights[dataset]]


def _weights(of: TestSet, stream: Sequence[int]) -> npt.NDArray[np.float32]:
    return item_weights(of.items, REPLICATES, np.random.default_rng(stream), of.groups)


def effect(
    table: Table, replicates: Replicates, terms: Sequence[ScoreTerm], seeds: Sequence[int], level: float
) -> Effect:
    """The weighted sum of scores over `seeds`, with interval and p-value."""
    scores = [t.weight * table.score(table.rows(t.arm, t.size, t.dataset, seeds), t.dataset) for t in terms]
    measured = effect_of(table, np.sum(scores, axis=0), item_parts(table, replicates, terms, seeds), level)
    return noted(measured, *(group_note(table.sets[name]) for name in dict.fromkeys(term.dataset for term in terms)))


def effect_of(table: Table, values: Floats, sets: Sequence[ItemPart], level: float) -> Effect:
    """An effect from its per-seed values [S], in units of the study's metric, and the item parts of its sets."""
    alone = ONE_SEED if len(values) == 1 else NO_NOTE
    measured = _from_mean(mean_over(values, sets), level, CROSSED if table.is_mean else DRAWN, alone)
    return dataclasses.replace(measured, values=tuple(float(value) for value in values))


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
        return tuple(part_of(np.asarray(b), table.sets[name]) for name, b in zip(datasets, blocks, strict=True))
    drawn = (sum(t.weight * replicates.chosen(t.arm, t.size, t.dataset, seeds) for t in own) for own in here)
    return tuple(
        drawn_item_part(np.asarray(draws), table.sets[dataset].units)
        for dataset, draws in zip(datasets, drawn, strict=True)
    )


def part_of(scores: Floats, of: TestSet) -> ItemPart:
    """The item part of the mean of scores [S, N] on a set, whose groups of items are one item each."""
    return item_part(scores if of.groups is None else by_group(scores, of.groups))


def _from_mean(mean: CrossedMean, level: float, method: Sentence, *notes: Sentence) -> Effect:
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


def noted(measured: Effect, *notes: Sentence) -> Effect:
    """The same effect with more conditions in words."""
    both = (*measured.estimate.notes, *(note for note in notes if note))
    return dataclasses.replace(measured, estimate=dataclasses.replace(measured.estimate, notes=both))


def within(estimate: Estimate, metric: str) -> Estimate:
    """A score's interval cut to the range the metric can take."""
    if metric not in SHARES:
        return estimate
    return dataclasses.replace(estimate, low=max(0.0, estimate.low), high=min(1.0, estimate.high))


def without_p(estimate: Estimate) -> Estimate:
    """The estimate of a score, of which no one asks whether it is 0."""
    return dataclasses.replace(estimate, p=None)


def pool_note(table: Table, sizes: Sequence[Size], seeds: int) -> Sentence:
    """The condition of an interval at sizes that take more than a small part of the pool, or nothing.

    The factor is that of Nadeau and Bengio (2003) for S subsets of n among P rows, 1 + S n / (P - n). It is the most
    that new labels may need, since order and initialisation do not come from the pool.
    """
    items, pool = max((table.drawn_from(size) for size in sizes), key=lambda drawn: drawn[0] / drawn[1])
    if "all" in sizes or items >= pool:
        return said('at "all" every seed trains on the same pool: the interval is conditional on it')
    if items <= SMALL_SHARE * pool:
        return NO_NOTE
    return said(
        "seeds draw {items:,} of the same {pool:,} {counted}s: the interval is for draws from this pool; for others of "
        "its kind the variance over seeds may be up to {factor:.2g} times as large",
        items=items,
        pool=pool,
        counted=said(table.counted),
        factor=1.0 + seeds * items / (pool - items),
    )


def group_note(of: TestSet) -> Sentence:
    """How many groups count as items where items come in groups, or nothing."""
    if of.groups is None:
        return NO_NOTE
    return said(
        "{items:,} items of {set} in {groups:,} groups, each of which is one item",
        items=of.items,
        set=set_name(of.name),
        groups=of.units,
    )


def failed_note(table: Table, *groups: tuple[str, Size]) -> Sentence:
    """How many of the trainings behind an estimate failed and are not in it, or nothing."""
    failed = sum((arm, size) in groups for arm, size, _ in table.failed)
    return said("trainings that failed are not in it: {failed}", failed=failed) if failed else NO_NOTE


def widening(seeds: int) -> Sentence:
    """The small-sample inflation of the bootstrap, in words."""
    if seeds < 2:
        return NO_NOTE
    factor = math.sqrt(seeds / (seeds - 1))
    return said("seed deviations widened by {factor:.3g} for {seeds} seeds", factor=factor, seeds=seeds)
