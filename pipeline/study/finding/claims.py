"""The verdict on every claim a study stated before it ran."""

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from pipeline.analysis.multiple import simultaneous_level
from pipeline.analysis.verdict import INCONCLUSIVE, REFUTED, judge, refutation, seeds_needed
from pipeline.config.schema import Claim
from pipeline.records import Estimate, Verdict
from pipeline.study.finding import sentences as words
from pipeline.study.finding.costs import target_ratio
from pipeline.study.finding.curves import Curve, multiplier_of
from pipeline.study.finding.early import area_difference, gain_over_start, start_difference
from pipeline.study.finding.estimates import Effect, Replicates
from pipeline.study.finding.rivals import comparison_of
from pipeline.study.finding.scores import difference_of, gap_of, score_of
from pipeline.study.finding.table import Size, Table

MORE_ITEMS = "No number of seeds would settle it; more test items would."


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What the cells say on one claim: the effect, the finding in words, and why it cannot be judged, if so."""

    effect: Effect
    finding: str
    obstacle: str = ""  # a remedy that has to come before any verdict
    remedy: str = ""  # what would help where the verdict is open and seeds would not


@dataclass(frozen=True, kw_only=True)
class Question:
    """A claim at its resolved size, with what is needed to answer it."""

    table: Table
    replicates: Replicates
    claim: Claim
    size: Size
    level: float

    @property
    def labels(self) -> str:
        """The claim's size in words."""
        return words.labels_text(self.size, self.table.train_items(self.claim.arm, self.size), self.table.counted)


def verdicts(table: Table, replicates: Replicates) -> tuple[Verdict, ...]:
    """One verdict for each claim, from intervals that hold together at the study's confidence."""
    claims = table.study.claims
    level = simultaneous_level(table.study.confidence, len(claims))
    return tuple(_verdict(table, replicates, name, claim, level) for name, claim in claims.items())


def claim_size(table: Table, claim: Claim) -> Size:
    """The size a claim means: "smallest" and "largest" by the labels trained on, "all" counting as the largest."""
    if claim.size not in ("smallest", "largest"):
        return claim.size
    ordered = sorted(table.study.sizes, key=lambda size: math.inf if isinstance(size, str) else size)
    return ordered[0] if claim.size == "smallest" else ordered[-1]


def _verdict(table: Table, replicates: Replicates, name: str, claim: Claim, level: float) -> Verdict:
    question = Question(table=table, replicates=replicates, claim=claim, size=claim_size(table, claim), level=level)
    comparison = comparison_of(table, claim, question.size)
    return dataclasses.replace(_answered(name, question), comparison=comparison)


def _answered(name: str, question: Question) -> Verdict:
    table, claim, size = question.table, question.claim, question.size
    ready = bool(table.cells.get((claim.arm, size))) and table.in_domain is not None
    outcome = ANSWERS[claim.metric](question) if ready else None
    if outcome is None:
        return _record(name, claim, size, INCONCLUSIVE, *_no_data(question))
    obstacle = outcome.obstacle or _too_few(outcome.effect.estimate)
    if obstacle:
        return _record(name, claim, size, INCONCLUSIVE, *_open(question, outcome, obstacle), outcome.effect.estimate)
    return _judged(name, question, outcome)


def _too_few(estimate: Estimate) -> str:
    """Why no interval can be trusted, whatever its width; empty if there are seeds and items enough."""
    if estimate.seeds < 2:
        return "One seed cannot show what varies from seed to seed: use five or more."
    return "One test item cannot show what varies from item to item: use a larger test set." * (estimate.items == 1)


def _judged(name: str, question: Question, outcome: Outcome) -> Verdict:
    claim, estimate = question.claim, outcome.effect.estimate
    low, high, delta = _on_scale(claim, estimate)
    verdict = judge(low, high, delta)
    if verdict == INCONCLUSIVE:
        needed = _needed(question, outcome, delta)
        remedy = (
            f"{needed:,} seeds would settle it if the estimate stays where it is." if needed
            else outcome.remedy or MORE_ITEMS
        )  # fmt: skip
        return _record(name, claim, question.size, verdict, *_open(question, outcome, remedy), estimate, needed)
    how = refutation(high) if verdict == REFUTED else ""
    text = _sentence(question, outcome, verdict, how, "")
    return _record(name, claim, question.size, verdict, text, "", estimate)


def _on_scale(claim: Claim, estimate: Estimate) -> tuple[float, float, float]:
    """Interval and delta on the scale of judgement: signed in the claim's direction, ratios as logarithms."""
    low, high, delta = estimate.low, estimate.high, claim.delta
    if claim.metric in words.RATIOS:
        low, high, delta = _log(low), _log(high), math.log(delta)
        # "lower, 2" and "lower, 0.5" both ask for half or less.
        delta = abs(delta) if claim.direction == "lower" else delta
    return (-high, -low, delta) if claim.direction == "lower" else (low, high, delta)


def _needed(question: Question, outcome: Outcome, delta: float) -> int | None:
    mean = outcome.effect.mean
    distance = abs((-mean.value if question.claim.direction == "lower" else mean.value) - delta)
    if not math.isfinite(mean.variance + distance):
        return None
    return seeds_needed(partial(mean.half_width, question.level), distance, mean.seeds)


def _log(value: float) -> float:
    return -math.inf if value <= 0 else math.log(value)


def _score(question: Question) -> Outcome | None:
    table, claim = question.table, question.claim
    dataset = table.resolve(claim.dataset)
    found = dataset and difference_of(
        table, question.replicates, claim.arm, claim.against, question.size, dataset.name, question.level
    )
    if not found:
        return None
    return Outcome(
        effect=found,
        finding=words.score_finding(claim, found.estimate.value, table.metric, question.labels, claim.dataset),
    )


def _multiplier(question: Question) -> Outcome | None:
    claim = question.claim
    curve = Curve(question.table, question.replicates, claim.arm, claim.against, question.size)
    measured = multiplier_of(curve, question.level)
    if measured is None:
        return None
    found, multiplier = measured
    reach = f"Larger sizes of {claim.against} or more test items would narrow it."
    return Outcome(
        effect=found,
        finding=words.multiplier_finding(claim, multiplier.value, multiplier.censored, question.labels),
        remedy=f"Smaller sizes of {claim.against} would narrow it." if multiplier.censored == "below" else reach,
    )


def _cost(question: Question) -> Outcome | None:
    table, claim = question.table, question.claim
    unit = claim.metric.removesuffix("_to_target")
    found = target_ratio(table, claim.arm, claim.against, question.size, unit, question.level)
    if found is None or table.study.target is None:
        return None
    target = words.amount(table.study.target, table.metric).replace(" points", "%")
    return Outcome(
        effect=found.effect,
        finding=words.cost_finding(claim, found.ratio.value, found.ratio.bound, question.labels, target),
        remedy="Longer training, a target that every run reaches, or a finer evaluation grid would settle it.",
    )


def _area(question: Question) -> Outcome | None:
    return _of_points(question, area_difference, words.area_finding)


def _initial(question: Question) -> Outcome | None:
    return _of_points(question, start_difference, words.initial_finding)


def _gain(question: Question) -> Outcome | None:
    return _of_points(question, gain_over_start, words.gain_finding)


def _of_points(
    question: Question,
    measure: Callable[[Table, str, str, Size, float], Effect | None],
    said: Callable[[Claim, float, str, str], str],
) -> Outcome | None:
    """What is read off the trajectories of two arms, and the words for it."""
    table, claim = question.table, question.claim
    found = measure(table, claim.arm, claim.against, question.size, question.level)
    if found is None:
        return None
    return Outcome(effect=found, finding=said(claim, found.estimate.value, table.metric, question.labels))


def _gap(question: Question) -> Outcome | None:
    table, replicates, claim, size = question.table, question.replicates, question.claim, question.size
    both = [(1.0, claim.arm), (-1.0, claim.against)]
    found = gap_of(table, replicates, both, size, claim.dataset, question.level)
    if found is None:
        return None
    obstacle = (
        ""
        if _skilled(question)
        else f"An arm is not above chance, so that its gap says nothing: add {question.table.counted}s."
    )
    finding = words.gap_finding(claim, found.estimate.value, table.metric, question.labels)
    return Outcome(effect=found, finding=finding, obstacle=obstacle)


def _skilled(question: Question) -> bool:
    """Whether both arms are above chance on both sets of a gap."""
    table, claim = question.table, question.claim
    inside = table.in_domain
    names = {inside.name, claim.dataset} - {"train"} if inside else set()
    found = [
        score_of(table, question.replicates, arm, question.size, name)
        for arm in (claim.arm, claim.against)
        for name in sorted(names)
    ]
    return all(score.estimate.low > score.chance for score in found)


ANSWERS: dict[str, Callable[[Question], Outcome | None]] = {
    "score": _score,
    "label_multiplier": _multiplier,
    "flops_to_target": _cost,
    "examples_to_target": _cost,
    "early_area": _area,
    "initial_score": _initial,
    "gain_over_start": _gain,
    "generalisation_gap": _gap,
}


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
        at = f"{question.size} {table.counted}s"
        remedy = "Run the study again: it trains only the cells that are missing."
        lack = f"{claim.arm} and {claim.against} share no finished seed for it at {at}"
        return f"Inconclusive: {lack}. {remedy}", remedy
    return f"Inconclusive: it cannot be judged. {remedy}", remedy


def _open(question: Question, outcome: Outcome, remedy: str) -> tuple[str, str]:
    return _sentence(question, outcome, INCONCLUSIVE, "", remedy), remedy


def _sentence(question: Question, outcome: Outcome, verdict: str, how: str, remedy: str) -> str:
    claim, metric = question.claim, question.table.metric
    interval = words.interval_text(claim, outcome.effect.estimate, metric)
    return words.sentence(verdict, how, outcome.finding, interval, words.smallest_text(claim, metric), remedy)


def _record(
    name: str,
    claim: Claim,
    size: Size,
    verdict: str,
    sentence: str,
    remedy: str,
    estimate: Estimate | None = None,
    needed: int | None = None,
) -> Verdict:
    return Verdict(
        claim=name,
        statement=claim.statement,
        metric=claim.metric,
        arm=claim.arm,
        against=claim.against,
        size=size,
        dataset=claim.dataset,
        direction=claim.direction,
        delta=claim.delta,
        verdict=verdict,
        sentence=sentence,
        estimate=estimate,
        seeds_needed=needed,
        remedy="" if needed else remedy,
    )
