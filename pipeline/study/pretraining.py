"""What arms go on from: trainings on the task's own text, each shared by all cells of its arm."""

import dataclasses
from collections.abc import Mapping

from pipeline.config.cell import Cell
from pipeline.config.schema import Study
from pipeline.records import CellResult
from pipeline.study.plan import Plan, on_each_base


def pretrainings(plan: Plan) -> list[Plan]:
    """The plans of those that the cells of `plan` go on from, for each base and objective; none where no arm asks."""
    return [before for part in on_each_base(plan) for before in _pretrainings(part)]


def _pretrainings(plan: Plan) -> list[Plan]:
    wanted = {plan.identity(before): before for cell in plan.cells.values() if (before := cell.pretraining)}
    objectives = dict.fromkeys(cell.task.kind for cell in wanted.values())
    return [_plan(plan, {n: c for n, c in wanted.items() if c.task.kind == objective}) for objective in objectives]


def pretrained(plan: Plan) -> tuple[CellResult, ...]:
    """The results of those that are finished."""
    return tuple(result for before in pretrainings(plan) for result in before.results())


def lacking(plan: Plan) -> dict[str, str]:
    """The missing cells that cannot be trained, since what they go on from was not, and why."""
    return {
        name: _why(plan, plan.identity(before))
        for name, cell in plan.missing().items()
        if (before := cell.pretraining) and not plan.store.has(plan.identity(before))
    }


def _plan(plan: Plan, cells: Mapping[str, Cell]) -> Plan:
    """Recorded under the study of `plan`, on its data."""
    first = next(iter(cells.values()))
    study = Study(
        name=f"{plan.config.study.name}-pretraining",
        question=f"The text of {first.task.name}, learnt by {first.task.kind}",
        arms=tuple(cell.arm.name for cell in cells.values()),
        sizes=tuple(dict.fromkeys(cell.train.size for cell in cells.values())),
        seeds=tuple(dict.fromkeys(cell.train.seed for cell in cells.values())),
    )
    config = dataclasses.replace(plan.config, base=first.base, task=first.task, study=study)
    return dataclasses.replace(plan, config=config, cells=dict(cells), evaluated={}, audits=(), unjudged=(), tuned=())


def _why(plan: Plan, before: str) -> str:
    path = plan.store.failure(before)
    kept = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return f"Its pretraining on the task's own text failed: {kept[0]}" if kept else "Its pretraining was not trained."
