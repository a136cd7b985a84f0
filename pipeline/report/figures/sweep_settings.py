"""The settings of a sweep: which of them made the difference, each by itself, and all side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from pipeline.language import numeral, tr, translated
from pipeline.records import SweepRecord
from pipeline.report.figures.axes import score_axis
from pipeline.report.figures.panel import Panel
from pipeline.report.figures.sweep_progress import complete, shown_metric, span
from pipeline.report.palette import Theme
from pipeline.report.wording import plain, scale_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_SLICES = 6


@dataclass(frozen=True, kw_only=True)
class BarsPanel(Panel):
    """Shares of a whole, largest first."""

    arm: str
    names: tuple[str, ...]
    shares: tuple[float, ...]

    grid: ClassVar[Literal["x", "y"]] = "x"

    def height(self, width: float) -> float:
        """See Panel."""
        return 70 + 30 * len(self.names)

    def paint(self, axes: "Axes", theme: Theme) -> None:
        """See Panel."""
        _draw_bars(axes, self, theme)


@dataclass(frozen=True, kw_only=True)
class SlicePanel(Panel):
    """What trials came to against one setting. Where it is a choice, `names` are its values and `places` count them."""

    metric: str
    arm: str
    places: tuple[float, ...]
    values: tuple[float, ...]
    best: tuple[bool, ...]
    names: tuple[str, ...]
    logarithmic: bool

    def paint(self, axes: "Axes", theme: Theme) -> None:
        """See Panel."""
        _draw_slice(axes, self, theme)


@dataclass(frozen=True, kw_only=True)
class Upright:
    """One axis of parallel coordinates: what stands at its foot, at its head, and the settings' name."""

    name: str
    foot: str
    head: str


@dataclass(frozen=True, kw_only=True)
class ParallelPanel(Panel):
    """Trials as lines across their settings, bold where `best`; `lines` hold places from 0 to 1, the score's last."""

    arm: str
    uprights: tuple[Upright, ...]
    lines: tuple[tuple[float, ...], ...]
    best: tuple[bool, ...]

    def paint(self, axes: "Axes", theme: Theme) -> None:
        """See Panel."""
        _draw_parallel(axes, self, theme)


def importances(record: SweepRecord) -> BarsPanel | None:
    """What explains the differences between trials; None where there are too few of them."""
    if not record.importances:
        return None
    order = sorted(record.importances.items(), key=lambda item: -item[1])
    return BarsPanel(
        title=tr("share of the difference"),
        arm=record.arm,
        names=tuple(name for name, _ in order),
        shares=tuple(share for _, share in order),
    )


def slices(record: SweepRecord) -> tuple[SlicePanel, ...]:
    """One panel a setting, those that matter most first."""
    names = settings(record)
    order = sorted(names, key=lambda n: -record.importances.get(n, 0.0))
    return tuple(_slice(record, name) for name in order[:_MOST_SLICES])


def settings(record: SweepRecord) -> list[str]:
    """The settings that trials differ in."""
    return list(dict.fromkeys(n for t in complete(record) for n in t.params))


def _slice(record: SweepRecord, name: str) -> SlicePanel:
    trials = [t for t in complete(record) if name in t.params]
    places, names, logarithmic = _axis([t.params[name] for t in trials])
    return SlicePanel(
        title=name,
        metric=shown_metric(record),
        arm=record.arm,
        places=tuple(places),
        values=tuple(t.values[0] for t in trials),
        best=tuple(t.number in record.best for t in trials),
        names=names,
        logarithmic=logarithmic,
    )


def _axis(values: Sequence[Any]) -> tuple[list[float], tuple[str, ...], bool]:
    """Places on an axis; names where the values are few or no numbers; whether it is logarithmic."""
    different = sorted(set(values), key=lambda v: (str(type(v)), v) if isinstance(v, str | bool) else ("", v))
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in different)
    if not numbers or len(different) <= 4:
        return [float(different.index(v)) for v in values], tuple(_text(v) for v in different), False
    return [float(v) for v in values], (), min(different) > 0 and max(different) / min(different) > 20


def _text(value: Any) -> str:
    return numeral(value, ".3g") if isinstance(value, float) else str(value)


def parallel(record: SweepRecord) -> ParallelPanel | None:
    """All settings side by side, and the first objective last; None where a single setting is searched."""
    names, trials = settings(record), complete(record)
    if len(names) < 2:
        return None
    columns, uprights = [], []
    for name in names:
        places, labels, logarithmic = _axis([t.params[name] for t in trials if name in t.params])
        remaining = iter(np.log(places) if logarithmic else places)
        column = [float(next(remaining)) if name in t.params else float("nan") for t in trials]
        raw = [t.params[name] for t in trials if name in t.params]
        ends = (labels[0], labels[-1]) if labels else (_text(min(raw)), _text(max(raw)))
        columns.append(_unit(column))
        uprights.append(Upright(name=name.rpartition(".")[2], foot=ends[0], head=ends[1]))
    values = [t.values[0] for t in trials]
    scale = scale_of(shown_metric(record))
    columns.append(_unit(values))
    uprights.append(
        Upright(name=translated(record.objectives[0]), foot=scale.score(min(values)), head=scale.score(max(values)))
    )
    return ParallelPanel(
        title=tr("one line a trial"),
        arm=record.arm,
        uprights=tuple(uprights),
        lines=tuple(zip(*columns, strict=True)),
        best=tuple(t.number in record.best for t in trials),
    )


def _unit(values: Sequence[float]) -> list[float]:
    """From 0 to 1; halfway where all are the same."""
    array = np.array(values, dtype=np.float64)
    low, high = np.nanmin(array), np.nanmax(array)
    return [0.5 if high == low and not np.isnan(v) else float((v - low) / ((high - low) or 1.0)) for v in array]


def _draw_bars(axes: "Axes", panel: BarsPanel, theme: Theme) -> None:
    """One bar a setting, its share at its end."""
    places = range(len(panel.names))
    axes.barh(places, panel.shares, height=0.55, color=theme.arms[panel.arm], zorder=2)
    for place, share in zip(places, panel.shares, strict=True):
        axes.text(share, place, f" {numeral(share, '.0%')}", color=theme.ink, va="center", fontsize=10.5)
    axes.set_yticks(places, [plain(n, 30) for n in panel.names])
    axes.set_ylim(len(panel.names) - 0.4, -0.6)
    axes.set_xlim(0, max(panel.shares) * 1.18)
    axes.set_xticks([])


def _draw_slice(axes: "Axes", panel: SlicePanel, theme: Theme) -> None:
    """A dot a trial; the best ones filled."""
    from matplotlib.ticker import FuncFormatter

    colour = theme.arms[panel.arm]
    score_axis(axes, panel.metric, *span(panel.values))
    if panel.logarithmic:
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: numeral(v, "g")))
    for place, value, best in zip(panel.places, panel.values, panel.best, strict=True):
        face = colour if best else theme.paper
        axes.plot(place, value, "o", color=colour, markerfacecolor=face, markersize=8 if best else 6, zorder=3 + best)
    if panel.names:
        axes.set_xticks(range(len(panel.names)), [plain(n, 16) for n in panel.names])
        axes.set_xlim(-0.5, len(panel.names) - 0.5)
    axes.minorticks_off()


def _draw_parallel(axes: "Axes", panel: ParallelPanel, theme: Theme) -> None:
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
