"""When the trials of a sweep are looked at on their way."""

from pipeline.config.cell import Cell
from pipeline.config.rules.sweeping import seeds_of
from pipeline.config.schema import Config, Train
from pipeline.execution.run_context import RunContext
from pipeline.sweep.successive_halving import rungs_of
from pipeline.training.loop.evaluation_schedule import horizon, regular_interval

_TELLING = 20  # steps, before which the scores of trials say little of where they end (docs/sweeps.md)


def span(config: Config, context: RunContext) -> tuple[int, int]:
    """The first place at which trials can be told apart, and the last: examples of the arm's own recipe, or seeds."""
    seeds = seeds_of(config)
    if len(seeds) > 1:
        return 1, len(seeds)
    items = _items(config.train, context)
    first = _first(config.train, items, config.sweep.warmup_examples)
    return first, horizon(config.arm.recipe, items=items, batch=config.train.batch)


def pauses(cell: Cell, config: Config, context: RunContext) -> tuple[int, ...]:
    """The training examples at which a trial's cell may have to pause."""
    items = _items(cell.train, context)
    return rungs_of(
        horizon(cell.recipe, items=items, batch=cell.train.batch),
        first=_first(cell.train, items, config.sweep.warmup_examples),
        interval=_interval(cell.train, items),
    )


def _items(train: Train, context: RunContext) -> int:
    return train.size if isinstance(train.size, int) else context.preflight.train_rows


def _interval(train: Train, items: int) -> int:
    return regular_interval(items=items, batch=train.batch, every=train.eval_every)


def _first(train: Train, items: int, warmup: int | None) -> int:
    if warmup is not None:
        return max(1, warmup)
    return max(_interval(train, items), _TELLING * min(train.batch, items))
