"""What follows from a study for whoever has to choose an arm: the best, the cheapest about as good, and more labels."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.config.schema import Claim
from pipeline.records import ArmScore, CellResult, Estimate, Findings, ScoreTerm
from pipeline.study.finding.basis import Basis, table_of
from pipeline.study.finding.cell_scores import CellScores
from pipeline.study.finding.estimates import Replicates, effect
from pipeline.study.finding.scores import score_of
from pipeline.study.finding.table import Size, Table
from pipeline.study.looks import claim_size

ENOUGH = 2  # seeds, so that something shows how much they vary
AS_GOOD = 0.01  # of the metric's scale: an arm this near to the best counts as about as good


@dataclass(frozen=True, kw_only=True)
class Recommendation:
    """At the largest size, for the study's own test set.

    Args:
        best: the arm with the highest mean score.
        ahead: its score less that of the second, `second`, with its interval; None with one arm.
        cheapest: of the arms about as good as `best`, the one whose training takes the least computation.
        more: what the labels from the next smaller size on bought `best`; None with one size.
    """

    best: ArmScore
    second: str | None
    ahead: Estimate | None
    cheapest: str
    cheaper: float  # how many times less computation than the best it takes
    smaller: Size | None
    more: Estimate | None


def recommend(
    basis: Basis, cells: Sequence[CellResult], store: CellScores, findings: Findings
) -> Recommendation | None:
    """The recommendation that the finished cells of a study allow; None until every arm of it was trained under
    ENOUGH seeds at the largest size: what is missing might be better.
    """
    table = table_of(basis, cells, store)
    replicates = Replicates(table)
    sizes = sorted({size for _, size in table.groups()}, key=lambda size: table.drawn_from(size)[0])
    largest = claim_size(basis.study, Claim())
    if table.in_domain is None or any(len(table.of(arm, largest)) < ENOUGH for arm in basis.study.arms):
        return None
    dataset = table.in_domain.name
    arms = [arm for arm, size in table.groups() if size == sizes[-1]]
    scored = [score_of(table, replicates, arm, sizes[-1], dataset) for arm in arms]
    scored.sort(key=lambda s: table.sign * s.estimate.value, reverse=True)
    best, flops = scored[0], {c.arm: c.flops for c in findings.costs if c.size == sizes[-1]}
    near = [s.arm for s in scored if abs(s.estimate.value - best.estimate.value) <= AS_GOOD]
    cheapest = min(near, key=lambda arm: flops.get(arm, float("inf")))
    ends = [(best.arm, sizes[-1]), (best.arm, sizes[-2])] if len(sizes) > 1 else []
    return Recommendation(
        best=best,
        second=scored[1].arm if len(scored) > 1 else None,
        ahead=_less(table, replicates, (best.arm, sizes[-1]), (scored[1].arm, sizes[-1])) if len(scored) > 1 else None,
        cheapest=cheapest,
        cheaper=flops.get(best.arm, 0.0) / max(flops.get(cheapest, 0.0), 1.0),
        smaller=sizes[-2] if ends else None,
        more=_less(table, replicates, *ends) if ends else None,
    )


def _less(table: Table, replicates: Replicates, one: tuple[str, Size], other: tuple[str, Size]) -> Estimate | None:
    """The score of one arm and size less that of another, over the seeds that both have."""
    seeds = table.seeds(one, other)
    if not seeds or table.in_domain is None:
        return None
    term = [
        ScoreTerm(weight=weight, arm=arm, size=size, dataset=table.in_domain.name)
        for weight, (arm, size) in ((1.0, one), (-1.0, other))
    ]
    return effect(table, replicates, term, seeds, table.study.confidence).estimate
