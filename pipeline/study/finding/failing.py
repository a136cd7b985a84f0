"""How many trainings of an arm failed, how many may, and what one that fails lacks.

Of the points of a training the best on validation is kept, so one that fails keeps its step 0, and lacks what the
others gained over theirs. An arm that is solved cannot fail.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.analysis.two_kinds_of_seeds import failing_shares
from pipeline.methods import METHODS
from pipeline.records import CellResult
from pipeline.study.finding.table import Size, Table


@dataclass(frozen=True, kw_only=True)
class Failing:
    """How many of so many trainings kept step 0, the least and the largest share that may, and what these lack."""

    failed: int
    seeds: int
    shares: tuple[float, float]
    loss: float

    @property
    def changes(self) -> tuple[float, float]:
        """By how much the mean may be better than measured, unknown if no training improved, and worse (below 0)."""
        if not self.loss:
            return math.inf if self.failed == self.seeds else 0.0, 0.0
        better, worse = ((self.failed / self.seeds - share) * self.loss for share in self.shares)
        return better, worse


def failing(table: Table, arm: str, size: Size, seeds: Sequence[int] | None = None) -> Failing:
    """The trainings of an arm at a size, all of them or those of some seeds."""
    cells = table.of(arm, size, seeds)
    trained = [cell for cell in cells if not METHODS[cell.start_line.method].solved]
    gained = [_gained(cell) for cell in trained if cell.best_step > 0]
    loss = max(0.0, table.sign * float(np.mean(gained))) if gained else 0.0
    failed = len(trained) - len(gained)
    shares = failing_shares(failed, len(cells), 1.0 - table.study.confidence)
    return Failing(failed=failed, seeds=len(cells), shares=shares, loss=loss)


def _gained(cell: CellResult) -> float:
    """How far its validation score rose from step 0 to the point that was kept."""
    kept = next(point for point in cell.trajectory if point.step == cell.best_step)
    return kept.validation_score - cell.trajectory[0].validation_score
