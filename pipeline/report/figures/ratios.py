"""Ratios with their intervals: label multipliers and costs to a target, a panel for each pair of arms.

What is censored ends in an arrow, never in a number that was not measured.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from pipeline.language import tr
from pipeline.records import Findings
from pipeline.report.figures.axes import size_title, spread, train_items
from pipeline.report.figures.panel import MOST_PANELS, Panel
from pipeline.report.palette import Theme
from pipeline.report.wording import TIMES, count, plain, ratio, ratio_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, kw_only=True)
class RatioRow:
    """A ratio with its interval, infinite ends censored. `bound` is ">" or "<" where the value itself is a bound.

    `floor` and `ceiling` bound what could be measured.
    """

    label: str
    value: float
    low: float
    high: float
    text: str
    is_bound: bool = False
    floor: float = 0.0
    ceiling: float = math.inf


@dataclass(frozen=True, kw_only=True)
class RatioPanel(Panel):
    """Ratios of one pair of arms, one row a size, on a logarithmic axis from `low` to `high` alike in all panels."""

    arm: str
    rows: tuple[RatioRow, ...]
    low: float
    high: float

    grid: ClassVar[Literal["x", "y"]] = "x"

    def height(self, width: float) -> float:
        """See Panel."""
        return 76 + 36 * len(self.rows)

    def paint(self, axes: "Axes", theme: Theme) -> None:
        """See Panel."""
        draw_ratios(axes, self, theme)


def label_multipliers(findings: Findings) -> tuple[RatioPanel, ...]:
    """One panel per pair of arms. A row's floor and ceiling are the smallest and largest size over its own."""
    counts = train_items(findings)
    pairs: dict[tuple[str, str], list[RatioRow]] = {}
    for m in findings.multipliers:
        floor, ceiling = window(findings, m.size, m.against)
        row = RatioRow(
            label=size_title(findings, m.size, counts),
            value=m.estimate.value,
            low=m.estimate.low,
            high=m.estimate.high,
            text=f"{ratio_text(m.estimate.value, m.censored)}{TIMES}",
            is_bound=m.censored != "none",
            floor=floor,
            ceiling=ceiling,
        )
        pairs.setdefault((m.arm, m.against), []).append(row)
    return _ratio_panels(pairs)


def window(findings: Findings, size: int | str, against: str) -> tuple[float, float]:
    """The smallest and largest multiplier that could be measured at `size`: sizes of `against` over this one."""
    counts = train_items(findings)
    sizes = [s.train_items for s in findings.scores if s.arm == against] or list(counts.values())
    if size not in counts or not sizes:
        return 0.0, math.inf
    return min(sizes) / counts[size], max(sizes) / counts[size]


def costs_to_target(findings: Findings, unit: str) -> tuple[RatioPanel, ...]:
    """One panel per pair of arms, for costs counted in `unit`."""
    counts = train_items(findings)
    pairs: dict[tuple[str, str], list[RatioRow]] = {}
    for cost in findings.costs_to_target:
        if cost.unit != unit:
            continue
        e = cost.estimate
        row = RatioRow(
            label=size_title(findings, cost.size, counts),
            value=e.value,
            low=e.low,
            high=e.high,
            text=ratio_text(e.value, cost.censored),
            is_bound=cost.censored != "none",
        )
        pairs.setdefault((cost.arm, cost.against), []).append(row)
    return _ratio_panels(pairs)


def _ratio_panels(pairs: dict[tuple[str, str], list[RatioRow]]) -> tuple[RatioPanel, ...]:
    ends = [
        row.ceiling if math.isinf(x) else row.floor if x <= 0 else x
        for rows in pairs.values()
        for row in rows
        for x in (row.value, row.low, row.high)
        if not math.isnan(x) and x != -math.inf
    ]
    usable = [x for x in ends if math.isfinite(x) and x > 0]
    low, high = min([*usable, 0.8]) / 1.25, max([*usable, 1.25]) * 1.5
    panels = [
        RatioPanel(
            title=tr("{arm} against {against}", arm=plain(arm, 30), against=plain(against, 30)),
            arm=arm,
            rows=tuple(spread(rows, MOST_PANELS)),
            low=low,
            high=high,
        )
        for (arm, against), rows in pairs.items()
    ]
    return tuple(panels[:MOST_PANELS])


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
