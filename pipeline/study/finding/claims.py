"""The verdict on every claim a study stated before it ran."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from pipeline.analysis.crossed import CrossedMean
from pipeline.analysis.verdict import INCONCLUSIVE, REFUTED, chance_to_settle, judge, refutation, seeds_needed
from pipeline.config.schema import Claim
from pipeline.records import Estimate, Obstacle, Verdict
from pipeline.records.metrics import RATIOS
from pipeline.study.finding.answers import ANSWERS, Outcome, Question
from pipeline.study.finding.estimates import Replicates
from pipeline.study.finding.rivals import comparison_of
from pipeline.study.finding.table import Table
from pipeline.study.looks import Look, Place, claim_size, groups_read, looks_of


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What a study brings with it from before: verdicts that were reached at earlier looks and are kept, and by claim
    what was changed after results had been seen. `notes` say of the study what readers must know of either.
    """

    kept: Mapping[str, Verdict] = field(default_factory=dict)
    after_looking: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


NOTHING_BEFORE = Standing()


def verdicts(table: Table, replicates: Replicates, standing: Standing) -> tuple[Verdict, ...]:
    """One verdict for each claim, that of the first look which settles it, else of the last look that is reached.

    All intervals hold together at the study's confidence, those of all claims at all looks.
    """
    looks = looks_of(table.study)
    views = [_view(table, replicates, look.seeds) for look in looks]
    found = []
    for name, claim in table.study.claims.items():
        kept = standing.kept.get(name)
        verdict = dataclasses.replace(kept, statement=claim.statement) if kept else _verdict(views, looks, name, claim)
        found.append(dataclasses.replace(verdict, after_looking=standing.after_looking.get(name, ())))
    return tuple(found)


def _view(table: Table, replicates: Replicates, seeds: Sequence[int]) -> tuple[Table, Replicates]:
    if set(table.study.seeds) <= set(seeds):
        return table, replicates
    view = table.under(seeds)
    return view, Replicates(view)


def _verdict(views: Sequence[tuple[Table, Replicates]], looks: Sequence[Look], name: str, claim: Claim) -> Verdict:
    found = None
    for number, ((table, replicates), look) in enumerate(zip(views, looks, strict=True), start=1):
        question = Question(
            table=table,
            replicates=replicates,
            claim=claim,
            size=claim_size(table.study, claim),
            look=look,
            later=tuple(looks[number:]),
        )
        lacking = _lacking(question)
        if lacking:
            return found or _unreached(name, question, lacking)
        found = _answer(name, question)
        if found.verdict != INCONCLUSIVE:
            break
    assert found is not None
    return found


def _lacking(question: Question) -> list[Place]:
    """The cells that the look at a claim lacks: a seed without one of those that the claim reads is incomplete."""
    table = question.table
    groups = groups_read(table.study, question.claim, table.from_scratch)
    return [
        (*group, seed) for group in groups for seed in question.look.seeds if seed not in table.cells.get(group, {})
    ]


def _unreached(name: str, question: Question, lacking: Sequence[Place]) -> Verdict:
    cells = tuple(f"{arm} n={size} seed={seed}" for arm, size, seed in lacking)
    missing = Obstacle(kind="missing_cells", cells=cells, numbers={"seeds": len(question.look.seeds)})
    empty = _record(name, question)
    return dataclasses.replace(empty, obstacles=(missing,), look=0, level=None)


def _answer(name: str, question: Question) -> Verdict:
    table, claim, size = question.table, question.claim, question.size
    empty = dataclasses.replace(_record(name, question), comparison=comparison_of(table, claim, size))
    ready = bool(table.cells.get((claim.arm, size))) and table.in_domain is not None
    outcome = ANSWERS[claim.metric](question) if ready else None
    if outcome is None:
        return dataclasses.replace(empty, obstacles=(_no_data(question),))
    estimate = outcome.effect.estimate
    measured = dataclasses.replace(empty, estimate=estimate, censored=outcome.censored)
    obstacles = (*outcome.obstacles, *_too_few(estimate))
    if obstacles:
        return dataclasses.replace(measured, obstacles=obstacles)
    return _judged(measured, question, outcome)


def _too_few(estimate: Estimate) -> tuple[Obstacle, ...]:
    """What makes any interval untrustworthy, whatever its width: a single seed, or a single item."""
    if estimate.seeds < 2:
        return (Obstacle(kind="one_seed"),)
    return (Obstacle(kind="one_item"),) if estimate.items == 1 else ()


def _judged(measured: Verdict, question: Question, outcome: Outcome) -> Verdict:
    low, high, delta = _on_scale(question.claim, outcome.effect.estimate)
    verdict = judge(low, high, delta)
    if verdict == INCONCLUSIVE:
        return _still_open(measured, question, outcome, delta)
    return dataclasses.replace(measured, verdict=verdict, refutation=refutation(high) if verdict == REFUTED else None)


def _still_open(measured: Verdict, question: Question, outcome: Outcome, delta: float) -> Verdict:
    """The next look with the chance that it settles the claim; if none is left, what a new study would need."""
    mean = outcome.effect.mean
    mean = dataclasses.replace(mean, value=-mean.value) if question.claim.direction == "lower" else mean
    coming = question.later[0] if question.later else None
    level = coming.level if coming else question.level
    needed = _needed(mean, delta, level)
    return dataclasses.replace(
        measured,
        helps="seeds" if needed else outcome.helps,
        seeds_needed=None if coming else needed,
        next_look=len(coming.seeds) if coming else None,
        chance=chance_to_settle(mean, delta, len(coming.seeds), level) if coming else None,
    )


def _on_scale(claim: Claim, estimate: Estimate) -> tuple[float, float, float]:
    """Interval and delta on the scale of judgement: signed in the claim's direction, ratios as logarithms."""
    low, high, delta = estimate.low, estimate.high, claim.delta
    if claim.metric in RATIOS:
        low, high, delta = _log(low), _log(high), math.log(delta)
        # "lower, 2" and "lower, 0.5" both ask for half or less.
        delta = abs(delta) if claim.direction == "lower" else delta
    return (-high, -low, delta) if claim.direction == "lower" else (low, high, delta)


def _needed(mean: CrossedMean, delta: float, level: float) -> int | None:
    distance = abs(mean.value - delta)
    if not math.isfinite(mean.variance + distance):
        return None
    return seeds_needed(partial(mean.half_width, level), distance, mean.seeds)


def _log(value: float) -> float:
    return -math.inf if value <= 0 else math.log(value)


def _no_data(question: Question) -> Obstacle:
    """Why nothing can be compared."""
    table, claim = question.table, question.claim
    if claim.metric.endswith("_to_target") and table.study.target is None:
        return Obstacle(kind="no_target")
    if table.in_domain is not None and claim.dataset != "train" and table.resolve(claim.dataset) is None:
        return Obstacle(kind="unknown_dataset", dataset=claim.dataset)
    if claim.metric == "generalisation_gap" and claim.dataset == "test":
        return Obstacle(kind="gap_without_dataset")
    return Obstacle(kind="no_common_scores")


def _record(name: str, question: Question) -> Verdict:
    """An inconclusive verdict that holds what is known before anything is measured."""
    claim, group = question.claim, (question.claim.arm, question.size)
    return Verdict(
        claim=name,
        statement=claim.statement,
        metric=claim.metric,
        arm=claim.arm,
        against=claim.against,
        size=question.size,
        labels=question.table.train_items(*group) if question.table.cells.get(group) else None,
        dataset=claim.dataset,
        direction=claim.direction,
        delta=claim.delta,
        verdict=INCONCLUSIVE,
        look=question.look.number,
        level=question.level,
    )
