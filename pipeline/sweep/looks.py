"""When the trials of a sweep are looked at on their way."""

from pipeline.config.cell import Cell
from pipeline.config.schema import Config, Recipe
from pipeline.config.sweeping import seeds_of
from pipeline.execution.ground import Ground
from pipeline.sweep.rungs import rungs_of
from pipeline.training.grid import horizon, regular_interval

_TELLING = 20  # steps, before which the scores of trials say little of where they end (docs/sweeps.md)


def span(config: Config, ground: Ground) -> tuple[int, int]:
    """The first place at which trials can be told apart, and the last: examples of the arm's own recipe, or seeds."""
    seeds = seeds_of(config)
    if len(seeds) > 1:
        return 1, len(seeds)
    return first_look(config, ground), _length(config.arm.recipe, config, ground)


def first_look(config: Config, ground: Ground) -> int:
    """Training examples before which a trial is left alone."""
    if config.sweep.warmup_examples is not None:
        return max(1, config.sweep.warmup_examples)
    batch = config.train.batch
    return max(_interval(config, ground), _TELLING * min(batch, _items(config, ground)))


def pauses(cell: Cell, config: Config, ground: Ground) -> tuple[int, ...]:
    """The training examples at which a trial's cell may have to pause."""
    length = _length(cell.recipe, config, ground)
    return rungs_of(length, first=first_look(config, ground), interval=_interval(config, ground))


def _items(config: Config, ground: Ground) -> int:
    return config.train.size if isinstance(config.train.size, int) else ground.ready.train_rows


def _length(recipe: Recipe, config: Config, ground: Ground) -> int:
    return horizon(recipe, items=_items(config, ground), batch=config.train.batch)


def _interval(config: Config, ground: Ground) -> int:
    return regular_interval(items=_items(config, ground), batch=config.train.batch, every=config.train.eval_every)
