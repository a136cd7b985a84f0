"""The verdict on every claim a study stated before it ran."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from pipeline.analysis.crossed import CrossedMean
from pipeline.analysis.verdict import (
    INCONCLUSIVE,
    REFUTED,
    chance_to_settle,
    judge,
    judge_within,
    refutation,
    seeds_needed,
)
from pipeline.config.schema import Claim
from pipeline.records import Estimate, Help, Judgement, Obstacle, Refutation, Verdict
from pipeline.records.metrics import MULTIPLIERS, RATIOS
from pipeline.study.finding.answers import ANSWERS
from pipeline.study.finding.estimates import Effect, Replicates
from pipeline.study.finding.question import Question
from pipeline.study.finding.rivals import comparison_of
from pipeline.study.finding.table import Table
from pipeline.study.looks import Look, Place, claim_size, groups_read, looks_of


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What a study brings with it from before: verdicts that were reached at earlier looks and are kept, and by claim
    what was changed after results had been seen. `notes` say of the study what readers must know of either, `ended_by`
    which budget it ended with.
    """

    kept: Mapping[str, Verdict] = field(default_factory=dict)
    after_looking: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    ended_by: str = ""


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
    read = dataclasses.replace(
        empty, obstacles=outcome.obstacles, labels_against=outcome.labels_against, budget_ratio=outcome.budget_ratio
    )
    if outcome.effect is None:
        return read
    estimate = outcome.effect.estimate
    measured = dataclasses.replace(read, estimate=estimate, terms=outcome.terms, censored=outcome.censored)
    obstacles = (*outcome.obstacles, *_too_few(estimate))
    if obstacles:
        return dataclasses.replace(measured, obstacles=obstacles)
    return _judged(measured, question, outcome.effect, outcome.helps)


def _too_few(estimate: Estimate) -> tuple[Obstacle, ...]:
    """What makes any interval untrustworthy, whatever its width: a single seed, or a single item."""
    if estimate.seeds < 2:
        return (Obstacle(kind="one_seed"),)
    return (Obstacle(kind="one_item"),) if estimate.items == 1 else ()


def _judged(measured: Verdict, question: Question, effect: Effect, helps: Help) -> Verdict:
    low, high, _ = _on_scale(measured, effect.mean.value)
    if measured.test == "equivalent":
        verdict = judge_within(low, high, measured.margin or 0.0)
    else:
        verdict = judge(low, high, _threshold(measured))
    if verdict == INCONCLUSIVE:
        return _still_open(measured, question, effect.mean, helps)
    return dataclasses.replace(measured, verdict=verdict, refutation=_refutation(measured, high, verdict))


def _refutation(measured: Verdict, high: float, verdict: Judgement) -> Refutation | None:
    if verdict != REFUTED:
        return None
    if measured.test == "superior":
        # Of a multiplier that is refuted all that is known is that it is below delta.
        return "too_small" if measured.metric in MULTIPLIERS else refutation(high)
    return "inferior" if measured.test == "not_inferior" else "different"


def _still_open(measured: Verdict, question: Question, mean: CrossedMean, helps: Help) -> Verdict:
    """The next look with the chance that it settles the claim; if none is left, what a new study would need."""
    _, _, value = _on_scale(measured, mean.value)
    # Of two edges the nearer one decides, which stands on the left if the effect does.
    value = -abs(value) if measured.test == "equivalent" else value
    mean, threshold = dataclasses.replace(mean, value=value), _threshold(measured)
    coming = question.later[0] if question.later else None
    level = coming.level if coming else question.level
    needed = _needed(mean, threshold, level)
    return dataclasses.replace(
        measured,
        helps="seeds" if needed else helps,
        seeds_needed=None if coming else needed,
        next_look=len(coming.seeds) if coming else None,
        chance=chance_to_settle(mean, threshold, len(coming.seeds), level) if coming else None,
    )


def _on_scale(measured: Verdict, value: float) -> tuple[float, float, float]:
    """The interval's ends and `value` as they are judged: signed in the claim's direction, ratios as logarithms."""
    assert measured.estimate is not None
    low, high = measured.estimate.low, measured.estimate.high
    if measured.metric in RATIOS:
        low, high = _log(low), _log(high)
    return (-high, -low, -value) if measured.direction == "lower" else (low, high, value)


def _threshold(measured: Verdict) -> float:
    if measured.metric not in RATIOS:
        return measured.threshold
    delta = math.log(measured.delta)
    return abs(delta) if measured.direction == "lower" else delta  # "lower, 2" and "lower, 0.5" both ask for a half


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
    if claim.metric in ("generalisation_gap", "effective_robustness") and claim.dataset == "test":
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
        test=claim.test,
        direction=claim.direction,
        delta=claim.delta,
        margin=claim.margin,
        verdict=INCONCLUSIVE,
        look=question.look.number,
        level=question.level,
    )
