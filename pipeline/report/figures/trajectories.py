"""Trajectories: the validation score while training goes on, a panel for each train size."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pipeline.language import tr
from pipeline.methods import METHODS
from pipeline.records import CellResult, Findings
from pipeline.report.figures.axes import bounds, round_ticks, score_axis, size_title, spread, train_items
from pipeline.report.figures.panel import MOST_PANELS, Panel
from pipeline.report.palette import Theme
from pipeline.report.wording import count

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_POINTS = 120


@dataclass(frozen=True, kw_only=True)
class Track:
    """An arm's mean validation score against training examples, with the lowest and highest seed."""

    arm: str
    examples: tuple[float, ...]
    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    seeds: int


@dataclass(frozen=True, kw_only=True)
class TrackPanel(Panel):
    """Trajectories at one train size; `target` is the score that cost to target refers to."""

    metric: str
    tracks: tuple[Track, ...]
    target: float | None
    low: float
    high: float
    most_examples: float
    legend: ClassVar[bool] = True

    def paint(self, axes: "Axes", theme: Theme) -> None:
        """See Panel."""
        draw_tracks(axes, self, theme)


def trajectories(findings: Findings, cells: Sequence[CellResult]) -> tuple[TrackPanel, ...]:
    """One panel per train size. A run that has stopped keeps its last score, so a mean never loses its weak seeds.

    An arm that is solved has nothing between its start and its end, and no track.
    """
    groups: dict[tuple[int | str, str], list[CellResult]] = {}
    for cell in cells:
        if cell.trajectory and not METHODS[cell.start_line.method].solved:
            groups.setdefault((cell.key.size, cell.key.arm), []).append(cell)
    sizes = [size for size in findings.sizes if any(size == s for s, _ in groups)]
    tracks = {
        size: tuple(_track(arm, groups[size, arm]) for arm in findings.arms if (size, arm) in groups)
        for size in spread(sizes, MOST_PANELS)
    }
    low, high = bounds(x for group in tracks.values() for t in group for x in (*t.low, *t.high))
    counts = train_items(findings)
    return tuple(
        TrackPanel(
            title=size_title(findings, size, counts),
            metric=findings.metric,
            tracks=group,
            target=findings.target,
            low=low,
            high=high,
            most_examples=max(t.examples[-1] for t in group),
        )
        for size, group in tracks.items()
    )


def _track(arm: str, cells: Sequence[CellResult]) -> Track:
    import numpy as np

    grid = np.unique(np.concatenate([[p.examples for p in c.trajectory] for c in cells]))
    if len(grid) > MOST_POINTS:
        grid = grid[np.unique(np.linspace(0, len(grid) - 1, MOST_POINTS).round().astype(int))]
    scores = np.stack(
        [np.interp(grid, [p.examples for p in c.trajectory], [p.validation_score for p in c.trajectory]) for c in cells]
    )
    return Track(
        arm=arm,
        examples=tuple(grid.astype(float).tolist()),
        mean=tuple(scores.mean(axis=0).tolist()),
        low=tuple(scores.min(axis=0).tolist()),
        high=tuple(scores.max(axis=0).tolist()),
        seeds=len(cells),
    )


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
            1,
            panel.target,
            f"{tr('target')} ",
            color=theme.muted,
            fontsize=10.5,
            ha="right",
            va="bottom",
            transform=place,
        )
    _examples_axis(axes, panel)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: count(v)))
    axes.set_xlabel(tr("training examples seen"), color=theme.muted)


def _examples_axis(axes: "Axes", panel: TrackPanel) -> None:
    """Logarithmic from the first evaluation on, linear from 0 to it: arms train for very different lengths."""
    from matplotlib.ticker import FixedLocator, NullLocator

    first = min((x for t in panel.tracks for x in t.examples if x > 0), default=1.0)
    last = max(panel.most_examples, first)
    axes.set_xscale("symlog", linthresh=first, linscale=0.35)
    axes.set_xlim(0, last * 1.12)
    axes.xaxis.set_major_locator(FixedLocator([0.0, *round_ticks(first, last)]))
    axes.xaxis.set_minor_locator(NullLocator())
