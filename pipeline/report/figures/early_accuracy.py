"""Early accuracy: each arm before training and after a few examples, a panel for each train size."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from pipeline.records import EarlyAccuracy, Findings
from pipeline.report.figures.axes import bounds, score_axis, size_title, spread, train_items
from pipeline.report.figures.panel import MOST_PANELS, Panel
from pipeline.report.palette import Theme
from pipeline.report.wording import plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, kw_only=True)
class EarlyRow:
    """An arm before training and after a few examples, with the interval of the latter."""

    arm: str
    start: float
    early: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class EarlyPanel(Panel):
    """Early accuracy at one train size; `low` and `high` bound the score axis, alike in all panels."""

    metric: str
    rows: tuple[EarlyRow, ...]
    low: float
    high: float

    grid: ClassVar[Literal["x", "y"]] = "x"

    def height(self, width: float) -> float:
        """See Panel."""
        return 84 + 28 * len(self.rows)

    def paint(self, axes: "Axes", theme: Theme) -> None:
        """See Panel."""
        draw_early(axes, self, theme)


def early_accuracy(findings: Findings) -> tuple[EarlyPanel, ...]:
    """One panel per train size, a row per arm from step 0 to the score after a few examples."""
    counts = train_items(findings)
    chosen = spread([s for s in findings.sizes if any(e.size == s for e in findings.early)], MOST_PANELS)
    shown = [e for e in findings.early if e.size in chosen]
    low, high = bounds(x for e in shown for x in (e.untrained.value, e.early.value, e.early.low, e.early.high))
    return tuple(
        EarlyPanel(
            title=size_title(findings, size, counts),
            metric=findings.metric,
            rows=_early_rows(findings.arms, [e for e in shown if e.size == size]),
            low=low,
            high=high,
        )
        for size in chosen
    )


def _early_rows(arms: Sequence[str], early: Sequence[EarlyAccuracy]) -> tuple[EarlyRow, ...]:
    own = sorted(early, key=lambda e: arms.index(e.arm) if e.arm in arms else len(arms))
    return tuple(
        EarlyRow(arm=e.arm, start=e.untrained.value, early=e.early.value, low=e.early.low, high=e.early.high)
        for e in own
    )


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
