"""What a trial is judged by: means, over its seeds, of what its cells came to on validation and of what they cost."""

import statistics
from collections.abc import Callable, Sequence

from pipeline.records import CellResult, TrajectoryPoint

MEGABYTE = 1e6

_READ: dict[str, Callable[[CellResult], float]] = {
    "score": lambda r: _validation(r)[r.metric],
    "loss": lambda r: _validation(r)["loss"],
    "flops": lambda r: r.cost.flops,
    "seconds": lambda r: r.measured.training_seconds,
    "memory": lambda r: r.measured.peak_memory_bytes / MEGABYTE,
    "parameters": lambda r: float(r.cost.trained_parameters),
    "stored_bytes": lambda r: float(r.cost.stored_bytes),
}


def name_of(objective: str) -> str:
    """The objective without its direction."""
    return objective.partition(":")[0]


def value(objective: str, result: CellResult) -> float:
    """What one cell came to; a score is the metric on validation, memory is in megabytes."""
    return float(_READ[name_of(objective)](result))


def values(objectives: Sequence[str], results: Sequence[CellResult]) -> tuple[float, ...]:
    """Means over the cells of one trial, for each objective."""
    return tuple(statistics.fmean(value(o, r) for r in results) for o in objectives)


def value_at(objective: str, point: TrajectoryPoint) -> float:
    """What a training has come to at one point of its trajectory."""
    return point.validation_loss if name_of(objective) == "loss" else point.validation_score


def _validation(result: CellResult) -> dict[str, float]:
    return next(e.metrics for e in result.evaluations if e.role == "validation")
