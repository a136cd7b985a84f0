"""The verdict on every claim a study stated before it ran."""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from pipeline.analysis.crossed_interval import CrossedMean
from pipeline.analysis.verdict import INCONCLUSIVE, chance_to_settle, seeds_needed
from pipeline.audits import Examination
from pipeline.config.schema import Claim
from pipeline.language import Sentence
from pipeline.records import Estimate, Help, Obstacle, ObstacleKind, Verdict
from pipeline.study.finding.estimates import SMALL_SHARE, Effect, Replicates
from pipeline.study.finding.table import Table
from pipeline.study.looks import Place, claim_size, groups_read, looks_of
from pipeline.study.verdicts.answers import ANSWERS
from pipeline.study.verdicts.judging import judged, signed
from pipeline.study.verdicts.obstacles import undoing
from pipeline.study.verdicts.question import Outcome, Question
from pipeline.study.verdicts.rivals import comparison_of
from pipeline.study.verdicts.seeds import odd_seeds, place_text


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What a study brings with it from before: verdicts that were reached at earlier looks and are kept, and by claim
    what was changed after results had been seen, `costs_after_looking` by row of the fourteen that no claim states.
    `notes` say of the study what readers must know of either, `ended_by` which budget it ended with.
    """

    kept: dict[str, Verdict] = field(default_factory=dict)
    after_looking: dict[str, tuple[Sentence, ...]] = field(default_factory=dict)
    costs_after_looking: dict[str, tuple[Sentence, ...]] = field(default_factory=dict)
    notes: tuple[Sentence, ...] = ()
    ended_by: str = ""


NOTHING_BEFORE = Standing()


def verdicts(table: Table, replicates: Replicates, standing: Standing) -> tuple[Verdict, ...]:
    """One verdict for each claim, that of the first look which settles it, else of the last look that is reached.

    The intervals of a family hold together at the study's confidence, those of all its claims at all looks.
    """
    views = [_view(table, replicates, look.seeds) for look in looks_of(table.study)]
    judged_claims = []
    for name, claim in table.study.claims.items():
        kept = standing.kept.get(name)
        verdict = dataclasses.replace(kept, statement=claim.statement) if kept else _verdict(views, name, claim)
        judged_claims.append(dataclasses.replace(verdict, after_looking=standing.after_looking.get(name, ())))
    return tuple(judged_claims)


def _view(table: Table, replicates: Replicates, seeds: Sequence[int]) -> tuple[Table, Replicates]:
    if set(table.study.seeds) <= set(seeds):
        return table, replicates
    view = table.under(seeds)
    return view, Replicates(view)


def _verdict(views: Sequence[tuple[Table, Replicates]], name: str, claim: Claim) -> Verdict:
    looks, verdict = looks_of(views[0][0].study, name), None
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
            return verdict or _unreached(name, question, lacking)
        verdict = _answer(name, question)
        if verdict.verdict != INCONCLUSIVE:
            break
    assert verdict is not None
    return verdict


def _lacking(question: Question) -> list[Place]:
    """The cells that the look at a claim lacks: a seed without one of those that the claim reads is incomplete."""
    table = question.table
    groups = groups_read(table.study, question.claim, table.from_scratch)
    return [
        (*group, seed) for group in groups for seed in question.look.seeds if seed not in table.cells.get(group, {})
    ]


def _unreached(name: str, question: Question, lacking: Sequence[Place]) -> Verdict:
    failed = [place for place in lacking if place in question.table.failed]
    missing = [place for place in lacking if place not in question.table.failed]
    kinds: tuple[tuple[ObstacleKind, list[Place]], ...] = (("failed_cells", failed), ("missing_cells", missing))
    seeds = {"seeds": float(len(question.look.seeds))}
    obstacles = (Obstacle(kind=k, cells=tuple(map(place_text, places)), numbers=seeds) for k, places in kinds if places)
    return dataclasses.replace(_record(name, question), obstacles=tuple(obstacles), look=0, level=None)


def _answer(name: str, question: Question) -> Verdict:
    table, claim, size = question.table, question.claim, question.size
    empty = dataclasses.replace(_record(name, question), comparison=comparison_of(table, claim, size))
    ready = bool(table.cells.get((claim.arm, size))) and table.in_domain is not None
    outcome = ANSWERS[claim.metric](question) if ready else None
    if outcome is None:
        unread = dataclasses.replace(empty, obstacles=(_no_data(question),))
        unmeasured = unread.obstacles[0].kind in ("unknown_dataset", "unexamined")  # then the look is still to be taken
        return dataclasses.replace(unread, look=0, level=None) if unmeasured else unread
    read = dataclasses.replace(
        empty, obstacles=outcome.obstacles, labels_against=outcome.labels_against, budget_ratio=outcome.budget_ratio
    )
    if outcome.effect is None:
        return read
    estimate = outcome.effect.estimate
    measured = dataclasses.replace(read, estimate=estimate, terms=outcome.terms)
    obstacles = (*outcome.obstacles, *_too_few(estimate))
    if obstacles:
        return dataclasses.replace(measured, obstacles=obstacles)
    return _judged(measured, question, outcome, outcome.effect)


def _too_few(estimate: Estimate) -> tuple[Obstacle, ...]:
    """What makes any interval untrustworthy, whatever its width: a single seed, or a single item."""
    if estimate.seeds < 2:
        return (Obstacle(kind="one_seed"),)
    return (Obstacle(kind="one_item"),) if estimate.items == 1 else ()


def _judged(measured: Verdict, question: Question, outcome: Outcome, effect: Effect) -> Verdict:
    verdict, refutation = judged(measured, effect.estimate)
    if verdict == INCONCLUSIVE:
        return _still_open(measured, question, effect.mean, outcome.helps)
    obstacles = (*odd_seeds(question, measured, effect), *undoing(question, measured))
    if obstacles:
        return dataclasses.replace(measured, obstacles=obstacles)
    return dataclasses.replace(measured, verdict=verdict, refutation=refutation)


def _still_open(measured: Verdict, question: Question, mean: CrossedMean, helps: Help) -> Verdict:
    """The next look with the chance that it settles the claim; if none is left, what a new study would need."""
    value = signed(measured, mean.value)
    # Of two edges the nearer one decides, which stands on the left if the effect does.
    value = -abs(value) if measured.test == "equivalent" else value
    mean, edge = dataclasses.replace(mean, value=value), measured.threshold
    coming = question.later[0] if question.later else None
    level = coming.level if coming else question.level
    needed = _needed(mean, edge, level)
    return dataclasses.replace(
        measured,
        helps="seeds" if needed else helps,
        seeds_needed=None if coming else needed,
        next_look=len(coming.seeds) if coming else None,
        chance=chance_to_settle(mean, edge, len(coming.seeds), level) if coming else None,
    )


def _needed(mean: CrossedMean, delta: float, level: float) -> int | None:
    distance = abs(mean.value - delta)
    if not math.isfinite(mean.variance + distance):
        return None
    return seeds_needed(partial(mean.guarded_half_width, level), distance, mean.seeds)


def _no_data(question: Question) -> Obstacle:
    """Why nothing can be compared."""
    table, claim = question.table, question.claim
    if table.in_domain is not None and claim.dataset != "train" and table.resolve(claim.dataset) is None:
        return Obstacle(kind="unknown_dataset", dataset=claim.dataset)
    if claim.audit is not None and Examination(claim.audit, claim.dataset) not in table.audits:
        return Obstacle(kind="unexamined")
    if claim.metric in ("generalisation_gap", "effective_robustness") and claim.dataset == "test":
        return Obstacle(kind="gap_without_dataset")
    return Obstacle(kind="no_common_scores")


def _record(name: str, question: Question) -> Verdict:
    """An inconclusive verdict that holds what is known before anything is measured."""
    claim, table = question.claim, question.table
    items, pool = table.drawn_from(question.size) if table.cells.get((claim.arm, question.size)) else (None, None)
    return Verdict(
        claim=name,
        statement=claim.statement,
        metric=claim.metric,
        arm=claim.arm,
        against=claim.against,
        size=question.size,
        labels=items,
        pool=pool if items and pool and items > SMALL_SHARE * pool else None,
        validation_labels=table.validation.items if table.validation else 0,
        dataset=claim.dataset,
        audit=claim.audit,
        test=claim.test,
        direction=claim.direction,
        delta=claim.delta,
        margin=claim.margin,
        verdict=INCONCLUSIVE,
        look=question.look.number,
        level=question.level,
    )
