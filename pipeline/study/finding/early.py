"""How accurate arms are before and soon after they start, from their validation trajectories."""

from collections.abc import Sequence

import numpy as np

from pipeline.analysis.trajectory import normalised_area, score_after
from pipeline.methods import METHODS
from pipeline.records import CellResult, EarlyAccuracy
from pipeline.study.finding.estimates import Effect, over_seeds, within, without_p
from pipeline.study.finding.table import Size, Table

CONDITION = "conditional on the validation items"


def early(table: Table) -> tuple[EarlyAccuracy, ...]:
    """Untrained score, score after the study's `early_examples`, and area, of every arm that takes steps and size."""
    return tuple(_early(table, arm, size) for arm, size in table.groups() if _steps(table, arm, size))


def _steps(table: Table, arm: str, size: Size) -> bool:
    return not any(METHODS[cell.start_line.method].solved for cell in table.of(arm, size))


def _early(table: Table, arm: str, size: Size) -> EarlyAccuracy:
    study, cells, end = table.study, table.of(arm, size), horizon(table, size)
    ended = any(cell.trajectory[-1].examples < study.early_examples for cell in cells)
    quick = [score_after(*_path(cell), study.early_examples) for cell in cells]
    parts = (
        ([cell.trajectory[0].validation_score for cell in cells], ""),
        (quick, "a run ended earlier: its last score counts" if ended else ""),
        ([normalised_area(*_path(cell), end) for cell in cells], f"over the first {end:,} examples"),
    )
    untrained, after, area = (
        without_p(within(over_seeds(values, study.confidence, text, CONDITION).estimate, table.metric))
        for values, text in parts
    )
    return EarlyAccuracy(
        arm=arm, size=size, untrained=untrained, early_examples=study.early_examples, early=after, area=area
    )


def area_difference(table: Table, arm: str, against: str, size: Size, level: float) -> Effect | None:
    """`arm` minus `against` in normalised area, paired by seed over one horizon; None where they share no seed."""
    seeds = table.seeds((arm, size), (against, size))
    if not seeds:
        return None
    end = horizon(table, size)
    ours, theirs = (
        np.array([normalised_area(*_path(cell), end) for cell in table.of(name, size, seeds)])
        for name in (arm, against)
    )
    return over_seeds(list(ours - theirs), level, f"over the first {end:,} examples", CONDITION)


def start_difference(table: Table, arm: str, against: str, size: Size, level: float) -> Effect | None:
    """`arm` minus `against` in validation score before the first step, paired by seed; None where they share none."""
    return _between(table, (arm, 0), (against, 0), size, level)


def gain_over_start(table: Table, arm: str, against: str, size: Size, level: float) -> Effect | None:
    """`arm` at its last step minus `against` before its first, in validation score, paired by seed.

    The last step and not the best one, which was chosen by that very score.
    """
    return _between(table, (arm, -1), (against, 0), size, level)


def _between(table: Table, ours: tuple[str, int], theirs: tuple[str, int], size: Size, level: float) -> Effect | None:
    """The difference of one point of each trajectory."""
    seeds = table.seeds((ours[0], size), (theirs[0], size))
    if not seeds:
        return None
    scores = [
        np.array([cell.trajectory[point].validation_score for cell in table.of(arm, size, seeds)])
        for arm, point in (ours, theirs)
    ]
    return over_seeds(list(scores[0] - scores[1]), level, CONDITION)


def horizon(table: Table, size: Size) -> int:
    """The examples that every run at this size trained on at least, so that areas span the same stretch.

    Arms that are solved have no stretch, and do not shorten that of the others.
    """
    cells: Sequence[CellResult] = [cell for arm in table.study.arms for cell in table.of(arm, size)]
    stepping = [cell for cell in cells if not METHODS[cell.start_line.method].solved]
    return min(cell.trajectory[-1].examples for cell in stepping or cells)


def _path(cell: CellResult) -> tuple[np.ndarray, np.ndarray]:
    examples = np.array([point.examples for point in cell.trajectory], dtype=np.float64)
    return examples, np.array([point.validation_score for point in cell.trajectory], dtype=np.float64)
