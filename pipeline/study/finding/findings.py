"""From finished cells to findings: every number of a report, with its interval, and a verdict on every claim.

The same cells give the same findings to the bit: all random numbers come from fixed streams. Nothing that depends on
the machine or the moment stands outside `Findings.measured`.
"""

from collections.abc import Sequence

from pipeline.config.schema import Study
from pipeline.records import BEST_FROM_SCRATCH, CellResult, Findings
from pipeline.study.finding.basis import Basis, table_of
from pipeline.study.finding.caveats import caveats, validation_labels
from pipeline.study.finding.cell_scores import CellScores
from pipeline.study.finding.costs import costs, costs_to_target, on_this_machine
from pipeline.study.finding.curves import multipliers, transferred
from pipeline.study.finding.early import early
from pipeline.study.finding.estimates import Replicates
from pipeline.study.finding.fairness import fairness
from pipeline.study.finding.progress import progress_of
from pipeline.study.finding.scores import contrasts, gaps, pairs, scores
from pipeline.study.finding.tuned import equal_budget, tuning_curves, tuning_needs
from pipeline.study.looks import BASELINE
from pipeline.study.verdicts.claims import verdicts
from pipeline.study.verdicts.rivals import choices

__all__ = ["Basis", "CellScores", "find"]


def find(basis: Basis, cells: Sequence[CellResult], store: CellScores) -> Findings:
    """What the finished cells of a study say.

    Args:
        basis: the study, and what is known of it.
        cells: those of other arms, sizes or seeds than the study's are ignored.
        store: what the cells scored, item by item; read once.

    Raises:
        UnequalStartError: the arms do not start on the same line.
        StorageError: a cell's scores do not fit its evaluation sets.
    """
    study, table = basis.study, table_of(basis, cells, store)
    curves_of_tuning, replicates, compared = tuning_curves(basis.tuned), Replicates(table), pairs(table)
    curves = [pair for pair in compared if pair[1] == BASELINE or pair in _curve_claims(study)]
    priced = [pair for pair in compared if BEST_FROM_SCRATCH not in pair]  # its cost would be that of all candidates
    scored, spent = scores(table, replicates), costs(table)
    judged = verdicts(table, replicates, basis.standing)
    return Findings(
        study=study.name,
        question=study.question,
        base=basis.base.name,
        task=basis.task.name,
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
        costs_to_target=costs_to_target(table, priced),
        early=early(table, replicates),
        gaps=gaps(table, replicates, scored),
        costs=spent,
        cells={f"{cell.key.label} seed={cell.key.seed}": cell.cell_id for cell in table.all_cells()},
        failed=basis.failed,
        fairness=(*fairness(table.all_cells()), *equal_budget(basis.tuned)),
        caveats=(*basis.standing.notes, *basis.partial, *caveats(basis, table, judged, spent), *basis.own_files),
        measured=on_this_machine(table, priced),
        target=study.target,
        tuning=curves_of_tuning,
        tuning_needs=tuning_needs(curves_of_tuning, higher_is_better=table.higher_is_better),
        counted=table.counted,
        choices=choices(table),
        looks=progress_of(table, judged, basis.standing.ended_by) if study.claims else None,
        resampling=replicates.record,
    )


def _curve_claims(study: Study) -> set[tuple[str, str]]:
    return {(claim.arm, claim.against) for claim in study.claims.values() if claim.metric == "label_multiplier"}
