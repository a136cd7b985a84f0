"""What findings rest on beside the scores of cells, as one record: enough to find again what a study found."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.config.schema import Base, Study, Task
from pipeline.records import CellResult, FailedCell, Findings, SweepRecord
from pipeline.study.finding.claims import NOTHING_BEFORE, Standing
from pipeline.study.finding.find import CellScores, find


@dataclass(frozen=True, kw_only=True)
class Basis:
    """The arguments of `find` for one study; `own_files` are sentences on files that took the place of presets."""

    study: Study
    base: Base
    task: Task
    others: tuple[Base, ...] = ()
    from_scratch: tuple[str, ...] = ()
    failed: tuple[FailedCell, ...] = ()
    tuned: tuple[SweepRecord, ...] = ()
    pretrained: tuple[CellResult, ...] = ()
    standing: Standing = NOTHING_BEFORE
    own_files: tuple[str, ...] = ()


def findings_on(basis: Basis, cells: Sequence[CellResult], store: CellScores) -> Findings:
    """The findings of these cells.

    Raises:
        UnequalStartError: the arms do not start on the same line.
        StorageError: a cell's scores do not fit its evaluation sets.
    """
    found = find(
        basis.study,
        cells,
        store,
        base=basis.base,
        others=basis.others,
        task=basis.task,
        from_scratch=basis.from_scratch,
        failed=basis.failed,
        tuned=basis.tuned,
        pretrained=basis.pretrained,
        standing=basis.standing,
    )
    return dataclasses.replace(found, caveats=(*found.caveats, *basis.own_files))
