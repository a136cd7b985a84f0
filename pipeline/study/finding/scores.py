"""Scores of every arm and size, differences between arms, generalisation gaps."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from pipeline.analysis.multiple_comparisons import holm
from pipeline.language import said
from pipeline.records import ArmScore, Contrast, Gap, ScoreTerm
from pipeline.study.finding.estimates import (
    Effect,
    Replicates,
    effect,
    effect_of,
    failed_note,
    item_parts,
    noted,
    pool_note,
    within,
    without_p,
)
from pipeline.study.finding.table import Size, Table
from pipeline.study.looks import BASELINE

Pair = tuple[str, str]


def scores(table: Table, replicates: Replicates) -> tuple[ArmScore, ...]:
    """Every arm x size x evaluation set that has a finished cell."""
    return tuple(
        score_of(table, replicates, arm, size, dataset) for arm, size in table.scored() for dataset in table.sets
    )


def score_of(table: Table, replicates: Replicates, arm: str, size: Size, dataset: str) -> ArmScore:
    """The mean score of one arm at one size on one set over all its finished seeds."""
    seeds = table.seeds((arm, size))
    term = ScoreTerm(weight=1.0, arm=arm, size=size, dataset=dataset)
    measured = effect(table, replicates, [term], seeds, table.study.confidence)
    measured = noted(measured, pool_note(table, [size], len(seeds)), failed_note(table, (arm, size)))
    per_seed = table.score(table.rows(arm, size, dataset, seeds), dataset)
    estimate = without_p(within(measured.estimate, table.metric))
    return ArmScore(
        arm=arm,
        size=size,
        train_items=table.train_items(arm, size),
        dataset=dataset,
        role=table.sets[dataset].role,
        metric=table.metric,
        estimate=estimate,
        per_seed=tuple(float(value) for value in per_seed),
        chance=table.chance(arm, size, dataset),
    )


def above_chance(score: ArmScore, sign: float) -> bool:
    """Whether the whole interval is better than the best answer that reads no text, where there is one.

    Args:
        score: of one arm.
        sign: 1 if a higher score is better, else -1.
    """
    worst = score.estimate.low if sign > 0 else score.estimate.high
    return score.chance is None or sign * (worst - score.chance) > 0


def pairs(table: Table) -> list[Pair]:
    """Every arm against scratch, then whatever else a claim compares."""
    study = table.study
    wanted = [(arm, BASELINE) for arm in study.arms if BASELINE in study.arms and arm != BASELINE]
    wanted += [(claim.arm, claim.against) for claim in study.claims.values()]
    return list(dict.fromkeys(wanted))


def contrasts(table: Table, replicates: Replicates, wanted: Sequence[Pair]) -> tuple[Contrast, ...]:
    """Paired differences at every size on every set, with p-values adjusted by Holm over all of them."""
    compared = [
        Contrast(
            arm=arm, against=against, size=size, dataset=dataset, metric=table.metric, estimate=difference.estimate
        )
        for arm, against in wanted
        for size in table.study.sizes
        for dataset in table.sets
        if (difference := difference_of(table, replicates, arm, against, size, dataset, table.study.confidence))
    ]
    tested = [contrast.estimate.p for contrast in compared if contrast.estimate.p is not None]
    adjusted = iter(holm(tested))
    return tuple(
        c if c.estimate.p is None else dataclasses.replace(c, estimate=dataclasses.replace(c.estimate, p_holm=p))
        for c in compared
        for p in [None if c.estimate.p is None else next(adjusted)]
    )


def difference_of(
    table: Table, replicates: Replicates, arm: str, against: str, size: Size, dataset: str, level: float
) -> Effect | None:
    """`arm` minus `against` over the seeds both have, or None where they share none."""
    seeds = table.seeds((arm, size), (against, size))
    if not seeds:
        return None
    terms = [
        ScoreTerm(weight=1.0, arm=arm, size=size, dataset=dataset),
        ScoreTerm(weight=-1.0, arm=against, size=size, dataset=dataset),
    ]
    notes = pool_note(table, [size], len(seeds)), failed_note(table, (arm, size), (against, size))
    return noted(effect(table, replicates, terms, seeds, level), *notes)


def gaps(table: Table, replicates: Replicates, scored: Sequence[ArmScore]) -> tuple[Gap, ...]:
    """In-domain minus every out-of-domain set, and train minus test where the train score was measured."""
    inside = table.in_domain
    if inside is None:
        return ()
    outside = [name for name, other in table.sets.items() if other.role == "out_of_domain"]
    above = {(s.arm, s.size, s.dataset): above_chance(s, table.sign) for s in scored}
    result = []
    for arm, size in table.scored():
        for dataset in [*outside, "train"]:
            gap = gap_of(table, replicates, [(1.0, arm)], size, dataset, table.study.confidence)
            if gap:
                sets = {inside.name, dataset} - {"train"}
                skilled = all(above[arm, size, name] for name in sets)
                result.append(Gap(arm=arm, size=size, dataset=dataset, estimate=gap.estimate, above_chance=skilled))
    return tuple(result)


def gap_of(
    table: Table, replicates: Replicates, arms: Sequence[tuple[float, str]], size: Size, dataset: str, level: float
) -> Effect | None:
    """The generalisation gap of one arm, or the signed sum of those of several; None without data.

    For an out-of-domain set it is in-domain minus that set; for "train" it is train minus test. Positive means lost.
    """
    inside = table.in_domain
    seeds = table.seeds(*((arm, size) for _, arm in arms))
    if inside is None or not seeds:
        return None
    if dataset == "train":
        return _train_gap(table, replicates, arms, size, seeds, level)
    if dataset not in table.sets or dataset == inside.name:
        return None
    terms = [
        ScoreTerm(weight=sign * side, arm=arm, size=size, dataset=name)
        for sign, arm in arms
        for side, name in ((table.sign, inside.name), (-table.sign, dataset))
    ]
    return noted(effect(table, replicates, terms, seeds, level), pool_note(table, [size], len(seeds)))


def _train_gap(
    table: Table,
    replicates: Replicates,
    arms: Sequence[tuple[float, str]],
    size: Size,
    seeds: Sequence[int],
    level: float,
) -> Effect | None:
    inside = table.in_domain
    train = [[_train_score(table, arm, size, seed) for seed in seeds] for _, arm in arms]
    if inside is None or any(value is None for row in train for value in row):
        return None
    signs = [sign * table.sign for sign, _ in arms]
    trained = np.sum([sign * np.array(row, dtype=np.float64) for sign, row in zip(signs, train, strict=True)], axis=0)
    terms = [
        ScoreTerm(weight=-s, arm=arm, size=size, dataset=inside.name) for s, (_, arm) in zip(signs, arms, strict=True)
    ]
    tested = [t.weight * table.score(table.rows(t.arm, size, inside.name, seeds), inside.name) for t in terms]
    # Seeds share the test items, so the choice of items adds to what varies over seeds.
    sets = item_parts(table, replicates, terms, seeds)
    return noted(effect_of(table, trained + np.sum(tested, axis=0), sets, level), said("train minus test"))


def _train_score(table: Table, arm: str, size: Size, seed: int) -> float | None:
    cell = table.cells[arm, size][seed]
    return next((e.metrics.get(table.metric) for e in cell.evaluations if e.role == "train"), None)
