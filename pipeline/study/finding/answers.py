"""What the cells of one look say on one claim, for each metric that claims may be about."""

from collections.abc import Callable
from dataclasses import dataclass

from pipeline.config.schema import Claim
from pipeline.study.finding import sentences as words
from pipeline.study.finding.costs import target_ratio
from pipeline.study.finding.curves import Curve, multiplier_of
from pipeline.study.finding.early import area_difference, gain_over_start, start_difference
from pipeline.study.finding.estimates import Effect, Replicates
from pipeline.study.finding.scores import difference_of, gap_of, score_of
from pipeline.study.finding.table import Size, Table
from pipeline.study.looks import Look


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What the cells say on one claim: the effect, the finding in words, and why it cannot be judged, if so."""

    effect: Effect
    finding: str
    obstacle: str = ""  # a remedy that has to come before any verdict
    remedy: str = ""  # what would help where the verdict is open and seeds would not


@dataclass(frozen=True, kw_only=True)
class Question:
    """A claim at its resolved size and at one look, with what is needed to answer it; `later` are the looks after it.

    `table` has no other cells than those of the look's seeds.
    """

    table: Table
    replicates: Replicates
    claim: Claim
    size: Size
    look: Look
    later: tuple[Look, ...]

    @property
    def level(self) -> float:
        """The level of the interval that the answer rests on."""
        return self.look.level

    @property
    def labels(self) -> str:
        """The claim's size in words."""
        return words.labels_text(self.size, self.table.train_items(self.claim.arm, self.size), self.table.counted)


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
