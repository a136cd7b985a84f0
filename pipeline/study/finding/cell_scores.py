"""How findings read what finished cells scored."""

from typing import Any, Protocol

import numpy.typing as npt

from pipeline.records import CellResult


class CellScores(Protocol):
    """Reads what finished cells scored, item by item."""

    def scores(self, cell_id: str, /) -> npt.NDArray[Any]:
        """The rows of all sets of a cell's training, dtype SCORES_DTYPE."""
        ...

    def scores_on(self, cell_id: str, evaluation_id: str, /) -> npt.NDArray[Any]:
        """The rows of a set evaluated beside its training, dtype SCORES_DTYPE, or of an audit, float32 [N, columns]."""
        ...

    def validation(self, result: CellResult, /) -> npt.NDArray[Any]:
        """What the metric is made of at T points of its trajectory, for V validation items: [T, V] or [T, V, K]."""
        ...
