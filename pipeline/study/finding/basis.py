"""What findings rest on beside the scores of cells, as one record: enough to find again what a study found."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.config.schema import Base, Study, Task
from pipeline.language import Sentence
from pipeline.records import CellResult, FailedCell, SweepRecord
from pipeline.study.finding.cell_scores import CellScores
from pipeline.study.finding.costs import pretraining_flops
from pipeline.study.finding.table import Table
from pipeline.study.verdicts.claims import NOTHING_BEFORE, Standing


@dataclass(frozen=True, kw_only=True)
class Basis:
    """A study and what is known of it.

    Args:
        study: what is asked.
        base: that of the study, and `others` those of arms on another one.
        task: what the cells were trained for.
        from_scratch: the arms whose network starts without pretrained weights.
        failed: trainings that left no result.
        tuned: the sweeps that the cells' recipes come from.
        pretrained: the trainings on the task's own text that arms go on from.
        standing: what is kept of earlier looks, and what was changed after them.
        own_files: sentences on files of the working folder that took the place of presets.
        partial: sentences on sets and audits that do not reach all finished cells.
    """

    study: Study
    base: Base
    task: Task
    others: tuple[Base, ...] = ()
    from_scratch: tuple[str, ...] = ()
    failed: tuple[FailedCell, ...] = ()
    tuned: tuple[SweepRecord, ...] = ()
    pretrained: tuple[CellResult, ...] = ()
    standing: Standing = NOTHING_BEFORE
    own_files: tuple[Sentence, ...] = ()
    partial: tuple[Sentence, ...] = ()


def table_of(basis: Basis, cells: Sequence[CellResult], store: CellScores) -> Table:
    """The finished cells of a study, with what decides how they are read."""
    return Table(
        basis.study,
        cells,
        store,
        basis.task.metric,
        counted="label" if basis.task.data.label else "text",
        from_scratch=basis.from_scratch,
        pretraining=pretraining_flops(basis.pretrained),
        failed=basis.failed,
    )
