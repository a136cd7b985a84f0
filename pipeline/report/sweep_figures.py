"""What the figures of a sweep show, computed from its record."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline.records import SweepRecord, TrialRecord
from pipeline.report.panels import BarsPanel, HistoryPanel, ParallelPanel, ReportsPanel, SlicePanel, Upright
from pipeline.report.wording import scale_of

_MOST_SLICES = 6
_MOST_PATHS = 150


def shown_metric(record: SweepRecord) -> str:
    """The metric that the first objective is shown in."""
    return record.metric if record.objectives[0] == "score" else record.objectives[0]


def complete(record: SweepRecord) -> list[TrialRecord]:
    """The trials with a value."""
    return [t for t in record.trials if t.values]


def history(record: SweepRecord) -> HistoryPanel:
    """Values by trial, and the best feasible one so far."""
    upwards = record.directions[0] == "maximize"
    trials = complete(record)
    values = [t.values[0] for t in trials]
    reachable = [v if t.feasible else (-np.inf if upwards else np.inf) for t, v in zip(trials, values, strict=True)]
    best = itertools.accumulate(reachable, max if upwards else min)
    return HistoryPanel(
        title=f"{record.objectives[0]} by trial",
        metric=shown_metric(record),
        arm=record.arm,
        numbers=tuple(t.number for t in trials),
        values=tuple(values),
        best=tuple(float(b) if np.isfinite(b) else float("nan") for b in best),
        pruned=_numbers(record, "pruned"),
        failed=_numbers(record, "failed"),
    )


def _numbers(record: SweepRecord, state: str) -> tuple[int, ...]:
    return tuple(t.number for t in record.trials if t.state == state)


def reports(record: SweepRecord) -> ReportsPanel | None:
    """The values seen on the way; None where none were."""
    paths = [(tuple(map(float, t.steps)), t.seen, t.state) for t in record.trials if t.steps][:_MOST_PATHS]
    if not paths:
        return None
    across = "training examples seen" if len(record.seeds) == 1 else "seeds seen"
    metric = shown_metric(record)
    return ReportsPanel(
        title=f"{record.objectives[0]} during training",
        metric=metric,
        arm=record.arm,
        across=across,
        paths=tuple(paths),
    )


def importances(record: SweepRecord) -> BarsPanel | None:
    """What explains the differences between trials; None where there are too few of them."""
    if not record.importances:
        return None
    order = sorted(record.importances.items(), key=lambda item: -item[1])
    return BarsPanel(
        title="share of the difference",
        arm=record.arm,
        names=tuple(name for name, _ in order),
        shares=tuple(share for _, share in order),
    )


def slices(record: SweepRecord) -> tuple[SlicePanel, ...]:
    """One panel a setting, those that matter most first."""
    names = settings(record)
    order = sorted(names, key=lambda n: -record.importances.get(n, 0.0))
    return tuple(_slice(record, name) for name in order[:_MOST_SLICES])


def settings(record: SweepRecord) -> list[str]:
    """The settings that trials differ in."""
    return list(dict.fromkeys(n for t in complete(record) for n in t.params))


def _slice(record: SweepRecord, name: str) -> SlicePanel:
    trials = [t for t in complete(record) if name in t.params]
    places, names, logarithmic = _axis([t.params[name] for t in trials])
    return SlicePanel(
        title=name,
        metric=shown_metric(record),
        arm=record.arm,
        places=tuple(places),
        values=tuple(t.values[0] for t in trials),
        best=tuple(t.number in record.best for t in trials),
        names=names,
        logarithmic=logarithmic,
    )


def _axis(values: Sequence[Any]) -> tuple[list[float], tuple[str, ...], bool]:
    """Places on an axis; names where the values are few or no numbers; whether it is logarithmic."""
    different = sorted(set(values), key=lambda v: (str(type(v)), v) if isinstance(v, str | bool) else ("", v))
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in different)
    if not numbers or len(different) <= 4:
        return [float(different.index(v)) for v in values], tuple(_text(v) for v in different), False
    return [float(v) for v in values], (), min(different) > 0 and max(different) / min(different) > 20


def _text(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def parallel(record: SweepRecord) -> ParallelPanel | None:
    """All settings side by side, and the first objective last; None where a single setting is searched."""
    names, trials = settings(record), complete(record)
    if len(names) < 2:
        return None
    columns, uprights = [], []
    for name in names:
        places, labels, logarithmic = _axis([t.params[name] for t in trials if name in t.params])
        found = iter(np.log(places) if logarithmic else places)
        column = [float(next(found)) if name in t.params else float("nan") for t in trials]
        raw = [t.params[name] for t in trials if name in t.params]
        ends = (labels[0], labels[-1]) if labels else (_text(min(raw)), _text(max(raw)))
        columns.append(_unit(column))
        uprights.append(Upright(name=name.rpartition(".")[2], foot=ends[0], head=ends[1]))
    values = [t.values[0] for t in trials]
    scale = scale_of(shown_metric(record))
    columns.append(_unit(values))
    uprights.append(Upright(name=record.objectives[0], foot=scale.score(min(values)), head=scale.score(max(values))))
    return ParallelPanel(
        title="one line a trial",
        arm=record.arm,
        uprights=tuple(uprights),
        lines=tuple(zip(*columns, strict=True)),
        best=tuple(t.number in record.best for t in trials),
    )


def _unit(values: Sequence[float]) -> list[float]:
    """From 0 to 1; halfway where all are the same."""
    array = np.array(values, dtype=np.float64)
    low, high = np.nanmin(array), np.nanmax(array)
    return [0.5 if high == low and not np.isnan(v) else float((v - low) / ((high - low) or 1.0)) for v in array]
