"""What a study can show, told before it is trained: for each claim, the smallest effect that a look is likely to show.

The variances come from finished cells that differ from the study's in nothing but their seed: a pilot on a few other
seeds, an earlier study, or the first seeds of this one. Their differences are not looked at.
"""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.analysis.verdict import smallest_effect
from pipeline.config.cell import Cell
from pipeline.errors import StorageError
from pipeline.records import threshold_of
from pipeline.study.finding.estimates import Replicates
from pipeline.study.finding.table import Table
from pipeline.study.looks import claim_size, looks_of
from pipeline.study.plan import Plan
from pipeline.study.verdicts.answers import ANSWERS
from pipeline.study.verdicts.obstacles import room_for_failures
from pipeline.study.verdicts.question import Question

POWER = 0.8


@dataclass(frozen=True, kw_only=True)
class Power:
    """The smallest true effect on one claim that a look at `seeds` seeds supports with a chance of 80%.

    `pilot` counts the seeds that the variances were measured on.
    """

    claim: str
    seeds: int
    effect: float
    pilot: int


def powers(plan: Plan) -> list[Power]:
    """Of each claim and look, as far as finished cells tell; claims of equivalence have no such effect."""
    cells = plan.coverage(*_pilot(plan)).results()
    seeds = tuple(dict.fromkeys(cell.key.seed for cell in cells))
    if len(seeds) < 2:
        return []
    study = dataclasses.replace(plan.config.study, seeds=seeds, looks=(), spend=())
    table = Table(study, cells, plan.store, plan.config.task.metric, from_scratch=plan.from_scratch)
    replicates = Replicates(table)
    return [power for name in study.claims for power in _of_claim(plan, table, replicates, name)]


def _of_claim(plan: Plan, table: Table, replicates: Replicates, name: str) -> Iterator[Power]:
    claim = plan.config.study.claims[name]
    if claim.test == "equivalent":  # which no effect supports the more, the larger it is
        return
    threshold = threshold_of(claim.metric, claim.test, claim.delta, claim.margin)
    for look in looks_of(plan.config.study, name):
        question = Question(
            table=table, replicates=replicates, claim=claim, size=claim_size(table.study, claim), look=look, later=()
        )
        outcome = ANSWERS[claim.metric](question)
        if outcome is None or outcome.effect is None:
            return
        mean = outcome.effect.mean
        effect = smallest_effect(mean, threshold, len(look.seeds), look.level, POWER)
        if effect is not None:
            effect += room_for_failures(question, outcome.terms, len(look.seeds))
            yield Power(claim=name, seeds=len(look.seeds), effect=effect, pilot=mean.seeds)


def _pilot(plan: Plan) -> Iterator[str]:
    """The finished cells that could be the plan's, were it not for their seed."""
    groups = {(cell.arm.name, cell.train.size, cell.base.name): cell for cell in plan.cells.values()}
    for name in plan.store.ids():
        try:
            cell = plan.store.cell(name)
        except StorageError:  # written by another version, whose cells could not be the plan's
            continue
        like = groups.get((cell.arm.name, cell.train.size, cell.base.name))
        if like is not None and plan.identity(_under(like, cell.train.seed)) == name:
            yield name


def _under(cell: Cell, seed: int) -> Cell:
    return dataclasses.replace(cell, train=dataclasses.replace(cell.train, seed=seed))
