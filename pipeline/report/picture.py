"""The study's main figure as one picture for a README: learning curves, in-domain and out of domain, with a legend."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from pipeline.records import Findings
from pipeline.report.figures.axes import UNIT, dress
from pipeline.report.figures.learning_curves import draw_curves, learning_curves
from pipeline.report.palette import Palette, Theme
from pipeline.report.wording import plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def main_figure(findings: Findings, palette: Palette, make: "Callable[..., Figure] | None" = None) -> "Figure":
    """Up to three panels side by side, in the colours of the report on white.

    Args:
        findings: what is shown.
        palette: the look of its arms.
        make: makes the empty figure; matplotlib's Figure if None.
    """
    from matplotlib.figure import Figure

    panels = learning_curves(findings)[:3]
    theme, size = palette.on_white, (max(452 * len(panels), 452) / UNIT, 372 / UNIT)
    figure = (make or Figure)(figsize=size, layout="constrained", facecolor="white")
    for i, panel in enumerate(panels):
        axes = figure.add_subplot(1, len(panels), i + 1)
        dress(axes, panel.title, theme)
        draw_curves(axes, panel, theme)
    _legend(figure, findings, theme)
    return figure


def _legend(figure: "Figure", findings: Findings, theme: Theme) -> None:
    from matplotlib.lines import Line2D

    arms = [a for a in findings.arms if any(s.arm == a for s in findings.scores)]
    handles = [Line2D([], [], color=theme.arms[a], marker=theme.markers[a], markersize=6.5, linewidth=2) for a in arms]
    names = [plain(a, 40) for a in arms]
    if handles:
        figure.legend(
            handles, names, loc="outside upper left", ncols=len(arms), frameon=False, labelcolor=theme.ink, fontsize=12
        )
