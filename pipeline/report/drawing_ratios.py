"""Draws ratios with their intervals; what is censored ends in an arrow, never in a number that was not measured."""

import math
from typing import TYPE_CHECKING

from pipeline.report.palette import Theme
from pipeline.report.panels import RatioPanel, RatioRow
from pipeline.report.wording import TIMES, count, ratio

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_ratios(axes: "Axes", panel: RatioPanel, theme: Theme) -> None:
    """One row a size on a logarithmic axis; the pale track is what could be measured, the line at 1 is no gain."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    axes.set_xscale("log")
    axes.set_xlim(panel.low, panel.high)
    axes.set_ylim(len(panel.rows) - 0.4, -0.7)
    axes.axvline(1.0, color=theme.muted, linewidth=1.2, zorder=1)
    for y, row in enumerate(panel.rows):
        _draw_row(axes, y, row, panel, theme)
    axes.set_yticks(range(len(panel.rows)), [row.label for row in panel.rows])
    axes.xaxis.set_major_locator(FixedLocator(ratio_ticks(panel.low, panel.high)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: tick_label(v)))
    axes.xaxis.set_minor_locator(NullLocator())


def ratio_ticks(low: float, high: float) -> list[float]:
    """Powers of 2, 4, 10 or more on either side of 1, at most five of them."""
    for base in (2.0, 4.0, 10.0, 100.0, 10_000.0):  # wider steps for wider axes
        first, last = math.ceil(math.log(low, base) - 1e-9), math.floor(math.log(high, base) + 1e-9)
        if last - first < 5:
            return [base**k for k in range(first, last + 1)]
    return [1.0]


def tick_label(value: float) -> str:
    """ "4x" or "1/4x": a power below one as the fraction it is."""
    return ratio(value) if value >= 1 else f"1/{count(1 / value)}{TIMES}"


def _draw_row(axes: "Axes", y: int, row: RatioRow, panel: RatioPanel, theme: Theme) -> None:
    colour, marker = theme.arms[panel.arm], theme.markers[panel.arm]
    floor, ceiling = max(row.floor, panel.low), min(row.ceiling, panel.high)
    if math.isfinite(row.ceiling):
        axes.plot([floor, ceiling], [y, y], color=theme.rule, linewidth=9, solid_capstyle="butt", zorder=1.5)
    low, value, high = (_held(x, floor, ceiling) for x in (row.low, row.value, row.high))
    unknown = row.low <= 0 and math.isinf(row.high)
    line = {"linewidth": 1.4, "linestyle": (0, (2, 3))} if unknown else {"linewidth": 2.2}
    axes.plot([low, high], [y, y], color=colour, solid_capstyle="butt", zorder=2, **line)
    for open_end, at, arrow in ((row.low <= 0, floor, "<"), (math.isinf(row.high), ceiling, ">")):
        if open_end:
            axes.plot(at, y, color=colour, marker=arrow, markersize=6.5, clip_on=False, zorder=3)
    if not unknown and math.isfinite(row.value) and value not in (floor, ceiling):
        fill = theme.paper if row.is_bound else colour
        axes.plot(value, y, color=colour, marker=marker, markersize=7.5, markerfacecolor=fill, zorder=4)
    _say(axes, row.text, value, y, theme)


def _say(axes: "Axes", text: str, value: float, y: int, theme: Theme) -> None:
    """The value in words over its mark, on a patch of paper that keeps the lines behind it away."""
    patch = {"facecolor": theme.paper, "edgecolor": "none", "pad": 1}
    kept = {"textcoords": "offset points", "color": theme.ink, "fontsize": 11, "ha": "center"}
    axes.annotate(text, (value, y), (0, 8), bbox=patch, zorder=1.2, **kept)  # type: ignore[arg-type]


def _held(value: float, floor: float, ceiling: float) -> float:
    return floor if math.isnan(value) else min(max(value, floor), ceiling)
