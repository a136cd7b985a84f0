"""Draws panels with matplotlib: no number is computed here, every colour comes from a theme."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipeline.report.drawing_ratios import draw_ratios
from pipeline.report.palette import Theme
from pipeline.report.panels import CurvePanel, EarlyPanel, Panel, RatioPanel, TrackPanel
from pipeline.report.wording import count, plain, scale_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

UNIT = 72.0  # SVG units an inch: sizes below are in pixels of the page
WIDE, NARROW = 452.0, 300.0


def draw(panel: Panel, theme: Theme, width: float = WIDE) -> "Figure":
    """The panel as a figure of its own, `width` pixels wide. Call it within `svg.drawing_settings()`."""
    if isinstance(panel, CurvePanel):
        figure, axes = blank(width, 0.7 * width, panel.title, theme)
        draw_curves(axes, panel, theme)
    elif isinstance(panel, TrackPanel):
        figure, axes = blank(width, 0.45 * width + 80, panel.title, theme)
        draw_tracks(axes, panel, theme)
    elif isinstance(panel, RatioPanel):
        figure, axes = blank(width, 76 + 36 * len(panel.rows), panel.title, theme, grid="x")
        draw_ratios(axes, panel, theme)
    elif isinstance(panel, EarlyPanel):
        figure, axes = blank(width, 84 + 28 * len(panel.rows), panel.title, theme, grid="x")
        draw_early(axes, panel, theme)
    else:
        from pipeline.report.drawing_sweeps import draw_of_sweep

        figure = draw_of_sweep(panel, theme, width)
    return figure


def panel_width(panels: Sequence[Panel]) -> float:
    """How wide panels are drawn so that they fill rows of two or of three."""
    return WIDE if len(panels) in (1, 2, 4) or isinstance(panels[0], CurvePanel) else NARROW


def blank(width: float, height: float, title: str, theme: Theme, *, grid: str = "y") -> "tuple[Figure, Axes]":
    """An empty figure of `width` by `height` pixels with one plain pair of axes."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    tight = ConstrainedLayoutEngine(w_pad=0.03, h_pad=0.03)
    figure = Figure(figsize=(width / UNIT, height / UNIT), layout=tight)
    axes = figure.add_subplot()
    dress(axes, title, theme, grid=grid)
    return figure, axes


def dress(axes: "Axes", title: str, theme: Theme, *, grid: str = "y") -> None:
    """A quiet frame: light grid, no box, the title at the left."""
    axes.set_facecolor("none")
    axes.set_title(title, loc="left", color=theme.ink, fontsize=12.5, fontweight="bold", pad=10)
    for side in ("top", "right", "left" if grid == "y" else "bottom"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(theme.rule)
    axes.tick_params(colors=theme.muted, length=0, pad=6)
    axes.grid(axis=grid, color=theme.rule, linewidth=0.8)  # type: ignore[arg-type]
    axes.set_axisbelow(True)


def score_axis(axes: "Axes", metric: str, low: float, high: float, *, which: str = "y") -> None:
    """A score axis from `low` to `high` in the metric's own scale, few round ticks."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    scale = scale_of(metric)
    axis = axes.yaxis if which == "y" else axes.xaxis
    (axes.set_ylim if which == "y" else axes.set_xlim)(low, high)
    axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    short = FuncFormatter(lambda v, _: f"{round(100 * v, 6):g}%" if scale.suffix else f"{v:g}")
    axis.set_major_formatter(short)


def draw_curves(axes: "Axes", panel: CurvePanel, theme: Theme) -> None:
    """Learning curves on logarithmic sizes; bars are intervals, the dotted line is chance."""
    score_axis(axes, panel.metric, panel.low, panel.high)
    _chance(axes, panel.chance, theme)
    step = _dodge(panel)
    for i, curve in enumerate(panel.curves):
        shift = step ** (i - (len(panel.curves) - 1) / 2)
        x = [p.items * shift for p in curve.points]
        y = [p.value for p in curve.points]
        spread = [[max(p.value - p.low, 0) for p in curve.points], [max(p.high - p.value, 0) for p in curve.points]]
        colour = theme.arms[curve.arm]
        axes.errorbar(x, y, yerr=spread, fmt="none", ecolor=colour, elinewidth=1.4, capsize=0, zorder=2)
        axes.plot(x, y, color=colour, linewidth=2, marker=theme.markers[curve.arm], markersize=6.5, zorder=3)
    _size_axis(axes, panel, theme)


def _dodge(panel: CurvePanel) -> float:
    """The factor between neighbouring arms' points, so that their bars do not hide each other."""
    items = [t.items for t in panel.ticks]
    return float(max(items) / min(items)) ** 0.008 if len(items) > 1 else 1.02


def _size_axis(axes: "Axes", panel: CurvePanel, theme: Theme) -> None:
    from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

    items = [t.items for t in panel.ticks]
    axes.set_xscale("log")
    room = (max(items) / min(items)) ** 0.06 if len(items) > 1 else 1.5
    axes.set_xlim(min(items) / room, max(items) * room)
    shown = [t for t in panel.ticks if t.items in _apart(items)]
    axes.xaxis.set_major_locator(FixedLocator([float(t.items) for t in shown]))
    axes.xaxis.set_major_formatter(FixedFormatter([t.label for t in shown]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel(f"training {panel.counted}s", color=theme.muted)


def _apart(items: Sequence[int]) -> set[int]:
    """The sizes whose labels can stand side by side, chosen from the largest down."""
    least = (max(items) / min(items)) ** 0.1
    kept: list[int] = []
    for n in sorted(items, reverse=True):
        if not kept or kept[-1] / n >= least:
            kept.append(n)
    return set(kept)


def _chance(axes: "Axes", chance: float | None, theme: Theme) -> None:
    if not chance or chance != chance or not axes.get_ylim()[0] < chance < axes.get_ylim()[1]:
        return
    axes.axhline(chance, color=theme.muted, linewidth=1, linestyle=(0, (1, 3)), zorder=1)
    place = axes.get_yaxis_transform()
    axes.text(1.01, chance, "chance", color=theme.muted, fontsize=10.5, ha="left", va="center", transform=place)


def draw_tracks(axes: "Axes", panel: TrackPanel, theme: Theme) -> None:
    """Validation score against training examples; bands from the lowest to the highest seed."""
    from matplotlib.ticker import FuncFormatter

    score_axis(axes, panel.metric, panel.low, panel.high)
    for track in panel.tracks:
        colour = theme.arms[track.arm]
        axes.fill_between(track.examples, track.low, track.high, color=colour, alpha=0.16, linewidth=0)
        axes.plot(track.examples, track.mean, color=colour, linewidth=1.9)
        axes.plot(track.examples[-1], track.mean[-1], color=colour, marker=theme.markers[track.arm], markersize=6)
    if panel.target is not None and panel.low < panel.target < panel.high:
        axes.axhline(panel.target, color=theme.muted, linewidth=1, linestyle=(0, (5, 4)), zorder=1)
        place = axes.get_yaxis_transform()
        axes.text(
            1, panel.target, "target ", color=theme.muted, fontsize=10.5, ha="right", va="bottom", transform=place
        )
    _examples_axis(axes, panel)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: count(v)))
    axes.set_xlabel("training examples seen", color=theme.muted)


def _examples_axis(axes: "Axes", panel: TrackPanel) -> None:
    """Logarithmic from the first evaluation on, linear from 0 to it: arms train for very different lengths."""
    from matplotlib.ticker import FixedLocator, NullLocator

    first = min((x for t in panel.tracks for x in t.examples if x > 0), default=1.0)
    last = max(panel.most_examples, first)
    axes.set_xscale("symlog", linthresh=first, linscale=0.35)
    axes.set_xlim(0, last * 1.12)
    axes.xaxis.set_major_locator(FixedLocator([0.0, *round_ticks(first, last)]))
    axes.xaxis.set_minor_locator(NullLocator())


def round_ticks(first: float, last: float, most: int = 4) -> list[float]:
    """At most `most` numbers of the form 1, 2 or 5 times a power of ten between `first` and `last`, evenly in logs."""
    start = math.floor(math.log10(first))
    numbers = [k * 10.0**e for e in range(start, math.ceil(math.log10(last)) + 1) for k in (1, 2, 5)]
    inside = [n for n in numbers if first <= n <= last]
    step = math.ceil(len(inside) / most)
    return inside[::-1][::step][::-1] if inside else [last]


def draw_early(axes: "Axes", panel: EarlyPanel, theme: Theme) -> None:
    """From the hollow mark, before training, to the filled one, with its interval, after a few examples."""
    score_axis(axes, panel.metric, panel.low, panel.high, which="x")
    for y, row in enumerate(panel.rows):
        colour, marker = theme.arms[row.arm], theme.markers[row.arm]
        axes.plot([row.start, row.early], [y, y], color=colour, linewidth=1.2, alpha=0.55, zorder=1)
        axes.plot([row.low, row.high], [y, y], color=colour, linewidth=4, alpha=0.35, solid_capstyle="butt", zorder=2)
        axes.plot(row.start, y, color=colour, marker=marker, markersize=7, markerfacecolor=theme.paper, zorder=3)
        axes.plot(row.early, y, color=colour, marker=marker, markersize=7, zorder=4)
    axes.set_yticks(range(len(panel.rows)), [plain(r.arm, 24) for r in panel.rows])
    axes.set_ylim(len(panel.rows) - 0.4, -0.6)
