"""Which arms were the best from scratch, and what a claim compares."""

from collections.abc import Hashable

from pipeline.config.schema import Claim
from pipeline.records import BEST_FROM_SCRATCH, CellResult, Comparison, RivalChoice
from pipeline.study.finding.table import Size, Table


def choices(table: Table) -> tuple[RivalChoice, ...]:
    """The arm chosen under each seed, for every size; empty where no claim is against the best from scratch."""
    return tuple(_choice(table, size) for arm, size in table.scored() if arm == BEST_FROM_SCRATCH)


def _choice(table: Table, size: Size) -> RivalChoice:
    chosen = tuple(cell.key.arm for cell in table.of(BEST_FROM_SCRATCH, size))
    return RivalChoice(
        size=size,
        seeds=table.seeds((BEST_FROM_SCRATCH, size)),
        chosen=chosen,
        shares={arm: chosen.count(arm) for arm in table.from_scratch},
    )


def comparison_of(table: Table, claim: Claim, size: Size) -> Comparison:
    """What the claim compares: "same_network" where one of its arms starts from scratch and the other does not, on
    networks of one architecture of which the same part is trained.
    """
    if claim.against == BEST_FROM_SCRATCH:
        return "best_from_scratch"
    arms = (claim.arm, claim.against)
    starts = {arm in table.from_scratch for arm in arms if table.of(arm, size)}
    networks = {_network(cell) for arm in arms for cell in table.of(arm, size)}
    return "same_network" if len(starts) == 2 and len(networks) == 1 else "other"


def _network(cell: CellResult) -> Hashable:
    line = cell.start_line
    return cell.key.base, line.architecture, line.shrink, line.method
