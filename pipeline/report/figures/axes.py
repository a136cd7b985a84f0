"""What drawings are made of: frames, score axes, bounds, ticks. Nothing is computed but where things stand."""

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TypeVar

from pipeline.language import numeral, translated
from pipeline.records import Findings
from pipeline.report.palette import Theme
from pipeline.report.wording import plain, plural, scale_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

T = TypeVar("T")
UNIT = 72.0  # SVG units an inch: sizes below are in pixels of the page


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
    short = FuncFormatter(lambda v, _: f"{numeral(round(100 * v, 6), 'g')}%" if scale.suffix else numeral(v, "g"))
    axis.set_major_formatter(short)


def round_ticks(first: float, last: float, most: int = 4) -> list[float]:
    """At most `most` numbers of the form 1, 2 or 5 times a power of ten between `first` and `last`, evenly in logs."""
    start = math.floor(math.log10(first))
    numbers = [k * 10.0**e for e in range(start, math.ceil(math.log10(last)) + 1) for k in (1, 2, 5)]
    inside = [n for n in numbers if first <= n <= last]
    step = math.ceil(len(inside) / most)
    return inside[::-1][::step][::-1] if inside else [last]


def train_items(findings: Findings) -> dict[int | str, int]:
    """Labels in each train subset by size, "all" included; a size never scored is left out unless it is a number."""
    counts: dict[int | str, int] = {size: size for size in findings.sizes if isinstance(size, int)}
    for score in findings.scores:
        counts[score.size] = score.train_items
    return counts


def size_title(findings: Findings, size: int | str, counts: dict[int | str, int]) -> str:
    """The name of a train size as the title of what is drawn of it."""
    if isinstance(size, int):
        return plural(size, findings.counted)
    name = plain(translated(size), 20)
    return f"{name} {numeral(counts[size], ',')}" if size in counts else name


def spread(items: Sequence[T], most: int) -> list[T]:
    """At most `most` of the items, evenly spread, the first and the last among them."""
    if len(items) <= most:
        return list(items)
    return [items[round(i * (len(items) - 1) / (most - 1))] for i in range(most)]


def bounds(values: Iterable[float]) -> tuple[float, float]:
    """Axis bounds around the finite values, with a little room."""
    finite = [v for v in values if math.isfinite(v)] or [0.0, 1.0]
    low, high = min(finite), max(finite)
    room = 0.06 * (high - low) or 0.05
    return low - room, high + room
