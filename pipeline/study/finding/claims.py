"""The verdict on every claim a study stated before it ran."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from pipeline.analysis.crossed import CrossedMean
from pipeline.analysis.verdict import INCONCLUSIVE, REFUTED, chance_to_settle, judge, refutation, seeds_needed
from pipeline.config.schema import Claim
from pipeline.records import Estimate, Verdict
from pipeline.study.finding import sentences as words
from pipeline.study.finding.answers import ANSWERS, Outcome, Question
from pipeline.study.finding.estimates import Replicates
from pipeline.study.finding.rivals import comparison_of
from pipeline.study.finding.table import Table
from pipeline.study.looks import Look, Place, claim_size, groups_read, looks_of

MORE_ITEMS = "No number of seeds would settle it; more test items would."


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
        found = _answered(name, question)
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
    remedy = "Run the study again: it trains only the cells that are missing."
    sentence = words.unreached(len(question.look.seeds), lacking, remedy, several=bool(question.later))
    empty = dataclasses.replace(question, look=dataclasses.replace(question.look, number=0))
    return dataclasses.replace(_record(name, empty, INCONCLUSIVE, sentence, remedy), level=None)


def _answered(name: str, question: Question) -> Verdict:
    comparison = comparison_of(question.table, question.claim, question.size)
    return dataclasses.replace(_answer(name, question), comparison=comparison)


def _answer(name: str, question: Question) -> Verdict:
    table, claim, size = question.table, question.claim, question.size
    ready = bool(table.cells.get((claim.arm, size))) and table.in_domain is not None
    outcome = ANSWERS[claim.metric](question) if ready else None
    if outcome is None:
        return _record(name, question, INCONCLUSIVE, *_no_data(question))
    obstacle = outcome.obstacle or _too_few(outcome.effect.estimate)
    if obstacle:
        return _record(name, question, INCONCLUSIVE, *_open(question, outcome, obstacle), outcome.effect.estimate)
    return _judged(name, question, outcome)


def _too_few(estimate: Estimate) -> str:
    """Why no interval can be trusted, whatever its width; empty if there are seeds and items enough."""
    if estimate.seeds < 2:
        return "One seed cannot show what varies from seed to seed: use five or more."
    return "One test item cannot show what varies from item to item: use a larger test set." * (estimate.items == 1)


def _judged(name: str, question: Question, outcome: Outcome) -> Verdict:
    estimate = outcome.effect.estimate
    low, high, delta = _on_scale(question.claim, estimate)
    verdict = judge(low, high, delta)
    if verdict == INCONCLUSIVE:
        return _still_open(name, question, outcome, delta)
    how = refutation(high) if verdict == REFUTED else ""
    return _record(name, question, verdict, _sentence(question, outcome, verdict, how, ""), "", estimate)


def _still_open(name: str, question: Question, outcome: Outcome, delta: float) -> Verdict:
    """The next look with the chance that it settles the claim; where none is left, what a new study would need."""
    mean = outcome.effect.mean
    mean = dataclasses.replace(mean, value=-mean.value) if question.claim.direction == "lower" else mean
    coming = question.later[0] if question.later else None
    level = coming.level if coming else question.level
    needed = _needed(mean, delta, level)
    chance = chance_to_settle(mean, delta, len(coming.seeds), level) if coming else None
    helps = "" if needed else outcome.remedy or MORE_ITEMS
    remedy = words.next_look(len(coming.seeds), chance, helps) if coming else helps or words.new_study(needed)
    found = _record(name, question, INCONCLUSIVE, *_open(question, outcome, remedy), outcome.effect.estimate)
    return dataclasses.replace(
        found,
        seeds_needed=None if coming else needed,
        next_look=len(coming.seeds) if coming else None,
        chance=chance,
    )


def _on_scale(claim: Claim, estimate: Estimate) -> tuple[float, float, float]:
    """Interval and delta on the scale of judgement: signed in the claim's direction, ratios as logarithms."""
    low, high, delta = estimate.low, estimate.high, claim.delta
    if claim.metric in words.RATIOS:
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


def _no_data(question: Question) -> tuple[str, str]:
    """The sentence and the remedy where nothing can be compared."""
    table, claim = question.table, question.claim
    if claim.metric.endswith("_to_target") and table.study.target is None:
        remedy = "The study states no target: set study.target to a validation score."
    elif table.in_domain is not None and claim.dataset not in ("train",) and table.resolve(claim.dataset) is None:
        known = ", ".join(["test", *(s.name for s in table.sets.values() if s.role == "out_of_domain")])
        remedy = f"No set is called {claim.dataset!r}: use one of {known}."
    elif claim.metric == "generalisation_gap" and claim.dataset == "test":
        remedy = "A gap needs an out-of-domain set, or train: name it in the claim's dataset."
    else:
        remedy = f"{claim.arm} and {claim.against} have no scores in common for it."
    return f"Inconclusive: it cannot be judged. {remedy}", remedy


def _open(question: Question, outcome: Outcome, remedy: str) -> tuple[str, str]:
    return _sentence(question, outcome, INCONCLUSIVE, "", remedy), remedy


def _sentence(question: Question, outcome: Outcome, verdict: str, how: str, remedy: str) -> str:
    claim, metric = question.claim, question.table.metric
    interval = words.interval_text(claim, outcome.effect.estimate, metric)
    return words.sentence(verdict, how, outcome.finding, interval, words.smallest_text(claim, metric), remedy)


def _record(
    name: str, question: Question, verdict: str, sentence: str, remedy: str, estimate: Estimate | None = None
) -> Verdict:
    claim = question.claim
    return Verdict(
        claim=name,
        statement=claim.statement,
        metric=claim.metric,
        arm=claim.arm,
        against=claim.against,
        size=question.size,
        dataset=claim.dataset,
        direction=claim.direction,
        delta=claim.delta,
        verdict=verdict,
        sentence=sentence,
        estimate=estimate,
        remedy=remedy,
        look=question.look.number,
        level=question.level,
    )
