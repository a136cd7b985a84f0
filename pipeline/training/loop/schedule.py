"""The schedule of a training: its batches, when it is evaluated, and what it has cost by then."""

from dataclasses import dataclass

import numpy as np

from pipeline.config.cell import Cell
from pipeline.data.batches import batch_schedule
from pipeline.models.flops import Flops
from pipeline.training.cost import cumulative_flops
from pipeline.training.job import seed_for
from pipeline.training.loop.evaluation_schedule import due_steps, evaluation_grid, horizon, regular_interval
from pipeline.training.setup.inputs import Inputs


@dataclass(frozen=True, kw_only=True)
class TrainingSchedule:
    """What is known of a training before its first step. Lists have an entry for each step; `flops` one more."""

    batches: list[np.ndarray]  # each as positions in the train subset
    seen: list[int]  # examples after the step
    flops: list[float]  # before the first step, and after each
    interval: int  # examples between regular evaluations
    due: dict[int, int]  # steps after which it is evaluated; see due_steps


def schedule_of(cell: Cell, train: Inputs, flops: Flops, *, spent: float = 0.0) -> TrainingSchedule:
    """The schedule of `cell` over its train subset, which depends on nothing else.

    Args:
        flops: of its network.
        spent: FLOPs before it begins.
    """
    batch, items = cell.train.batch, len(train)
    length = horizon(cell.recipe, items=items, batch=batch)
    order = seed_for(cell.train.seed, "order")
    batches = batch_schedule(train.lengths, batch=batch, examples=length, seed=order)
    seen = [int(x) for x in np.cumsum([len(rows) for rows in batches])]
    interval = regular_interval(items=items, batch=batch, every=cell.train.eval_every)
    grid = evaluation_grid(interval=interval, batch=batch, until=seen[-1], early=cell.tested)
    costs = cumulative_flops(flops, batches, train.lengths)
    return TrainingSchedule(
        batches=batches,
        seen=seen,
        flops=[spent, *(spent + cost for cost in costs)],
        interval=interval,
        due=due_steps(grid, seen),
    )
