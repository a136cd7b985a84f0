"""How much work a cell is, in training examples of the whole network, for estimates of time."""

import statistics

from pipeline.config.cell import Cell
from pipeline.study.plan import Plan
from pipeline.training.grid import evaluation_grid, horizon, regular_interval

ALL = 10_000  # examples assumed for size "all" before the data have been read
DEFAULT_PACE = 60.0  # examples/s of one worker with one thread, a small encoder, short texts
_LOOKED_AT = 50  # finished cells that the pace is read from
_INFERENCE = 0.3  # a forward pass, as a share of a training step


def work_of(cell: Cell, *, rows: int = ALL) -> float:
    """Training-example equivalents of the cell: its schedule, its validations and its final tests.

    Args:
        rows: training rows at hand, which is what "all" means.
    """
    items = cell.train.size if isinstance(cell.train.size, int) else rows
    batch = cell.train.batch
    length = horizon(cell.recipe, items=items, batch=batch)
    interval = regular_interval(items=items, batch=batch, every=cell.train.eval_every)
    evaluations = len(evaluation_grid(interval=interval, batch=batch, until=length, early=cell.tested))
    inference = _INFERENCE * (evaluations * cell.task.data.validation_size + _tests(cell))
    return cell.method.step_cost * length + (0.1 if cell.method.solved else 1.0) * inference


def _tests(cell: Cell) -> int:
    texts = cell.task.data.test_size + 4 * len(cell.task.out_of_domain) * cell.task.out_of_domain_size
    return texts if cell.tested else 0


def running_order(plan: Plan) -> list[str]:
    """The missing cells seed by seed, so that at any moment some seeds are complete; of a seed the longest first."""
    missing, seeds = plan.missing(), plan.config.study.seeds
    return sorted(missing, key=lambda name: (seeds.index(missing[name].train.seed), -work_of(missing[name])))


def estimated_seconds(plan: Plan) -> tuple[float, str]:
    """Seconds for the missing cells, and what the estimate rests on: finished cells here, or a default pace."""
    paces = [
        plan.store.result(name).measured.seconds / work_of(cell)
        for name in plan.store.ids()[:_LOOKED_AT]
        if not (cell := plan.store.cell(name)).method.solved and cell.train.precision == plan.hardware.precision
    ]
    pace = statistics.median(paces) if paces else 1 / DEFAULT_PACE
    basis = f"at the median pace of {len(paces)} finished trainings" if paces else "a guess: nothing was timed here yet"
    return sum(work_of(c) for c in plan.missing().values()) * pace / plan.hardware.workers, basis
