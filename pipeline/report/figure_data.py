"""What the figures show, computed from findings and cells; `drawing.py` draws it."""

import math
from collections.abc import Iterable, Sequence
from typing import TypeVar

from pipeline.methods import METHODS
from pipeline.records import ArmScore, CellResult, EarlyAccuracy, Findings
from pipeline.report.panels import (
    Curve,
    CurvePanel,
    CurvePoint,
    EarlyPanel,
    EarlyRow,
    RatioPanel,
    RatioRow,
    Tick,
    Track,
    TrackPanel,
)
from pipeline.report.wording import TIMES, metric_name, plain, plural, ratio_text

T = TypeVar("T")
MOST_PANELS = 12
MOST_POINTS = 120


def train_items(findings: Findings) -> dict[int | str, int]:
    """Labels in each train subset by size, "all" included; a size never scored is left out unless it is a number."""
    counts: dict[int | str, int] = {size: size for size in findings.sizes if isinstance(size, int)}
    for score in findings.scores:
        counts[score.size] = score.train_items
    return counts


def learning_curves(findings: Findings) -> tuple[CurvePanel, ...]:
    """One panel per evaluation set, the in-domain test first."""
    sets = dict.fromkeys((s.role, s.dataset) for s in findings.scores if s.role in ("in_domain", "out_of_domain"))
    ordered = sorted(sets, key=lambda pair: pair[0] != "in_domain")[:MOST_PANELS]
    groups = [[s for s in findings.scores if (s.role, s.dataset) == pair] for pair in ordered]
    low, high = _bounds(
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
    where = "in domain" if first.role == "in_domain" else "out of domain"
    curves = [Curve(arm=arm, points=_points(scores, arm)) for arm in findings.arms]
    ticks = {s.train_items: s.size for s in scores}
    name = metric_name(first.metric)
    return CurvePanel(
        title=f"{name if name != name.lower() else name.capitalize()} on {plain(first.dataset, 40)} ({where})",
        metric=first.metric,
        counted=findings.counted,
        curves=tuple(c for c in curves if c.points),
        ticks=tuple(Tick(items=n, label=_tick_label(n, size)) for n, size in sorted(ticks.items())),
        chance=first.chance,
        low=low,
        high=high,
    )


def _tick_label(items: int, size: int | str) -> str:
    return f"{items:,}" if isinstance(size, int) else f"{items:,}\n{size}"


def _points(scores: Sequence[ArmScore], arm: str) -> tuple[CurvePoint, ...]:
    own = sorted((s for s in scores if s.arm == arm), key=lambda s: s.train_items)
    return tuple(
        CurvePoint(items=s.train_items, value=s.estimate.value, low=s.estimate.low, high=s.estimate.high) for s in own
    )


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
    low, high = _bounds(x for group in tracks.values() for t in group for x in (*t.low, *t.high))
    counts = train_items(findings)
    return tuple(
        TrackPanel(
            title=_size_title(findings, size, counts),
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


def label_multipliers(findings: Findings) -> tuple[RatioPanel, ...]:
    """One panel per pair of arms. A row's floor and ceiling are the smallest and largest size over its own."""
    counts = train_items(findings)
    pairs: dict[tuple[str, str], list[RatioRow]] = {}
    for m in findings.multipliers:
        floor, ceiling = window(findings, m.size, m.against)
        row = RatioRow(
            label=_size_title(findings, m.size, counts),
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
            label=_size_title(findings, cost.size, counts),
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
            title=f"{plain(arm, 30)} against {plain(against, 30)}",
            arm=arm,
            rows=tuple(spread(rows, MOST_PANELS)),
            low=low,
            high=high,
        )
        for (arm, against), rows in pairs.items()
    ]
    return tuple(panels[:MOST_PANELS])


def early_accuracy(findings: Findings) -> tuple[EarlyPanel, ...]:
    """One panel per train size, a row per arm from step 0 to the score after a few examples."""
    counts = train_items(findings)
    chosen = spread([s for s in findings.sizes if any(e.size == s for e in findings.early)], MOST_PANELS)
    shown = [e for e in findings.early if e.size in chosen]
    low, high = _bounds(x for e in shown for x in (e.untrained.value, e.early.value, e.early.low, e.early.high))
    return tuple(
        EarlyPanel(
            title=_size_title(findings, size, counts),
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


def _size_title(findings: Findings, size: int | str, counts: dict[int | str, int]) -> str:
    if isinstance(size, int):
        return plural(size, findings.counted)
    return f"{plain(size, 20)} {counts[size]:,}" if size in counts else plain(size, 20)


def spread(items: Sequence[T], most: int) -> list[T]:
    """At most `most` of the items, evenly spread, the first and the last among them."""
    if len(items) <= most:
        return list(items)
    return [items[round(i * (len(items) - 1) / (most - 1))] for i in range(most)]


def _bounds(values: Iterable[float]) -> tuple[float, float]:
    """Axis bounds around the finite values, with a little room."""
    finite = [v for v in values if math.isfinite(v)] or [0.0, 1.0]
    low, high = min(finite), max(finite)
    room = 0.06 * (high - low) or 0.05
    return low - room, high + room
