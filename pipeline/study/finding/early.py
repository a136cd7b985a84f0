"""How accurate arms are before and soon after they start, from their validation trajectories.

Each number is a weighted sum of the points of a trajectory, formed of every validation item by itself, so that its
interval is over seeds and items as that of any score.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from pipeline.analysis.bootstrap import drawn_item_part
from pipeline.analysis.crossed_interval import ItemPart
from pipeline.analysis.trajectory import area_weights, weights_after
from pipeline.language import Sentence, said
from pipeline.methods import METHODS
from pipeline.records import CellResult, EarlyAccuracy
from pipeline.study.finding.estimates import NO_NOTE, Effect, Replicates, effect_of, noted, part_of, within, without_p
from pipeline.study.finding.table import Size, Table

Floats = npt.NDArray[np.float64]
Weigh = Callable[[CellResult], Floats]  # the weight of each point of a cell's trajectory, [T]


@dataclass(frozen=True, kw_only=True)
class Part:
    """What one arm's trajectories add to an estimate, over the seeds that all its parts share."""

    sign: float
    arm: str
    weigh: Weigh


def early(table: Table, replicates: Replicates) -> tuple[EarlyAccuracy, ...]:
    """Untrained score, score after the study's `early_examples`, and area, of every arm that takes steps and size."""
    return tuple(_early(table, replicates, arm, size) for arm, size in table.groups() if _steps(table, arm, size))


def _steps(table: Table, arm: str, size: Size) -> bool:
    return not any(METHODS[cell.start_line.method].solved for cell in table.of(arm, size))


def _early(table: Table, replicates: Replicates, arm: str, size: Size) -> EarlyAccuracy:
    study, end = table.study, horizon(table, size)
    ended = any(cell.trajectory[-1].examples < study.early_examples for cell in table.of(arm, size))
    earlier = said("a run ended earlier: its last score counts") if ended else NO_NOTE
    read: tuple[tuple[Weigh, Sentence], ...] = (
        (_start, NO_NOTE),
        (partial(_after, at=study.early_examples), earlier),
        (partial(_area, end=end), _stretch(end)),
    )
    parts = ([Part(sign=1.0, arm=arm, weigh=weigh)] for weigh, _ in read)
    untrained, after, area = (
        without_p(within(noted(effect, note).estimate, table.metric))
        for part, (_, note) in zip(parts, read, strict=True)
        if (effect := read_off(table, replicates, part, size, study.confidence))
    )
    return EarlyAccuracy(
        arm=arm, size=size, untrained=untrained, early_examples=study.early_examples, early=after, area=area
    )


def area_difference(
    table: Table, replicates: Replicates, arm: str, against: str, size: Size, level: float
) -> Effect | None:
    """`arm` minus `against` in normalised area, paired by seed over one horizon; None where they share no seed."""
    if not table.seeds((arm, size), (against, size)):
        return None
    end = horizon(table, size)
    weigh = partial(_area, end=end)
    difference = read_off(table, replicates, _minus((arm, weigh), (against, weigh)), size, level)
    return difference and noted(difference, _stretch(end))


def start_difference(
    table: Table, replicates: Replicates, arm: str, against: str, size: Size, level: float
) -> Effect | None:
    """`arm` minus `against` in validation score before the first step, paired by seed; None where they share none."""
    return read_off(table, replicates, _minus((arm, _start), (against, _start)), size, level)


def gain_over_start(
    table: Table, replicates: Replicates, arm: str, against: str, size: Size, level: float
) -> Effect | None:
    """`arm` at its last step minus `against` before its first, in validation score, paired by seed.

    The last step and not the best one, which was chosen by that very score.
    """
    return read_off(table, replicates, _minus((arm, _end), (against, _start)), size, level)


def read_off(table: Table, replicates: Replicates, parts: Sequence[Part], size: Size, level: float) -> Effect | None:
    """A signed sum of what is read off trajectories, over seeds and validation items; None without a shared seed."""
    seeds = table.seeds(*((part.arm, size) for part in parts))
    if not seeds:
        return None
    values = np.sum([[p.sign * _score(c, p.weigh) for c in table.of(p.arm, size, seeds)] for p in parts], axis=0)
    return effect_of(table, values, (_validation_part(table, replicates, parts, size, seeds),), level)


def _validation_part(
    table: Table, replicates: Replicates, parts: Sequence[Part], size: Size, seeds: Sequence[int]
) -> ItemPart:
    """What the choice of validation items adds to the variance; items that are hard for both arms cancel."""
    validation = table.validation
    assert validation is not None
    read = _of_items if table.is_mean else partial(_of_draws, draws=replicates.of_validation)
    rows = np.sum([[p.sign * read(table, c, p.weigh) for c in table.of(p.arm, size, seeds)] for p in parts], axis=0)
    return part_of(rows, validation) if table.is_mean else drawn_item_part(rows.T, validation.units)


def _score(cell: CellResult, weigh: Weigh) -> float:
    return float(weigh(cell) @ [point.validation_score for point in cell.trajectory])


def _of_items(table: Table, cell: CellResult, weigh: Weigh) -> Floats:
    """What is read off each validation item, [V]."""
    return np.asarray(weigh(cell) @ table.store.validation(cell).astype(np.float64))


def _of_draws(table: Table, cell: CellResult, weigh: Weigh, *, draws: npt.NDArray[np.float32]) -> Floats:
    """What is read off a metric that is no mean, under each of B draws of the validation items, [B]."""
    assert table.validation is not None
    weights = weigh(cell)
    used = np.flatnonzero(weights)
    return np.asarray(table.drawn(table.store.validation(cell)[used], draws, table.validation) @ weights[used])


def _minus(ours: tuple[str, Weigh], theirs: tuple[str, Weigh]) -> list[Part]:
    return [Part(sign=sign, arm=arm, weigh=weigh) for sign, (arm, weigh) in ((1.0, ours), (-1.0, theirs))]


def horizon(table: Table, size: Size) -> int:
    """The examples that every run at this size trained on at least, so that areas span the same stretch.

    Arms that are solved have no stretch, and do not shorten that of the others.
    """
    cells: Sequence[CellResult] = [cell for arm in table.study.arms for cell in table.of(arm, size)]
    stepping = [cell for cell in cells if not METHODS[cell.start_line.method].solved]
    return min(cell.trajectory[-1].examples for cell in stepping or cells)


def _start(cell: CellResult) -> Floats:
    return np.asarray(np.eye(len(cell.trajectory))[0])


def _end(cell: CellResult) -> Floats:
    return np.asarray(np.eye(len(cell.trajectory))[-1])


def _after(cell: CellResult, *, at: float) -> Floats:
    return weights_after(_examples(cell), at)


def _area(cell: CellResult, *, end: float) -> Floats:
    return area_weights(_examples(cell), end)


def _examples(cell: CellResult) -> Floats:
    return np.array([point.examples for point in cell.trajectory], dtype=np.float64)


def _stretch(end: int) -> Sentence:
    return said("over the first {examples:,} examples", examples=end)
