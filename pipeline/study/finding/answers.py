"""What the cells of one look say on one claim, for each metric that claims may be about."""

from collections.abc import Callable
from dataclasses import dataclass

from pipeline.config.schema import Claim
from pipeline.records import Censoring, ClaimMetric, Help, Obstacle, Unit
from pipeline.study.finding.costs import target_ratio
from pipeline.study.finding.curves import Curve, multiplier_of
from pipeline.study.finding.early import area_difference, gain_over_start, start_difference
from pipeline.study.finding.estimates import Effect, Replicates
from pipeline.study.finding.scores import difference_of, gap_of, score_of
from pipeline.study.finding.table import Size, Table
from pipeline.study.looks import Look


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What the cells say on one claim.

    Args:
        obstacles: what keeps it from being judged.
        helps: what would settle it if no number of seeds does.
    """

    effect: Effect
    censored: Censoring = "none"
    obstacles: tuple[Obstacle, ...] = ()
    helps: Help = "test_items"


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


def _score(question: Question) -> Outcome | None:
    table, claim = question.table, question.claim
    dataset = table.resolve(claim.dataset)
    found = dataset and difference_of(
        table, question.replicates, claim.arm, claim.against, question.size, dataset.name, question.level
    )
    return Outcome(effect=found) if found else None


def _multiplier(question: Question) -> Outcome | None:
    claim = question.claim
    curve = Curve(question.table, question.replicates, claim.arm, claim.against, question.size)
    measured = multiplier_of(curve, question.level)
    if measured is None:
        return None
    found, multiplier = measured
    helps: Help = "smaller_sizes" if multiplier.censored == "below" else "larger_sizes"
    return Outcome(effect=found, censored=multiplier.censored, helps=helps)


def _cost(unit: Unit) -> Callable[[Question], Outcome | None]:
    def answer(question: Question) -> Outcome | None:
        claim = question.claim
        found = target_ratio(question.table, claim.arm, claim.against, question.size, unit, question.level)
        return Outcome(effect=found.effect, censored=found.censored, helps="finer_costs") if found else None

    return answer


def _of_points(
    measure: Callable[[Table, str, str, Size, float], Effect | None],
) -> Callable[[Question], Outcome | None]:
    """What is read off the trajectories of two arms."""

    def answer(question: Question) -> Outcome | None:
        claim = question.claim
        found = measure(question.table, claim.arm, claim.against, question.size, question.level)
        return Outcome(effect=found) if found else None

    return answer


def _gap(question: Question) -> Outcome | None:
    claim = question.claim
    both = [(1.0, claim.arm), (-1.0, claim.against)]
    found = gap_of(question.table, question.replicates, both, question.size, claim.dataset, question.level)
    return Outcome(effect=found, obstacles=at_chance(question)) if found else None


def at_chance(question: Question) -> tuple[Obstacle, ...]:
    """The arms of a gap that are not above chance on one of its sets: such a gap says nothing."""
    table, claim, size = question.table, question.claim, question.size
    inside = table.in_domain
    names = {inside.name, claim.dataset} - {"train"} if inside else set()
    found = [
        score_of(table, question.replicates, arm, size, name)
        for arm in dict.fromkeys((claim.arm, claim.against))
        for name in sorted(names)
    ]
    return tuple(
        Obstacle(
            kind="at_chance",
            arm=score.arm,
            size=size,
            dataset=score.dataset,
            numbers={"low": score.estimate.low, "chance": score.chance},
        )
        for score in found
        if score.estimate.low <= score.chance
    )


ANSWERS: dict[ClaimMetric, Callable[[Question], Outcome | None]] = {
    "score": _score,
    "label_multiplier": _multiplier,
    "flops_to_target": _cost("flops"),
    "examples_to_target": _cost("examples"),
    "early_area": _of_points(area_difference),
    "initial_score": _of_points(start_difference),
    "gain_over_start": _of_points(gain_over_start),
    "generalisation_gap": _gap,
}
