"""What arms cost: in total, and to reach the study's target."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from pipeline.analysis.cost import CostRatio, Reach, cost_ratio, cost_to_target
from pipeline.language import Sentence, said
from pipeline.methods import METHODS
from pipeline.records import (
    ArmCost,
    CellResult,
    CostToTarget,
    Estimate,
    MachineCost,
    OnThisMachine,
    TrajectoryPoint,
    Unit,
)
from pipeline.study.finding.scores import Pair
from pipeline.study.finding.table import Size, Table

Floats = npt.NDArray[np.float64]

UNITS: dict[Unit, Callable[[CellResult], Sequence[float]]] = {
    "flops": lambda cell: [point.flops for point in cell.trajectory],
    "examples": lambda cell: [point.examples for point in cell.trajectory],
    "seconds": lambda cell: cell.measured.trajectory_seconds,
}
REPEATABLE: tuple[Unit, ...] = ("flops", "examples")  # seconds differ between two runs of the same study
LOG_T = said("Student's t on log ratios over seeds")


def arm_of(pretraining: CellResult) -> str:
    """The arm that goes on from a training on the task's own text."""
    return pretraining.key.arm.removesuffix("-pretraining")


def pretraining_flops(pretrained: Sequence[CellResult]) -> dict[str, float]:
    """By arm, what its pretraining on the task's own text took; ratios of costs leave it out, as they do the base's."""
    return {arm_of(result): result.cost.flops for result in pretrained}


def costs(table: Table) -> tuple[ArmCost, ...]:
    """Means over the seeds of every arm and size."""
    return tuple(_cost(table.of(arm, size), arm, size) for arm, size in table.groups())


def _cost(cells: Sequence[CellResult], arm: str, size: Size) -> ArmCost:
    gains = [cell.converged_gain for cell in cells if cell.converged_gain is not None]
    stepping = not any(METHODS[cell.start_line.method].solved for cell in cells)
    return ArmCost(
        arm=arm,
        size=size,
        flops=float(np.mean([cell.cost.flops for cell in cells])),
        examples=float(np.mean([cell.cost.examples for cell in cells])),
        steps=float(np.mean([cell.cost.steps for cell in cells])),
        parameters=max(cell.cost.parameters for cell in cells),
        trained_parameters=max(cell.cost.trained_parameters for cell in cells),
        stored_bytes=max(cell.cost.stored_bytes for cell in cells),
        converged_gain=float(np.mean(gains)) if gains else None,
        late_loss_fall=float(np.mean([late_loss_fall(cell.trajectory) for cell in cells])) if stepping else None,
        kept_start=float(np.mean([cell.best_step == 0 for cell in cells])) if stepping else None,
    )


def late_loss_fall(points: Sequence[TrajectoryPoint]) -> float:
    """The share by which the validation loss falls over the last quarter of the steps."""
    before = [point.validation_loss for point in points if point.step <= 3 * points[-1].step / 4]
    return 1 - points[-1].validation_loss / before[-1] if before and before[-1] else 0.0


def costs_to_target(table: Table, wanted: Sequence[Pair]) -> tuple[CostToTarget, ...]:
    """Ratios in FLOPs and in examples of every pair at every size, where the study states a target."""
    return _ratios(table, wanted, REPEATABLE)


def _ratios(table: Table, wanted: Sequence[Pair], units: Sequence[Unit]) -> tuple[CostToTarget, ...]:
    target = table.study.target
    if target is None:
        return ()
    return tuple(
        ratio
        for arm, against in wanted
        for size in table.study.sizes
        for unit in units
        if (ratio := _ratio(table, arm, against, size, unit, target))
    )


def _ratio(table: Table, arm: str, against: str, size: Size, unit: Unit, target: float) -> CostToTarget | None:
    """against/arm of the cost to the target; None without a shared seed. It describes: no verdict rests on it."""
    seeds = table.seeds((arm, size), (against, size))
    if not seeds:
        return None
    ours, theirs = (_reach(table, name, size, seeds, unit) for name in (arm, against))
    ratio = cost_ratio(ours, theirs, table.study.confidence)
    missed, missed_against = (sum(not run.reached for run in runs) for runs in (ours, theirs))
    estimate = Estimate(
        value=ratio.value,
        low=ratio.low,
        high=ratio.high,
        level=table.study.confidence,
        seeds=len(seeds),
        items=0,
        method=LOG_T,
        notes=_conditions(ratio, len(seeds), missed, missed_against),
    )
    return CostToTarget(
        arm=arm,
        against=against,
        size=size,
        unit=unit,
        target=target,
        estimate=estimate,
        censored=ratio.censored,
        censored_arm=missed,
        censored_against=missed_against,
    )


def target_costs(table: Table, arm: str, against: str, size: Size, unit: Unit) -> tuple[float, float] | None:
    """Mean costs to the target of the two arms over their shared seeds; None unless every seed of both gets there."""
    seeds = table.seeds((arm, size), (against, size))
    if table.study.target is None or not seeds:
        return None
    ours, theirs = (_reach(table, name, size, seeds, unit) for name in (arm, against))
    if not all(run.reached for run in (*ours, *theirs)):
        return None
    return float(np.mean([run.measured for run in ours])), float(np.mean([run.measured for run in theirs]))


def _reach(table: Table, arm: str, size: Size, seeds: Sequence[int], unit: Unit) -> list[Reach]:
    target, before = table.study.target, table.pretraining.get(arm, 0.0)
    assert target is not None
    return [
        cost_to_target(
            np.array([point.validation_score for point in cell.trajectory]),
            np.array(UNITS[unit](cell), dtype=np.float64) - (before if unit == "flops" else 0.0),
            target,
            higher_is_better=table.higher_is_better,
            solved=METHODS[cell.start_line.method].solved,
        )
        for cell in table.of(arm, size, seeds)
    ]


def _conditions(ratio: CostRatio, seeds: int, missed: int, missed_against: int) -> tuple[Sentence, ...]:
    parts = [said("between two points of the evaluation grid"), said("for these validation items")]
    if missed or missed_against:
        form = "the target is not reached by {missed} and {missed_against} of {seeds} seeds"
        parts.append(said(form, missed=missed, missed_against=missed_against, seeds=seeds))
    if ratio.censored == "both":
        parts.append(said("seeds bound it on both sides"))
    if seeds == 1:
        parts.append(said("one seed: no interval"))
    return tuple(parts)


def on_this_machine(table: Table, wanted: Sequence[Pair]) -> OnThisMachine:
    """What depends on the machine and the moment: seconds, memory, ratios of seconds to the target."""
    return OnThisMachine(
        costs=tuple(_measured(arm, size, table.of(arm, size)) for arm, size in table.groups()),
        to_target=_ratios(table, wanted, ["seconds"]),
    )


def _measured(arm: str, size: Size, cells: Sequence[CellResult]) -> MachineCost:
    most = max(cells, key=lambda cell: cell.measured.peak_memory_bytes).measured
    planned = most.planned_memory_bytes
    return MachineCost(
        arm=arm,
        size=size,
        seconds=float(np.mean([cell.measured.seconds for cell in cells])),
        training_seconds=float(np.mean([cell.measured.training_seconds for cell in cells])),
        evaluation_seconds=float(np.mean([cell.measured.evaluation_seconds for cell in cells])),
        peak_memory_bytes=float(most.peak_memory_bytes),
        training_memory_bytes=float(most.peak_memory_bytes - most.libraries_bytes) if planned else None,
        planned_memory_bytes=float(planned) if planned else None,
    )
