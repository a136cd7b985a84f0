"""From finished cells to findings: every number of a report, with its interval, and a verdict on every claim.

The same cells give the same findings to the bit: all random numbers come from fixed streams. Nothing that depends on
the machine or the moment stands outside `Findings.measured`.
"""

from collections.abc import Sequence
from typing import Literal

from pipeline.config.schema import Base, Study, Task
from pipeline.records import BEST_FROM_SCRATCH, CellResult, FailedCell, Findings, SweepRecord
from pipeline.study.finding.caveats import caveats, validation_labels
from pipeline.study.finding.claims import NOTHING_BEFORE, Standing, verdicts
from pipeline.study.finding.costs import costs, costs_to_target, on_this_machine, pretraining_flops
from pipeline.study.finding.curves import multipliers, transferred
from pipeline.study.finding.early import early
from pipeline.study.finding.estimates import Replicates
from pipeline.study.finding.fairness import fairness
from pipeline.study.finding.progress import progress_of
from pipeline.study.finding.rivals import choices
from pipeline.study.finding.scores import contrasts, gaps, pairs, scores
from pipeline.study.finding.table import CellScores, Table
from pipeline.study.finding.tuned import equal_budget, tuning_curves, tuning_needs
from pipeline.study.looks import BASELINE

__all__ = ["CellScores", "find"]


def find(
    study: Study,
    cells: Sequence[CellResult],
    store: CellScores,
    *,
    base: Base,
    task: Task,
    others: Sequence[Base] = (),
    from_scratch: Sequence[str] = (),
    failed: Sequence[FailedCell] = (),
    tuned: Sequence[SweepRecord] = (),
    pretrained: Sequence[CellResult] = (),
    standing: Standing = NOTHING_BEFORE,
) -> Findings:
    """What the finished cells of a study say.

    Args:
        store: what the cells scored, item by item.
        others: the bases of arms that are on another one than `base`.
        from_scratch: the arms whose network starts without pretrained weights.
        tuned: the sweeps that the cells' recipes come from.
        pretrained: the trainings on the task's own text that arms go on from.
        standing: what is kept of earlier looks, and what was changed after them.

    Cells of other arms, sizes or seeds than the study's are ignored. The scores of each cell are read once.

    Raises:
        UnequalStartError: the arms do not start on the same line.
        StorageError: a cell's scores do not fit its evaluation sets.
    """
    counted: Literal["label", "text"] = "label" if task.data.label else "text"
    table = Table(
        study,
        cells,
        store,
        task.metric,
        counted=counted,
        from_scratch=from_scratch,
        pretraining=pretraining_flops(pretrained),
        failed=failed,
    )
    equal = (*fairness(table.all_cells()), *equal_budget(tuned))
    curves_of_tuning = tuning_curves(tuned)
    replicates = Replicates(table)
    compared = pairs(table)
    curves = [pair for pair in compared if pair[1] == BASELINE or pair in _curve_claims(study)]
    priced = [pair for pair in compared if BEST_FROM_SCRATCH not in pair]  # its cost would be that of all candidates
    scored, spent, ratios = scores(table, replicates), costs(table), costs_to_target(table, priced)
    judged = verdicts(table, replicates, standing)
    return Findings(
        study=study.name,
        question=study.question,
        base=base.name,
        task=task.name,
        metric=table.metric,
        higher_is_better=table.higher_is_better,
        arms=study.arms,
        sizes=study.sizes,
        seeds=study.seeds,
        verdicts=judged,
        scores=scored,
        contrasts=contrasts(table, replicates, compared),
        multipliers=multipliers(table, replicates, curves, validation_labels(table)),
        transferred=transferred(table, replicates, curves),
        costs_to_target=ratios,
        early=early(table, replicates),
        gaps=gaps(table, replicates, scored),
        costs=spent,
        cells={f"{cell.key.label} seed={cell.key.seed}": cell.cell_id for cell in table.all_cells()},
        failed=tuple(failed),
        fairness=equal,
        caveats=(*standing.notes, *caveats(table, judged, (base, *others), task, failed, spent, tuned, pretrained)),
        measured=on_this_machine(table, priced),
        target=study.target,
        tuning=curves_of_tuning,
        tuning_needs=tuning_needs(curves_of_tuning, higher_is_better=table.higher_is_better),
        counted=table.counted,
        choices=choices(table),
        looks=progress_of(table, judged, standing.ended_by) if study.claims else None,
    )


def _curve_claims(study: Study) -> set[tuple[str, str]]:
    return {(claim.arm, claim.against) for claim in study.claims.values() if claim.metric == "label_multiplier"}
