"""A trained cell, still in memory: what is measured of it, and what is stored."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from pipeline.models.build import Network
from pipeline.records import Cost, Measured, Sample, StartLine, TrajectoryPoint
from pipeline.training.loop.evaluate import Evaluable
from pipeline.training.loop.stopwatch import Stopwatch

Report = Callable[[TrajectoryPoint], bool]  # told each point; answers whether the training is to be given up


class Walked(Protocol):
    """The points at which a training was measured on validation, and which of them was kept."""

    points: list[TrajectoryPoint]
    item_scores: list[np.ndarray]  # of each point, what the metric is made of: [V] or [V, K] for V validation items
    best_step: int
    best_outputs: Any  # on validation
    stopped_by: str
    sign: float  # 1 where a higher score is better, else -1


@dataclass(frozen=True, kw_only=True)
class Fitted(Evaluable):
    """One cell. `network` is None where the arm has none.

    `tensors` are what does not come from the base, `save_beside` writes what else a stored cell needs into the folder
    of its weights.
    """

    network: Network | None
    trajectory: Walked
    start_line: StartLine
    cost: Cost
    clock: Stopwatch  # started with the cell
    measured: Measured
    samples: tuple[Sample, ...]
    tensors: Callable[[], Mapping[str, Any]]
    save_beside: Callable[[Path], None] = lambda folder: None
