"""Scores compared at more labels, at more computation, and at the same in-domain score: linear contrasts.

Each effect is a weighted sum of scores of the same seeds, in which higher is better for every metric. So the interval
over seeds and items applies to it, and nothing is resampled, extrapolated or left open at an end.
"""

import dataclasses
import math
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from pipeline.analysis.contrast import Match, bracket, match, weights_at
from pipeline.analysis.crossed_interval import CrossedMean
from pipeline.config.schema import Claim
from pipeline.records import Obstacle, ScoreTerm, threshold_of
from pipeline.study.finding.estimates import Effect
from pipeline.study.finding.table import Size, Table
from pipeline.study.looks import labels_granted, sizes_against
from pipeline.study.verdicts.question import Outcome, Question, contrast

Floats = npt.NDArray[np.float64]

ROUNDING = 0.99  # batches that are drawn differ a little in length, and FLOPs with them


def at_more_labels(question: Question) -> Outcome | None:
    """`arm` at its size less `against` at delta times the labels.

    If these are none of the study's sizes, the value is read linearly in log N between the two sizes around them, and
    the interval holds the differences from both, since a learning curve is only known to rise between them.
    """
    table, claim = question.table, question.claim
    labels = labels_granted(claim, table.train_items(claim.arm, question.size))
    sizes = _sizes(question)
    weights = weights_at(_labels(table, claim.against, sizes), labels) if sizes else None
    if weights is None:
        outside = Obstacle(kind="size_outside", arm=claim.against, numbers={"labels": labels})
        return Outcome(obstacles=(outside,), labels_against=labels)
    arm, points = _arm(question, table.sign), list(_curve(question, sizes, weights, -table.sign))
    outcome = contrast(question, [arm, *points])
    read = outcome.effect if outcome else None
    if outcome is None or read is None:
        return outcome
    outcome = dataclasses.replace(outcome, labels_against=labels)
    return outcome if len(points) == 1 else _bracketed(question, outcome, read, arm, points)


def _bracketed(
    question: Question, outcome: Outcome, read: Effect, arm: ScoreTerm, points: Sequence[ScoreTerm]
) -> Outcome:
    """The reading between two points with the interval that holds the differences from either."""
    either = [contrast(question, [arm, dataclasses.replace(p, weight=-arm.weight)]) for p in points]
    means = [one.effect.mean for one in either if one and one.effect]
    low, high = bracket([read.mean, *means], lambda mean: mean.half_width(question.level))
    guarded = bracket([read.mean, *means], lambda mean: mean.guarded_half_width(question.level))
    estimate = dataclasses.replace(read.estimate, low=low, high=high, p=None)
    mean = _decisive(question.claim, means[0], means[-1])
    return dataclasses.replace(
        outcome, effect=dataclasses.replace(read, estimate=estimate, mean=mean, guarded=guarded), helps="size_between"
    )


def _decisive(claim: Claim, smaller: CrossedMean, larger: CrossedMean) -> CrossedMean:
    """The difference that more seeds would settle the claim by: only that from the larger size can exceed its threshold
    for sure, and only that from the smaller one fall below it. If neither does, seeds never settle it.
    """
    threshold = threshold_of(claim.metric, claim.test, claim.delta, claim.margin)
    threshold = -threshold if claim.direction == "lower" else threshold
    if larger.value >= threshold:
        return larger
    return smaller if smaller.value < threshold else dataclasses.replace(larger, per_seed=math.inf)


def at_more_computation(question: Question) -> Outcome | None:
    """`arm` less `against` at the same size, where runs of `against` took delta times the training FLOPs.

    Both are whole runs, each with its own schedule: a score in the middle of a longer schedule, where the learning rate
    is still high, would be too low (Hoffmann et al. 2022). What a run takes is fixed before it starts, so that only
    the scores vary. Pretraining is charged to no arm.
    """
    table, claim = question.table, question.claim
    arm = _arm(question, table.sign)
    outcome = contrast(question, [arm, dataclasses.replace(arm, weight=-arm.weight, arm=claim.against)])
    if outcome is None:
        return None
    ratio = _training_flops(question, claim.against) / _training_flops(question, claim.arm)
    obstacles = (*_too_close(question, ratio), *_stopped_early(question))
    return dataclasses.replace(outcome, budget_ratio=ratio, obstacles=obstacles)


def at_equal_score(question: Question) -> Outcome | None:
    """Effective robustness (Taori et al. 2020): `arm` less `against` out of domain, where both are as good in-domain.

    `against` is read between the two sizes at which its in-domain score passes that of `arm`. How far off it is read
    there does not matter to first order: the in-domain scores are part of the sum, with the slope of the out-of-domain
    score in the in-domain score between these sizes as their weight.
    """
    table, claim = question.table, question.claim
    inside, sizes = table.in_domain, _sizes(question)
    if inside is None or claim.dataset not in table.sets or claim.dataset == inside.name or not sizes:
        return None
    groups = [(claim.arm, question.size), *((claim.against, size) for size in sizes)]
    seeds = table.seeds(*groups)
    if not seeds:
        return None
    scores = {
        (name, group): table.sign * float(table.score(table.rows(*group, name, seeds), name).mean())
        for name in (inside.name, claim.dataset)
        for group in groups
    }
    curve, outside = (
        np.array([scores[name, (claim.against, size)] for size in sizes]) for name in (inside.name, claim.dataset)
    )
    wanted = scores[inside.name, groups[0]]
    matched = match(curve, outside, wanted)
    if matched is None:
        return Outcome(obstacles=(_unmatched(question, curve, wanted),))
    return _robustness(question, sizes, matched, inside.name)


def _robustness(question: Question, sizes: Sequence[Size], matched: Match, inside: str) -> Outcome | None:
    sign, dataset = question.table.sign, question.claim.dataset
    labels = _labels(question.table, question.claim.against, sizes)
    terms = [
        dataclasses.replace(term, weight=weight * term.weight, dataset=name)
        for name, weight in ((dataset, 1.0), (inside, -matched.slope))
        for term in (_arm(question, sign), *_curve(question, sizes, matched.weights, -sign))
    ]
    made = contrast(question, terms)
    return made and dataclasses.replace(made, labels_against=float(np.exp(matched.weights @ np.log(labels))))


def _arm(question: Question, weight: float) -> ScoreTerm:
    inside = question.table.in_domain
    assert inside is not None
    return ScoreTerm(weight=weight, arm=question.claim.arm, size=question.size, dataset=inside.name)


def _curve(question: Question, sizes: Sequence[Size], weights: Floats, sign: float) -> Iterator[ScoreTerm]:
    """The points of `against` that are read, each with its weight."""
    inside = question.table.in_domain
    assert inside is not None
    for size, weight in zip(sizes, weights, strict=True):
        if weight:
            yield ScoreTerm(weight=sign * float(weight), arm=question.claim.against, size=size, dataset=inside.name)


def _sizes(question: Question) -> list[Size]:
    """Those of `against` that the claim reads, ascending."""
    read = sizes_against(question.table.study, question.claim)
    return [size for size in question.table.curve_sizes(question.claim.against) if size in read]


def _labels(table: Table, arm: str, sizes: Sequence[Size]) -> Floats:
    return np.array([table.train_items(arm, size) for size in sizes], dtype=np.float64)


def _training_flops(question: Question, arm: str) -> float:
    """Of all the seeds, without what the arm read before it saw a label."""
    table, cells = question.table, question.table.of(arm, question.size)
    return sum(cell.cost.flops - table.pretraining.get(cell.key.arm, 0.0) for cell in cells)


def _too_close(question: Question, ratio: float) -> Iterator[Obstacle]:
    if ratio < ROUNDING * question.claim.delta:
        numbers = {"ratio": ratio, "delta": question.claim.delta}
        yield Obstacle(kind="budgets_too_close", arm=question.claim.against, size=question.size, numbers=numbers)


def _stopped_early(question: Question) -> Iterator[Obstacle]:
    for arm in dict.fromkeys((question.claim.arm, question.claim.against)):
        short = [c for c in question.table.of(arm, question.size) if c.stopped_by == "patience"]
        if short:
            cells = tuple(f"{cell.key.label} seed={cell.key.seed}" for cell in short)
            yield Obstacle(kind="stopped_early", arm=arm, size=question.size, cells=cells)


def _unmatched(question: Question, curve: Floats, wanted: float) -> Obstacle:
    """Why `against` cannot be read where its in-domain score is that of `arm`; scores as they are reported."""
    sign, against = question.table.sign, question.claim.against
    if curve.max() < wanted:
        numbers = {"score": sign * wanted, "best": sign * float(curve.max())}
        return Obstacle(kind="score_not_reached", arm=against, numbers=numbers)
    return Obstacle(kind="score_passed", arm=against, numbers={"score": sign * wanted, "first": sign * float(curve[0])})
