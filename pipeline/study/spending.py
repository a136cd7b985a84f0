"""What a study has spent of its budget, and whether it can afford another cell.

A cell is not begun unless it is expected to end within the budget, and a seed is not begun unless all its cells are.
What a cell takes is read off finished cells, of the same arm and size if there are any; scores have no part in it.
"""

import math
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property

from pipeline.config.budget import Budget, Unit, budget_of
from pipeline.config.cell import Cell
from pipeline.errors import ConfigError
from pipeline.files import write_text
from pipeline.records import CellResult, from_json, to_json
from pipeline.study.plan import Plan
from pipeline.study.workload import Examples, examples_of, work_of

FILE = "spent.json"


class Spending:
    """Asked before each cell of a study whether it fits; `over` once the answer was no."""

    def __init__(self, plan: Plan, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._budget = budget_of(plan.config.study.budget or "")
        self._plan, self._clock, self._began = plan, clock, clock()
        self._before = _seconds_before(plan)
        self._begun: dict[str, Cell] = {}
        self._paid: dict[str, float] = {}
        self.over = False

    @property
    def budget(self) -> Budget:
        """What there was to spend."""
        return self._budget

    def affords(self, name: str, part: Plan) -> bool:
        """Whether the cell `name` of `part`, the cells that the next look needs, may begin."""
        cell = part.cells[name]
        seed = cell.train.seed
        if any(other.train.seed == seed for other in self._begun.values()):
            needed = self.price([cell])
        else:
            needed = self.price(c for c in part.missing().values() if c.train.seed == seed)
        self.over = self.over or self.spent() + needed > self._budget.amount
        if not self.over:
            self._begun[name] = cell
        return not self.over

    def spent(self) -> float:
        """In the unit of the budget, what finished and running cells have taken, those of earlier runs included."""
        if self._budget.unit == "seconds":
            return self._before + self._clock() - self._began
        paid = self._finished()
        return sum(paid.values()) + self.price(cell for name, cell in self._begun.items() if name not in paid)

    def seconds_left(self) -> float:
        """What the budget still allows, if it is one of time."""
        return self._budget.amount - self.spent() if self._budget.unit == "seconds" else math.inf

    def price(self, cells: Iterable[Cell]) -> float:
        """What the cells are expected to take; those that nothing is known of, 0."""
        paid = self._finished()
        each = [self._expected(cell, paid) for cell in cells]
        if self._budget.unit != "seconds":
            return sum(each)
        return max(sum(each) / self._plan.hardware.workers, max(each, default=0.0))

    def keep(self) -> None:
        """Write down how long the study has run, for a later run of it."""
        seconds = self._before + self._clock() - self._began
        write_text(self._plan.folder / FILE, to_json({"seconds": seconds}))

    def _finished(self) -> dict[str, float]:
        """What each finished cell of the plan took, in the unit of the budget; each result is read once."""
        store = self._plan.store
        for name in self._plan.cells:
            if name not in self._paid and store.has(name):
                self._paid[name] = _spent_by(store.result(name), self._budget.unit)
        return self._paid

    def _expected(self, cell: Cell, paid: Mapping[str, float]) -> float:
        """The mean over finished cells of its arm and size; else by the amount of work, at the pace of the others."""
        if self._budget.unit == "cells":
            return 1.0
        finished = {name: self._plan.cells[name] for name in paid}
        group = (cell.arm.name, cell.train.size)
        alike = [paid[name] for name, c in finished.items() if (c.arm.name, c.train.size) == group]
        if alike:
            return statistics.mean(alike)
        telling = {name: c for name, c in finished.items() if c.method.solved == cell.method.solved}
        if not telling:
            return 0.0
        paces = [paid[name] / work_of(c, self._examples) for name, c in telling.items()]
        return statistics.mean(paces) * work_of(cell, self._examples)

    @cached_property
    def _examples(self) -> Examples:
        return examples_of(self._plan)


def require_fixed_lengths(plan: Plan) -> None:
    """That no arm of a study with a budget stops early: what its cells take would depend on their scores.

    Raises:
        ConfigError: naming the arms that do.
    """
    patient = {c.arm.name: c.recipe.patience for c in plan.cells.values() if c.recipe.patience and not c.method.solved}
    if plan.config.study.budget is not None and patient:
        listed = ", ".join(f"{arm} (patience {patience})" for arm, patience in patient.items())
        raise ConfigError(
            [
                "study.budget needs trainings whose length does not depend on their scores, since the last look is at "
                f"the seeds that are complete by then, but these arms stop early: {listed}. Use train.patience=0."
            ]
        )


def require_first_look(plan: Plan, first: Plan) -> None:
    """That the budget of `plan` pays for the cells of its `first` look, as far as their price is known.

    Raises:
        ConfigError: it does not; the message says what would.
    """
    if plan.config.study.budget is None or plan.ended_by:
        return
    spending = Spending(plan)
    budget = spending.budget
    spent = spending.spent()
    least = spent + spending.price(first.missing().values())
    if least > budget.amount:
        asked = _worded(least if budget.unit == "cells" else 1.1 * least, budget.unit)
        before = f" ({_worded(spent, budget.unit)} of it are spent already)" if spent >= 1.0 else ""
        smaller = "under another study.name" if before else "fewer study.seeds, study.sizes or study.arms"
        raise ConfigError(
            [
                f"study.budget must pay for the study's first look, which is expected to take {asked}{before}, but got "
                f"{budget.text!r}. Raise it, or make the study smaller: {smaller}."
            ]
        )


def _worded(amount: float, unit: Unit) -> str:
    if unit == "cells":
        return f"{amount:.0f} cells"
    if unit == "FLOPs":
        return f"{amount:.1e} FLOPs"
    return f"{amount:.0f}s" if amount < 90 else f"{amount / 60:.0f}min"


def _seconds_before(plan: Plan) -> float:
    path = plan.folder / FILE
    if not path.is_file():
        return 0.0
    return from_json(dict[str, float], path.read_text(encoding="utf-8"), str(path)).get("seconds", 0.0)


def _spent_by(result: CellResult, unit: Unit) -> float:
    return {"seconds": result.measured.seconds, "FLOPs": result.cost.flops, "cells": 1.0}[unit]
