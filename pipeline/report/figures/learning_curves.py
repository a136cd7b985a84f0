"""Learning curves: the score against the number of training labels, a panel for each evaluation set."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pipeline.language import nouns, numeral, tr, translated
from pipeline.records import ArmScore, Findings
from pipeline.report.figures.axes import bounds, score_axis
from pipeline.report.figures.panel import MOST_PANELS, Panel
from pipeline.report.palette import Theme
from pipeline.report.wording import metric_name, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, kw_only=True)
class CurvePoint:
    """A mean score and its interval at `items` training labels."""

    items: int
    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Curve:
    """An arm's learning curve, points by increasing size."""

    arm: str
    points: tuple[CurvePoint, ...]


@dataclass(frozen=True, kw_only=True)
class Tick:
    """A train size on the axis: where it stands and what is written there."""

    items: int
    label: str


@dataclass(frozen=True, kw_only=True)
class CurvePanel(Panel):
    """Learning curves on one evaluation set; `low` and `high` bound the score axis, alike in all panels."""

    metric: str
    counted: str  # what the sizes are numbers of
    curves: tuple[Curve, ...]
    ticks: tuple[Tick, ...]
    chance: float | None
    low: float
    high: float
    legend: ClassVar[bool] = True
    wide: ClassVar[bool] = True

    def height(self, width: float) -> float:
        """See Panel."""
        return 0.7 * width

    def paint(self, axes: "Axes", theme: Theme) -> None:
        """See Panel."""
        draw_curves(axes, self, theme)


def learning_curves(findings: Findings) -> tuple[CurvePanel, ...]:
    """One panel per evaluation set, the in-domain test first."""
    sets = dict.fromkeys((s.role, s.dataset) for s in findings.scores if s.role in ("in_domain", "out_of_domain"))
    ordered = sorted(sets, key=lambda pair: pair[0] != "in_domain")[:MOST_PANELS]
    groups = [[s for s in findings.scores if (s.role, s.dataset) == pair] for pair in ordered]
    low, high = bounds(
        x
        for g in groups
        for s in g
        for x in (s.estimate.low, s.estimate.high, s.estimate.value, _shown_chance(findings, s))
    )
    return tuple(_curve_panel(findings, group, low, high) for group in groups)


def _shown_chance(findings: Findings, score: ArmScore) -> float:
    """Chance, where there is one that is not far above all that is drawn, as a loss may be."""
    return score.chance if score.chance and findings.higher_is_better else score.estimate.value


def _curve_panel(findings: Findings, scores: Sequence[ArmScore], low: float, high: float) -> CurvePanel:
    first = scores[0]
    where = tr("in domain") if first.role == "in_domain" else tr("out of domain")
    curves = [Curve(arm=arm, points=_points(scores, arm)) for arm in findings.arms]
    ticks = {s.train_items: s.size for s in scores}
    name = metric_name(first.metric)
    return CurvePanel(
        title=tr(
            "{metric} on {dataset} ({where})",
            metric=name if name != name.lower() else name.capitalize(),
            dataset=plain(translated(first.dataset), 40),
            where=where,
        ),
        metric=first.metric,
        counted=findings.counted,
        curves=tuple(c for c in curves if c.points),
        ticks=tuple(Tick(items=n, label=_tick_label(n, size)) for n, size in sorted(ticks.items())),
        chance=first.chance,
        low=low,
        high=high,
    )


def _tick_label(items: int, size: int | str) -> str:
    return numeral(items, ",") if isinstance(size, int) else f"{numeral(items, ',')}\n{translated(size)}"


def _points(scores: Sequence[ArmScore], arm: str) -> tuple[CurvePoint, ...]:
    own = sorted((s for s in scores if s.arm == arm), key=lambda s: s.train_items)
    return tuple(
        CurvePoint(items=s.train_items, value=s.estimate.value, low=s.estimate.low, high=s.estimate.high) for s in own
    )


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
    axes.set_xlabel(tr("training {labels}", labels=nouns(panel.counted)), color=theme.muted)


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
    axes.text(1.01, chance, tr("chance"), color=theme.muted, fontsize=10.5, ha="left", va="center", transform=place)
