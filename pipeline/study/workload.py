"""How much work a cell is, in training examples of the whole network, for estimates of time."""

import math
import statistics
from dataclasses import dataclass

import numpy as np

from pipeline.config.cell import Cell
from pipeline.config.schema import Task
from pipeline.data.sets import Prepared
from pipeline.records import CellResult
from pipeline.study.plan import Plan
from pipeline.training.loop.evaluation_schedule import evaluation_grid, horizon, regular_interval

ALL = 10_000  # examples assumed for size "all" before the data have been read
DEFAULT_PACE = 60.0  # examples/s of one worker with one thread, a small encoder, short texts
_LOOKED_AT = 50  # finished cells that the pace is read from
_LONGER = 4  # times the length of a training text that one of another domain has, before any was read
_MEASURED = ("validation", "in_domain", "out_of_domain")
_INFERENCE = 0.3  # a forward pass, as a share of a training step


@dataclass(frozen=True, kw_only=True)
class Examples:
    """How many there are to train on, and to measure a training on, in examples of the usual length."""

    train: float  # which is what size "all" means
    validation: float
    tests: float

    @classmethod
    def asked(cls, task: Task) -> "Examples":
        """As the settings of `task` ask for them; what a file holds is not known before it is read."""
        tests = task.data.test_size + _LONGER * len(task.out_of_domain) * task.out_of_domain_size
        return cls(train=ALL, validation=task.data.validation_size, tests=tests)

    @classmethod
    def prepared(cls, prepared: Prepared, longest: int) -> "Examples":
        """As they are; a text counts by its tokens, `longest` at most, relative to the mean of the training texts."""
        usual = float(np.minimum(prepared.train.lengths, longest).mean())
        validation, *tests = (
            float(np.minimum(each.lengths, longest).sum()) / usual for each in prepared.measured(tested=True)
        )
        return cls(train=len(prepared.train), validation=validation, tests=sum(tests))

    @classmethod
    def of_result(cls, result: CellResult) -> "Examples":
        """Those of a finished cell."""
        items = {role: sum(e.items for e in result.evaluations if e.role == role) for role in _MEASURED}
        tests = items["in_domain"] + items["out_of_domain"]
        return cls(train=result.train_items, validation=items["validation"], tests=tests)


def examples_of(plan: Plan) -> Examples:
    """Those of the plan's data if they are prepared, else as its settings ask for them."""
    prepared = plan.prepared()
    if prepared:
        return Examples.prepared(prepared, plan.config.task.max_length)
    return Examples.asked(plan.config.task)


def work_of(cell: Cell, examples: Examples | None = None) -> float:
    """Training-example equivalents of the cell: its schedule, its validations and its final tests.

    Args:
        cell: the cell.
        examples: those of its data; None for those that its settings ask for.
    """
    there = examples or Examples.asked(cell.task)
    items = cell.train.size if isinstance(cell.train.size, int) else math.ceil(there.train)
    batch = cell.train.batch
    length = horizon(cell.recipe, items=items, batch=batch)
    interval = regular_interval(items=items, batch=batch, every=cell.train.eval_every)
    evaluations = len(evaluation_grid(interval=interval, batch=batch, until=length, early=cell.tested))
    inference = _INFERENCE * (evaluations * there.validation + (there.tests if cell.tested else 0))
    return cell.method.step_cost * length + (0.1 if cell.method.solved else 1.0) * inference


def running_order(plan: Plan) -> list[str]:
    """The missing cells seed by seed, so that at any moment some seeds are complete; of a seed the longest first."""
    missing, seeds, examples = plan.missing(), plan.config.study.seeds, examples_of(plan)
    return sorted(missing, key=lambda name: (seeds.index(missing[name].train.seed), -work_of(missing[name], examples)))


def estimated_seconds(plan: Plan) -> tuple[float, str]:
    """Seconds for the missing cells, and what the estimate rests on: finished cells here, or a default pace."""
    finished = {name: plan.store.cell(name) for name in plan.store.ids()[:_LOOKED_AT]}
    paces = [
        result.measured.seconds / work_of(cell, Examples.of_result(result))
        for name, cell in finished.items()
        if not cell.method.solved and cell.train.precision == plan.hardware.precision
        for result in [plan.store.result(name)]
    ]
    pace = statistics.median(paces) if paces else 1 / DEFAULT_PACE
    basis = f"at the median pace of {len(paces)} finished trainings" if paces else "a guess: nothing was timed here yet"
    missing = plan.missing()
    examples = examples_of(plan) if missing else None
    work = sum(work_of(cell, examples) for cell in missing.values())
    return work * pace / plan.hardware.workers, basis
