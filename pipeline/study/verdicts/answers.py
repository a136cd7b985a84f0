"""What the cells of one look say on one claim, for each metric that claims may be about."""

import dataclasses
from collections.abc import Callable

from pipeline.audits import AUDITS, Examination
from pipeline.records import ClaimMetric, Help, Obstacle, ScoreTerm
from pipeline.study.finding.audited import set_name
from pipeline.study.finding.early import area_difference, gain_over_start, start_difference
from pipeline.study.finding.estimates import Effect, Replicates
from pipeline.study.finding.scores import above_chance, gap_of, score_of
from pipeline.study.finding.table import Size, Table
from pipeline.study.verdicts.matching import at_equal_score, at_more_computation, at_more_labels
from pipeline.study.verdicts.question import Outcome, Question, contrast


def _score(question: Question) -> Outcome | None:
    table, claim = question.table, question.claim
    dataset = table.resolve(claim.dataset)
    if dataset is None:
        return None
    arm = ScoreTerm(weight=1.0, arm=claim.arm, size=question.size, dataset=dataset.name)
    return contrast(question, [arm, dataclasses.replace(arm, weight=-1.0, arm=claim.against)])


def _of_points(
    measure: Callable[[Table, Replicates, str, str, Size, float], Effect | None],
) -> Callable[[Question], Outcome | None]:
    """What is read off the trajectories of two arms."""

    def answer(question: Question) -> Outcome | None:
        claim = question.claim
        effect = measure(question.table, question.replicates, claim.arm, claim.against, question.size, question.level)
        return Outcome(effect=effect) if effect else None

    return answer


def _gap(question: Question) -> Outcome | None:
    claim = question.claim
    both = [(1.0, claim.arm), (-1.0, claim.against)]
    gap = gap_of(question.table, question.replicates, both, question.size, claim.dataset, question.level)
    return Outcome(effect=gap, obstacles=at_chance(question)) if gap else None


def _audited(question: Question) -> Outcome | None:
    claim = question.claim
    of = Examination(claim.audit or "", claim.dataset)
    examined = question.table.of_audit(of)
    if examined is None:
        return None
    measure = AUDITS[of.audit].measure
    arm = ScoreTerm(weight=1.0, arm=claim.arm, size=question.size, dataset=set_name(of))
    terms = [arm, dataclasses.replace(arm, weight=-1.0, arm=claim.against)]
    replicates = question.replicates if examined.is_mean else Replicates(examined)
    outcome = contrast(dataclasses.replace(question, table=examined, replicates=replicates), terms)
    if outcome is None:
        return None
    helps: Help = "larger_effect" if measure.of == "its_own" else "test_items"
    means_something = measure.metric or measure.timed  # scores and times do at chance too
    obstacles = () if means_something else at_chance(question)
    return dataclasses.replace(outcome, obstacles=obstacles, helps=helps)


def at_chance(question: Question) -> tuple[Obstacle, ...]:
    """The arms that are not above chance on a set that a gap or an audit is about: it has no meaning for them."""
    table, claim, size = question.table, question.claim, question.size
    inside = table.in_domain
    names = {inside.name, *({claim.dataset} & set(table.sets))} if inside else set()
    scores = [
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
            numbers={"low": score.estimate.low, "chance": score.chance or 0.0},
        )
        for score in scores
        if not above_chance(score, table.sign)
    )


ANSWERS: dict[ClaimMetric, Callable[[Question], Outcome | None]] = {
    "score": _score,
    "label_multiplier": at_more_labels,
    "compute_multiplier": at_more_computation,
    "early_area": _of_points(area_difference),
    "initial_score": _of_points(start_difference),
    "gain_over_start": _of_points(gain_over_start),
    "generalisation_gap": _gap,
    "effective_robustness": at_equal_score,
    "audit": _audited,
}
