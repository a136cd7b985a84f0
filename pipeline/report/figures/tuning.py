"""Tuning: the best validation score against the number of trials, a panel for each size."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pipeline.language import nouns
from pipeline.records import Findings
from pipeline.report.figures.axes import score_axis, spread
from pipeline.report.figures.panel import MOST_PANELS, Panel
from pipeline.report.palette import Theme
from pipeline.report.wording import size_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, kw_only=True)
class TuningPanel(Panel):
    """The best validation score of each arm against trials; `low` and `high` bound the score axis in all panels."""

    metric: str
    lines: tuple[tuple[str, tuple[float, ...]], ...]  # arm, best after 1, 2, ... trials
    low: float
    high: float
    legend: ClassVar[bool] = True

    def paint(self, axes: "Axes", theme: Theme) -> None:
        """See Panel."""
        _draw(axes, self, theme)


def tuning_curves(findings: Findings) -> tuple[TuningPanel, ...]:
    """One panel for each size at which arms were tuned."""
    sizes = spread(list(dict.fromkeys(c.size for c in findings.tuning)), MOST_PANELS)
    shown = [c for c in findings.tuning if c.size in sizes]
    values = [b for c in shown for b in c.best]
    room = 0.08 * (max(values) - min(values)) or 0.02
    return tuple(
        TuningPanel(
            title=f"{size_name(size)} {nouns(findings.counted)}",
            metric=findings.metric,
            lines=tuple((c.arm, c.best) for c in shown if c.size == size),
            low=min(values) - room,
            high=max(values) + room,
        )
        for size in sizes
    )


def _draw(axes: "Axes", panel: TuningPanel, theme: Theme) -> None:
    """A line an arm, rising with its trials."""
    from matplotlib.ticker import MaxNLocator

    score_axis(axes, panel.metric, panel.low, panel.high)
    for arm, best in panel.lines:
        trials = range(1, len(best) + 1)
        axes.plot(trials, best, color=theme.arms[arm], linewidth=2, drawstyle="steps-post", zorder=2)
        axes.plot(trials[-1], best[-1], color=theme.arms[arm], marker=theme.markers[arm], markersize=6.5, zorder=3)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.set_xlabel(nouns("trial"), color=theme.muted)
