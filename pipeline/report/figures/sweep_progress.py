"""A sweep as it went: what each trial came to, and what trials had come to on their way."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.language import nouns, tr, translated
from pipeline.records import SweepRecord, TrialRecord
from pipeline.report.figures.axes import score_axis
from pipeline.report.figures.panel import Panel
from pipeline.report.palette import Theme
from pipeline.report.wording import count

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_PATHS = 150


@dataclass(frozen=True, kw_only=True)
class HistoryPanel(Panel):
    """What each trial came to, in the order of their numbers, and the best until then."""

    metric: str
    arm: str
    numbers: tuple[int, ...]
    values: tuple[float, ...]
    best: tuple[float, ...]
    pruned: tuple[int, ...]
    failed: tuple[int, ...]

    def paint(self, axes: "Axes", theme: Theme) -> None:
        """See Panel."""
        _draw_history(axes, self, theme)


@dataclass(frozen=True, kw_only=True)
class ReportsPanel(Panel):
    """What trials had come to on their way: one path a trial, by training examples or by seeds."""

    metric: str
    arm: str
    across: str
    paths: tuple[tuple[tuple[float, ...], tuple[float, ...], str], ...]  # places, values, the trial's state

    def paint(self, axes: "Axes", theme: Theme) -> None:
        """See Panel."""
        _draw_reports(axes, self, theme)


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
        title=tr("{objective} by trial", objective=translated(record.objectives[0])),
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
    across = tr("training examples seen") if len(record.seeds) == 1 else tr("seeds seen")
    metric = shown_metric(record)
    return ReportsPanel(
        title=tr("{objective} during training", objective=translated(record.objectives[0])),
        metric=metric,
        arm=record.arm,
        across=across,
        paths=tuple(paths),
    )


def span(values: Sequence[float]) -> tuple[float, float]:
    """A little more than all values take."""
    low, high = min(values), max(values)
    room = 0.08 * (high - low) or 0.02 * abs(high) or 0.01
    return low - room, high + room


def _draw_history(axes: "Axes", panel: HistoryPanel, theme: Theme) -> None:
    """A dot for each complete trial, the best until then as steps, pruned and failed ones at the foot."""
    from matplotlib.ticker import MaxNLocator

    colour = theme.arms[panel.arm]
    low, high = span(panel.values)
    score_axis(axes, panel.metric, low, high)
    axes.plot(panel.numbers, panel.best, color=colour, linewidth=2, drawstyle="steps-post", zorder=2)
    axes.plot(panel.numbers, panel.values, "o", color=colour, markersize=5, alpha=0.6, zorder=3)
    for numbers, mark in ((panel.pruned, "|"), (panel.failed, "x")):
        axes.plot(numbers, [low] * len(numbers), mark, color=theme.muted, markersize=8, clip_on=False, zorder=3)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    axes.set_xlabel(nouns("trial", 1), color=theme.muted)


def _draw_reports(axes: "Axes", panel: ReportsPanel, theme: Theme) -> None:
    """Complete trials in the arm's colour, pruned ones grey up to a cross where they were given up."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    score_axis(axes, panel.metric, *span([v for _, values, _ in panel.paths for v in values]))
    for places, values, state in panel.paths:
        complete = state == "complete"
        colour = theme.arms[panel.arm] if complete else theme.muted
        axes.plot(
            places, values, color=colour, linewidth=1.3, alpha=0.7 if complete else 0.9, zorder=3 if complete else 2
        )
        if state == "pruned":
            axes.plot(places[-1], values[-1], "x", color=colour, markersize=6, zorder=4)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: count(v)))
    axes.set_xlabel(panel.across, color=theme.muted)
