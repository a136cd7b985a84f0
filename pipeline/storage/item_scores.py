"""What the metric of a task is made of, item by item, and how a whole trajectory of it is stored compactly."""

import math
from typing import Any

import numpy as np

from pipeline.records.metrics import MEANS
from pipeline.tasks import SummedKind, TaskKind


def made_of(task: TaskKind, metric: str, outputs: Any) -> np.ndarray:
    """What `metric` is computed from on one set.

    Args:
        task: the kind that `outputs` come from.
        metric: one of its metrics.
        outputs: per-example outputs on a set of N items.

    Returns:
        Scores float32 [N] if the metric is their mean, classes int32 [N] if it compares them, else the statistics
        float32 [N, K] whose sums it follows from.
    """
    if isinstance(task, SummedKind) and metric in task.of_sums:
        return task.statistics(outputs)
    if metric == "loss":
        return np.asarray(outputs.losses)
    return np.asarray(outputs.scores if metric in MEANS else outputs.predicted)


def packed(rows: np.ndarray) -> np.ndarray:
    """The rows of T evaluations on V items, [T, V] or [T, V, K], in the smallest form that loses nothing.

    One bit an item, uint8 [T, V / 8] rounded up, if there are only zeros and ones; else float16 or float32.
    """
    if rows.ndim == 2 and np.isin(rows, (0, 1)).all():
        return np.packbits(rows.astype(bool), axis=1)
    with np.errstate(over="ignore"):
        half = rows.astype(np.float16)
    return half if np.array_equal(half, rows) else rows.astype(np.float32)


def unpacked(stored: np.ndarray, *, points: int, items: int) -> np.ndarray:
    """What `packed` made smaller: uint8 [T, V], float32 [T, V] or [T, V, K], with T `points` and V `items`.

    Raises:
        ValueError: it has another type or shape.
    """
    if stored.dtype == np.uint8 and stored.shape == (points, math.ceil(items / 8)):
        return np.unpackbits(stored, axis=1, count=items)
    if stored.dtype in (np.float16, np.float32) and stored.shape[:2] == (points, items) and stored.ndim in (2, 3):
        return stored.astype(np.float32)
    raise ValueError(
        f"{points} evaluations of {items} items cannot have type {stored.dtype} and shape {list(stored.shape)}"
    )
