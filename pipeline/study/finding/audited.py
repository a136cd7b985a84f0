"""What audits found in finished cells, item by item: sets of the table whose scores are an audit's measure."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.audits import AUDITS, Examination
from pipeline.config.schema import Study
from pipeline.errors import StorageError
from pipeline.records import AuditResult, CellResult
from pipeline.records.metrics import MEANS
from pipeline.study.finding.cell_scores import CellScores
from pipeline.tasks.texts.corpus_metrics import OF_SUMS

Rows = npt.NDArray[Any]


def set_name(of: Examination) -> str:
    """What an audit's items are called beside the task's sets, whose names hold no space."""
    return f"audit {of}"


def audits_claimed(study: Study) -> tuple[Examination, ...]:
    """The audits, each of a set, that claims of a study are about."""
    claims = study.claims.values()
    return tuple(dict.fromkeys(Examination(claim.audit, claim.dataset) for claim in claims if claim.audit))


def measured(
    of: Examination, groups: Mapping[tuple[str, int | str], Sequence[CellResult]], store: CellScores
) -> dict[tuple[str, int | str], Rows] | None:
    """What an audit's measure is made of in the cells of each group; None if one of them lacks the audit.

    Returns:
        Float32 [cells, items]; of a metric that is no mean, classes int32 [cells, items] or statistics float32
        [cells, items, K].

    Raises:
        StorageError: cells differ in their items.
    """
    if not all(_reports(of, cell) for cells in groups.values() for cell in cells):
        return None
    by_group = {group: [_column(of, cell, store) for cell in cells] for group, cells in groups.items()}
    items = sorted({len(column) for columns in by_group.values() for column in columns})
    if len(items) != 1:
        raise StorageError(
            f"The audit {of} must have the same items in all cells of a study, but there are cells with "
            f"{' and '.join(map(str, items)) or 'no'} items. Delete their folders under evaluations/ and run evaluate."
        )
    return {group: np.stack(columns) for group, columns in by_group.items()}


def _reports(of: Examination, cell: CellResult) -> list[AuditResult]:
    return [each for each in cell.audits if (each.audit, each.dataset) == (of.audit, of.dataset)]


def _column(of: Examination, cell: CellResult, store: CellScores) -> Rows:
    (report,) = _reports(of, cell)
    items, measure = store.scores_on(cell.cell_id, report.evaluation_id), AUDITS[of.audit].measure
    if measure.metric in OF_SUMS:
        return np.asarray(items)
    column = np.asarray(items[:, report.columns.index(measure.column)])
    return column if measure.metric is None or measure.metric in MEANS else column.astype(np.int32)
