"""What tuning bought each arm, from the sweeps that a study began with."""

from collections.abc import Sequence

import numpy as np

from pipeline.analysis.tuning import expected_best, median_best_so_far
from pipeline.errors import UnequalStartError
from pipeline.language import Sentence, said
from pipeline.records import SweepRecord, TrialRecord, TuningCurve, TuningNeed


def equal_budget(tuned: Sequence[SweepRecord]) -> tuple[Sentence, ...]:
    """A sentence on the number of trials, which is the same for every arm.

    Raises:
        UnequalStartError: it is not.
    """
    budgets = {(len(record.trials), record.sampler, record.pruner): record for record in tuned}
    if len(budgets) > 1:
        shown = "; ".join(f"{r.arm} n={r.size}: {len(r.trials)} trials, {r.sampler}, {r.pruner}" for r in tuned)
        raise UnequalStartError(f"The arms were not tuned equally: {shown}. Run the study again.")
    return tuple(
        said(
            "Same tuning budget: {trials} trials for every arm and size tuned, sampler {sampler}, pruner {pruner}.",
            trials=trials,
            sampler=sampler,
            pruner=pruner,
        )
        for trials, sampler, pruner in budgets
    )


def tuning_curves(tuned: Sequence[SweepRecord]) -> tuple[TuningCurve, ...]:
    """The best validation score after each number of trials, of every sweep whose objective is the score."""
    return tuple(_curve(record) for record in tuned if record.objectives == ("score",) and _values(record))


def _curve(record: SweepRecord) -> TuningCurve:
    sign = 1.0 if record.directions[0] == "maximize" else -1.0
    values = sign * np.array(_values(record), dtype=np.float64)
    exchangeable = record.sampler == "random" and record.pruner == "none" and not record.from_recipe
    best = sign * (expected_best(values) if exchangeable else median_best_so_far(values[None]))
    first = record.trials[0]
    return TuningCurve(
        arm=record.arm,
        size=record.size,
        best=tuple(float(b) for b in best),
        exchangeable=exchangeable,
        own=first.values[0] if record.from_recipe and first.number == 0 and first.values else None,
        pruned=sum(t.state == "pruned" for t in record.trials),
        failed=sum(t.state == "failed" for t in record.trials),
        overrides=record.overrides,
    )


def _values(record: SweepRecord) -> list[float]:
    """One value a trial, in their order; none where no trial has any."""
    upwards = record.directions[0] == "maximize"
    values = [_value(trial, upwards) for trial in record.trials]
    known = [v for v in values if v is not None]
    worst = (min if upwards else max)(known, default=0.0)
    return [worst if v is None else v for v in values] if known else []


def _value(trial: TrialRecord, upwards: bool) -> float | None:
    seen = trial.values or trial.seen
    return (max if upwards else min)(seen) if seen else None


def tuning_needs(curves: Sequence[TuningCurve], *, higher_is_better: bool) -> tuple[TuningNeed, ...]:
    """For each two arms tuned at one size: how many trials one takes to the best of the other."""
    return tuple(
        TuningNeed(
            arm=curve.arm,
            against=other.arm,
            size=curve.size,
            score=other.best[-1],
            trials=_first_at(curve.best, other.best[-1], higher_is_better),
        )
        for curve in curves
        for other in curves
        if curve.size == other.size and curve.arm != other.arm
    )


def _first_at(best: Sequence[float], score: float, upwards: bool) -> int | None:
    return next((k for k, b in enumerate(best, start=1) if (b >= score if upwards else b <= score)), None)
