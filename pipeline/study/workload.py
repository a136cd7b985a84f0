"""How much work a cell is, in training examples of the whole network, for estimates of time."""

from pipeline.config.cell import Cell
from pipeline.training.grid import evaluation_grid, horizon, regular_interval

ALL = 10_000  # examples assumed for size "all" before the data have been read
_SHARE = {"all": 1.0, "adapters": 0.7, "head": 0.02}  # of a full training step's time
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
    evaluations = len(evaluation_grid(interval=interval, batch=batch, until=length))
    tested = cell.task.data.test_size + 4 * len(cell.task.out_of_domain) * cell.task.out_of_domain_size
    inference = _INFERENCE * (evaluations * cell.task.data.validation_size + tested)
    return _SHARE[cell.arm.trained] * length + (0.1 if cell.arm.trained == "head" else 1.0) * inference
