"""What audits found in finished cells, item by item: sets of the table whose scores are an audit's measure."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.audits import AUDITS
from pipeline.config.schema import Study
from pipeline.errors import StorageError
from pipeline.records import CellResult
from pipeline.study.finding.cell_scores import CellScores

Rows = npt.NDArray[Any]


def set_name(audit: str) -> str:
    """What an audit's items are called beside the task's sets, whose names hold no space."""
    return f"audit {audit}"


def audits_claimed(study: Study) -> tuple[str, ...]:
    """The audits that claims of a study are about."""
    return tuple(dict.fromkeys(claim.audit for claim in study.claims.values() if claim.audit))


def measured(
    audit: str, groups: Mapping[tuple[str, int | str], Sequence[CellResult]], store: CellScores
) -> dict[tuple[str, int | str], Rows] | None:
    """The audit's measure of the cells of each group, float32 [cells, items]; None if one of them lacks the audit.

    Raises:
        StorageError: cells differ in their items.
    """
    if not all(any(each.audit == audit for each in cell.audits) for cells in groups.values() for cell in cells):
        return None
    by_group = {group: [_column(audit, cell, store) for cell in cells] for group, cells in groups.items()}
    items = sorted({len(column) for columns in by_group.values() for column in columns})
    if len(items) != 1:
        raise StorageError(
            f"The audit {audit} must have the same items in all cells of a study, but there are cells with "
            f"{' and '.join(map(str, items)) or 'no'} items. Delete their folders under evaluations/ and run evaluate."
        )
    return {group: np.stack(columns) for group, columns in by_group.items()}


def _column(audit: str, cell: CellResult, store: CellScores) -> Rows:
    report = next(each for each in cell.audits if each.audit == audit)
    items = store.scores_on(cell.cell_id, report.evaluation_id)
    return np.asarray(items[:, report.columns.index(AUDITS[audit].measure.column)])
