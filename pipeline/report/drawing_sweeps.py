"""Draws the panels of a sweep with matplotlib: no number is computed here, every colour comes from a theme."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from pipeline.report.drawing import blank, score_axis
from pipeline.report.palette import Theme
from pipeline.report.panels import (
    BarsPanel,
    HistoryPanel,
    ParallelPanel,
    ReportsPanel,
    SlicePanel,
    SweepPanel,
    TuningPanel,
)
from pipeline.report.wording import count, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw_of_sweep(panel: SweepPanel, theme: Theme, width: float) -> "Figure":
    """The panel as a figure of its own."""
    if isinstance(panel, BarsPanel):
        figure, axes = blank(width, 70 + 30 * len(panel.names), panel.title, theme, grid="x")
    else:
        figure, axes = blank(width, 0.45 * width + 80, panel.title, theme)
    _DRAW[type(panel)](axes, panel, theme)
    return figure


def _span(values: Sequence[float]) -> tuple[float, float]:
    """A little more than all values take."""
    low, high = min(values), max(values)
    room = 0.08 * (high - low) or 0.02 * abs(high) or 0.01
    return low - room, high + room


def _history(axes: "Axes", panel: HistoryPanel, theme: Theme) -> None:
    """A dot for each complete trial, the best until then as steps, pruned and failed ones at the foot."""
    from matplotlib.ticker import MaxNLocator

    colour = theme.arms[panel.arm]
    low, high = _span(panel.values)
    score_axis(axes, panel.metric, low, high)
    axes.plot(panel.numbers, panel.best, color=colour, linewidth=2, drawstyle="steps-post", zorder=2)
    axes.plot(panel.numbers, panel.values, "o", color=colour, markersize=5, alpha=0.6, zorder=3)
    for numbers, mark in ((panel.pruned, "|"), (panel.failed, "x")):
        axes.plot(numbers, [low] * len(numbers), mark, color=theme.muted, markersize=8, clip_on=False, zorder=3)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    axes.set_xlabel("trial", color=theme.muted)


def _reports(axes: "Axes", panel: ReportsPanel, theme: Theme) -> None:
    """Complete trials in the arm's colour, pruned ones grey up to a cross where they were given up."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    score_axis(axes, panel.metric, *_span([v for _, values, _ in panel.paths for v in values]))
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


def _bars(axes: "Axes", panel: BarsPanel, theme: Theme) -> None:
    """One bar a setting, its share at its end."""
    places = range(len(panel.names))
    axes.barh(places, panel.shares, height=0.55, color=theme.arms[panel.arm], zorder=2)
    for place, share in zip(places, panel.shares, strict=True):
        axes.text(share, place, f" {share:.0%}", color=theme.ink, va="center", fontsize=10.5)
    axes.set_yticks(places, [plain(n, 30) for n in panel.names])
    axes.set_ylim(len(panel.names) - 0.4, -0.6)
    axes.set_xlim(0, max(panel.shares) * 1.18)
    axes.set_xticks([])


def _slice(axes: "Axes", panel: SlicePanel, theme: Theme) -> None:
    """A dot a trial; the best ones filled."""
    from matplotlib.ticker import FuncFormatter

    colour = theme.arms[panel.arm]
    score_axis(axes, panel.metric, *_span(panel.values))
    if panel.logarithmic:
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
    for place, value, best in zip(panel.places, panel.values, panel.best, strict=True):
        face = colour if best else theme.paper
        axes.plot(place, value, "o", color=colour, markerfacecolor=face, markersize=8 if best else 6, zorder=3 + best)
    if panel.names:
        axes.set_xticks(range(len(panel.names)), [plain(n, 16) for n in panel.names])
        axes.set_xlim(-0.5, len(panel.names) - 0.5)
    axes.minorticks_off()


def _parallel(axes: "Axes", panel: ParallelPanel, theme: Theme) -> None:
    """A line a trial from setting to setting and on to what it came to."""
    colour = theme.arms[panel.arm]
    across = range(len(panel.uprights))
    for line, best in sorted(zip(panel.lines, panel.best, strict=True), key=lambda pair: pair[1]):
        axes.plot(
            across, line, color=colour, linewidth=2.6 if best else 1.1, alpha=1.0 if best else 0.3, zorder=2 + best
        )
    for place, upright in enumerate(panel.uprights):
        axes.vlines(place, 0, 1, color=theme.muted, linewidth=1, zorder=1)
        axes.text(place, -0.05, plain(upright.foot, 12), ha="center", va="top", color=theme.muted, fontsize=10)
        axes.text(place, 1.04, plain(upright.head, 12), ha="center", va="bottom", color=theme.muted, fontsize=10)
    axes.set_xticks(across, [plain(u.name, 18) for u in panel.uprights])
    axes.tick_params(axis="x", pad=22)
    axes.set_yticks([])
    axes.set_ylim(-0.02, 1.12)
    axes.set_xlim(-0.35, len(panel.uprights) - 0.65)
    axes.spines["bottom"].set_visible(False)


def _tuning(axes: "Axes", panel: TuningPanel, theme: Theme) -> None:
    """A line an arm, rising with its trials."""
    from matplotlib.ticker import MaxNLocator

    score_axis(axes, panel.metric, panel.low, panel.high)
    for arm, best in panel.lines:
        trials = range(1, len(best) + 1)
        axes.plot(trials, best, color=theme.arms[arm], linewidth=2, drawstyle="steps-post", zorder=2)
        axes.plot(trials[-1], best[-1], color=theme.arms[arm], marker=theme.markers[arm], markersize=6.5, zorder=3)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.set_xlabel("trials", color=theme.muted)


_DRAW: dict[type, Callable[["Axes", Any, Theme], None]] = {
    HistoryPanel: _history,
    ReportsPanel: _reports,
    BarsPanel: _bars,
    SlicePanel: _slice,
    ParallelPanel: _parallel,
    TuningPanel: _tuning,
}
