"""How many labels a start is worth: label multipliers and effective data transferred."""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from pipeline.analysis.curves import (
    FEWEST_POINTS,
    LabelMultiplier,
    isotonic,
    labels_to_reach,
    multiplier_interval,
    transferred_law,
)
from pipeline.language import Sentence, said
from pipeline.records import Estimate, Multiplier, ScoreTerm, Transferred
from pipeline.study.finding.estimates import BOOTSTRAP, NO_NOTE, ONE_SEED, Replicates, effect, pool_note, widening
from pipeline.study.finding.scores import Pair
from pipeline.study.finding.table import Size, Table

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """The learning curve of `against` and the score of `arm` at one size, over the seeds all of these cells share.

    Scores are signed so that higher is better.
    """

    table: Table
    replicates: Replicates
    arm: str
    against: str
    size: Size

    @cached_property
    def against_sizes(self) -> list[Size]:
        """The sizes of `against`, ascending."""
        return self.table.curve_sizes(self.against)

    @cached_property
    def seeds(self) -> tuple[int, ...]:
        """The seeds shared by the arm's cells and the whole curve; empty where there are none."""
        groups = [(self.arm, self.size), *((self.against, size) for size in self.against_sizes)]
        return self.table.seeds(*groups) if self.against_sizes else ()

    @cached_property
    def sizes(self) -> Floats:
        """Training labels at each point of the curve, [K]."""
        return np.array([self.table.train_items(self.against, s) for s in self.against_sizes], dtype=np.float64)

    @property
    def labels(self) -> int:
        """Training labels n of the arm."""
        return self.table.train_items(self.arm, self.size)

    @cached_property
    def means(self) -> Floats:
        """The curve's measured scores, [K]."""
        return np.array([self._mean(self.against, size) for size in self.against_sizes])

    @cached_property
    def target(self) -> float:
        """The arm's measured score."""
        return self._mean(self.arm, self.size)

    @cached_property
    def resampled(self) -> tuple[Floats, Floats]:
        """Joint replicates of the curve [B, K] and of the arm's score [B], seeds and items resampled."""
        curve = [self._draws(self.against, size) for size in self.against_sizes]
        return np.stack(curve, axis=1), self._draws(self.arm, self.size)

    @cached_property
    def reached(self) -> Floats:
        """Replicates [B] of N*, infinite where censored."""
        curve, target = self.resampled
        return labels_to_reach(self.sizes, isotonic(curve), target)

    def _mean(self, arm: str, size: Size) -> float:
        dataset = self.dataset
        rows = self.table.rows(arm, size, dataset, self.seeds)
        return self.table.sign * float(self.table.score(rows, dataset).mean())

    def _draws(self, arm: str, size: Size) -> Floats:
        return np.asarray(self.table.sign * self.replicates.of(arm, size, self.dataset, self.seeds))

    @property
    def dataset(self) -> str:
        """The in-domain test set."""
        return next(s.name for s in self.table.sets.values() if s.role == "in_domain")


def multipliers(
    table: Table, replicates: Replicates, wanted: Sequence[Pair], validation_labels: int
) -> tuple[Multiplier, ...]:
    """N*/n of every pair at every size at which the arm has cells."""
    read_off = []
    for arm, against in wanted:
        for size in table.curve_sizes(arm):
            curve = Curve(table, replicates, arm, against, size)
            measured = multiplier_of(curve, table.study.confidence)
            if measured:
                estimate, multiplier = measured
                low, high = tested(curve, table.study.confidence)
                read_off.append(
                    Multiplier(
                        arm=arm,
                        against=against,
                        size=size,
                        estimate=estimate,
                        censored=multiplier.censored,
                        labels=table.train_items(arm, size),
                        validation_labels=validation_labels,
                        tested_low=low,
                        tested_high=high,
                    )
                )
    return tuple(read_off)


def multiplier_of(curve: Curve, level: float) -> tuple[Estimate, LabelMultiplier] | None:
    """The label multiplier with its interval; None where the arm and the whole of the other's curve share no seed."""
    if not curve.seeds or curve.table.in_domain is None:
        return None
    multiplier = multiplier_interval(curve.sizes, curve.means, curve.target, curve.labels, *curve.resampled, level)
    estimate = Estimate(
        value=multiplier.value,
        low=multiplier.low,
        high=multiplier.high,
        level=level,
        seeds=len(curve.seeds),
        items=curve.table.in_domain.units,
        method=BOOTSTRAP,
        notes=_conditions(curve, multiplier),
    )
    return estimate, multiplier


def tested(curve: Curve, level: float) -> tuple[float, float]:
    """The lowest and highest multiplier that tests at the sizes of `against` leave, 0 and infinity if they leave all.

    From the smallest size upwards, each at which `arm` is better for sure is below N*, up to the first at which it is
    not; from the largest downwards alike. In this fixed order each end errs in half of 1 - level, however many sizes.
    """
    sign, low, high = curve.table.sign, 0.0, math.inf
    arm = ScoreTerm(weight=sign, arm=curve.arm, size=curve.size, dataset=curve.dataset)
    differences = [
        effect(
            curve.table,
            curve.replicates,
            [arm, dataclasses.replace(arm, weight=-sign, arm=curve.against, size=size)],
            curve.seeds,
            level,
        ).estimate
        for size in curve.against_sizes
    ]
    for size, difference in zip(curve.sizes, differences, strict=True):
        if difference.low <= 0.0:
            break
        low = float(size) / curve.labels
    for size, difference in zip(curve.sizes[::-1], differences[::-1], strict=True):
        if difference.high >= 0.0:
            break
        high = float(size) / curve.labels
    return low, high


def _conditions(curve: Curve, multiplier: LabelMultiplier) -> tuple[Sentence, ...]:
    edges = {
        "above": said("censored: past the largest size measured"),
        "below": said("censored: below the smallest size measured"),
    }
    alone = ONE_SEED if len(curve.seeds) == 1 else widening(len(curve.seeds))
    parts = [
        edges.get(multiplier.censored, NO_NOTE),
        alone,
        pool_note(curve.table, [curve.size, *curve.against_sizes], len(curve.seeds)),
    ]
    return tuple(part for part in parts if part)


def transferred(table: Table, replicates: Replicates, wanted: Sequence[Pair]) -> tuple[Transferred, ...]:
    """Effective data transferred of every pair, fitted over the sizes where it is known."""
    return tuple(
        _transferred(table, replicates, arm, against)
        for arm, against in wanted
        if table.curve_sizes(arm) and table.curve_sizes(against)
    )


def _transferred(table: Table, replicates: Replicates, arm: str, against: str) -> Transferred:
    curves = [Curve(table, replicates, arm, against, size) for size in table.curve_sizes(arm)]
    curves = [curve for curve in curves if curve.seeds]
    sizes = np.array([curve.labels for curve in curves], dtype=np.float64)
    labels = np.array([labels_to_reach(c.sizes, isotonic(c.means), np.array(c.target)) for c in curves])
    points = int(np.sum(np.isfinite(labels) & (labels > sizes)))
    if points < FEWEST_POINTS:
        return Transferred(arm=arm, against=against, points=points, sizes=len(curves))
    resampled = np.stack([curve.reached for curve in curves], axis=1)
    return _law(table, arm, against, sizes, labels, resampled, min(len(c.seeds) for c in curves))


def _law(
    table: Table, arm: str, against: str, sizes: Floats, labels: Floats, resampled: Floats, seeds: int
) -> Transferred:
    law = transferred_law(sizes, labels, resampled, table.study.confidence)
    assert law is not None
    assert table.in_domain is not None
    items = table.in_domain.units
    k, alpha = (
        Estimate(
            value=value,
            low=min(low, value),
            high=max(high, value),
            level=table.study.confidence,
            seeds=seeds,
            items=items,
            method=BOOTSTRAP,
        )
        for value, (low, high) in ((law.k, law.k_interval), (law.alpha, law.alpha_interval))
    )
    points = int(np.sum(np.isfinite(labels) & (labels > sizes)))
    return Transferred(arm=arm, against=against, points=points, sizes=len(sizes), k=k, alpha=alpha, usable=law.usable)
