"""Label multipliers, costs to a target and trajectories of a stored study, as docs/statistics.md has them.

Used by recompute_intervals.py. Nothing of `pipeline`.
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from stored_study import RIVAL, Group, Interval, Spread, Study, drawn_part

SOLVED = ("linear_probe", "bag_of_words")  # methods that take no steps


def _curve(study: Study, against: str) -> list[Group]:
    """The arm at all its sizes, by the labels it trained on."""
    return sorted(((a, s) for a, s in study.cells if a == against), key=lambda group: labels_of(study, group))


def labels_of(study: Study, group: Group) -> int:
    """How many labels the arm trained on."""
    return max(cell["train_items"] for cell in study.cells[group].values())


def weights_at(study: Study, against: str, labels: float) -> dict[Any, float]:
    """By size, the weights that read a curve at so many labels, linear in log N."""
    curve = _curve(study, against)
    logs = np.log([labels_of(study, group) for group in curve])
    return {
        group[1]: float(np.interp(np.log(labels), logs, each))
        for group, each in zip(curve, np.eye(len(curve)), strict=True)
    }


def needed(study: Study, m: dict[str, Any], seeds: Sequence[int]) -> tuple[np.ndarray, float, np.ndarray]:
    """The sizes of the curve, N* of the means, and N* of each replicate [B]; infinite where censored."""
    own, curve = (m["arm"], m["size"]), _curve(study, m["against"])
    shared = study.seeds([own, *curve], seeds)
    sizes = np.array([labels_of(study, group) for group in curve], dtype=np.float64)
    means = [study.sign * study.score(group, study.test, shared).mean() for group in (*curve, own)]
    draws = np.stack([study.sign * study.replicates(group, study.test, shared) for group in (*curve, own)], axis=1)
    reached = np.array([_reach(sizes, isotonic(list(row[:-1])), row[-1]) for row in draws])
    return sizes, _reach(sizes, isotonic(means[:-1]), means[-1]), reached


def isotonic(values: list[float]) -> list[float]:
    """The non-decreasing least-squares fit, by pooling neighbours that violate the order."""
    blocks: list[list[float]] = []
    for value in values:
        blocks.append([float(value)])
        while len(blocks) > 1 and np.mean(blocks[-2]) > np.mean(blocks[-1]):
            blocks[-2:] = [blocks[-2] + blocks[-1]]
    return [float(np.mean(block)) for block in blocks for _ in block]


def _reach(sizes: np.ndarray, curve: Sequence[float], target: float) -> float:
    """The fewest labels at which a curve is at the target, linear in log N."""
    place = next((i for i, value in enumerate(curve) if value >= target), None)
    if place is None:
        return math.inf
    if place == 0:
        return float(sizes[0]) if curve[0] == target else -math.inf
    share = (target - curve[place - 1]) / (curve[place] - curve[place - 1])
    return float(sizes[place - 1] * (sizes[place] / sizes[place - 1]) ** share)


def percentiles(replicates: np.ndarray, level: float) -> tuple[float, float]:
    """The percentile interval, its ends rounded outwards to replicates."""
    ordered, tail = np.sort(replicates), (1 - level) / 2 * (len(replicates) - 1)
    return float(ordered[math.floor(tail + 1e-9)]), float(ordered[math.ceil(len(ordered) - 1 - tail - 1e-9)])


def multiplier(study: Study, m: dict[str, Any], level: float, seeds: Sequence[int]) -> Interval:
    """N* / n, a bound where it is censored."""
    sizes, labels, reached = needed(study, m, seeds)
    n = labels_of(study, (m["arm"], m["size"]))
    least, most = sizes[0] / n, sizes[-1] / n
    value = most if labels == math.inf else least if labels == -math.inf else labels / n
    low, high = percentiles(reached / n, level)
    low, high = 0.0 if low == -math.inf else min(low, most), least if high == -math.inf else high
    return value, min(low, value), math.inf if labels == math.inf else max(high, value)


def tested(study: Study, m: dict[str, Any], level: float, seeds: Sequence[int]) -> tuple[float, float]:
    """The lowest and the highest multiplier that tests at the sizes of the curve leave."""
    own, curve = (m["arm"], m["size"]), _curve(study, m["against"])
    shared, n, low, high = study.seeds([own, *curve], seeds), labels_of(study, own), 0.0, math.inf
    ends = [
        study.spread([(study.sign, own, study.test), (-study.sign, g, study.test)], shared).interval(level)[1:]
        for g in curve
    ]
    for group, (lowest, _) in zip(curve, ends, strict=True):
        if lowest <= 0:
            break
        low = labels_of(study, group) / n
    for group, (_, highest) in zip(curve[::-1], ends[::-1], strict=True):
        if highest >= 0:
            break
        high = labels_of(study, group) / n
    return low, high


def transferred(study: Study, law: dict[str, Any]) -> tuple[Interval, Interval]:
    """k and alpha of N* - n = k n^alpha."""
    if not law["k"]:
        return (math.nan,) * 3, (math.nan,) * 3
    rows = [(labels_of(study, group), *needed(study, {**law, "size": group[1]}, study.findings["seeds"])[1:])
            for group in _curve(study, law["arm"])]  # fmt: skip
    rows = [(n, labels, reached) for n, labels, reached in rows if n < labels < math.inf]
    n = np.array([row[0] for row in rows], dtype=np.float64)
    replicates = np.stack([row[2] for row in rows], axis=1)
    whole = (np.isfinite(replicates) & (replicates > n)).all(axis=1)
    slopes, factors = _power_law(n, np.vstack([[row[1] for row in rows], replicates[whole]]) - n)
    intervals = []
    for fitted, nothing in ((factors, (0.0, math.inf)), (slopes, (-math.inf, math.inf))):
        low, high = percentiles(fitted[1:], law["k"]["level"]) if whole.mean() >= 0.5 else nothing
        intervals.append((float(fitted[0]), min(low, float(fitted[0])), max(high, float(fitted[0]))))
    return intervals[0], intervals[1]


def _power_law(n: np.ndarray, amounts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    slopes, intercepts = np.polyfit(np.log(n), np.log(amounts).T, 1)
    return slopes, np.exp(intercepts)


def cost(
    study: Study, record: dict[str, Any], unit: str, target: float, level: float, seeds: Sequence[int]
) -> Interval:
    """The ratio against / arm of the cost to the target, whose ends the grid of evaluations widens."""
    groups = [(record[name], record["size"]) for name in ("arm", "against")]
    shared = study.seeds(groups, seeds)
    ours, theirs = (np.array([_arrival(study, c, unit, target) for c in study.of(g, shared)]) for g in groups)
    with np.errstate(divide="ignore"):
        least, most = np.log(theirs[:, 0]) - np.log(ours[:, 1]), np.log(theirs[:, 1]) - np.log(ours[:, 0])
    seen = [np.where(np.isinf(each[:, 1]), each[:, 0], each[:, 1]) for each in (ours, theirs)]
    up, down = np.isposinf(most).any(), np.isneginf(least).any()
    told = least if up and not down else most if down and not up else np.log(seen[1]) - np.log(seen[0])
    low = 0.0 if down or len(shared) < 2 else math.exp(least.mean() - Spread(least).half(1 - level))
    high = math.inf if up or len(shared) < 2 else math.exp(most.mean() + Spread(most).half(1 - level))
    return math.exp(told.mean()), low, high


def _arrival(study: Study, cell: dict[str, Any], unit: str, target: float) -> tuple[float, float]:
    """A run came to hold the target at a cost above the first number and up to the second."""
    points = cell["trajectory"]
    costs = cell["measured"]["trajectory_seconds"] if unit == "seconds" else [p[unit] for p in points]
    at = [study.sign * p["validation_score"] >= study.sign * target for p in points]
    solved = cell["start_line"]["method"] in SOLVED
    held = at if solved else [a and b for a, b in pairwise(at)]
    if not any(held):
        return float(costs[-1]), math.inf
    first = held.index(True)
    return float(costs[first - 1]) if first else 0.0, float(next((c for c in costs[first:] if c > 0), 1.0))


Weigh = Callable[[np.ndarray], np.ndarray]  # from the examples at each point of a trajectory, [T], to weights [T]


def at_point(place: int) -> Weigh:
    """The score at one point."""
    return lambda examples: np.eye(len(examples))[place]


def after(count: float) -> Weigh:
    """The score after so many examples, between two points or the last one."""
    return lambda x: np.array([np.interp(count, x, point) for point in np.eye(len(x))])


def area(end: float) -> Weigh:
    """The mean score over the first `end` examples."""

    def weigh(x: np.ndarray) -> np.ndarray:
        if end <= x[0]:
            return np.eye(len(x))[0]
        inside = np.append(x[x < end], end)
        return np.array([np.trapezoid(np.interp(inside, x, p), inside) for p in np.eye(len(x))]) / (end - x[0])

    return weigh


def read_off(study: Study, parts: Sequence[tuple[float, str, Weigh]], size: Any, seeds: Sequence[int]) -> Spread:
    """A signed sum of what is read off validation trajectories, with the part of the validation items if kept."""
    shared = study.seeds([(arm, size) for _, arm, _ in parts], seeds)
    read = [(sign, weigh, study.of((arm, size), shared)) for sign, arm, weigh in parts]
    values = np.sum([[s * weigh(_x(c)) @ _scores(c) for c in cells] for s, weigh, cells in read], axis=0)
    if any(cell["points"] is None for _, _, cells in read for cell in cells):
        return Spread(values)
    rows = np.sum([[s * _of_items(study, c, weigh(_x(c))) for c in cells] for s, weigh, cells in read], axis=0)
    name = study.validation
    return Spread(
        values, [study.item_part(rows, name) if study.is_mean(name) else drawn_part(rows.T, study.units(name))]
    )


def _x(cell: dict[str, Any]) -> np.ndarray:
    return np.array([point["examples"] for point in cell["trajectory"]], dtype=np.float64)


def _scores(cell: dict[str, Any]) -> np.ndarray:
    return np.array([point["validation_score"] for point in cell["trajectory"]])


def _of_items(study: Study, cell: dict[str, Any], weights: np.ndarray) -> np.ndarray:
    """A weighted sum of points for each validation item, [V]; of a metric that is no mean, for each draw, [B]."""
    points, items = cell["points"], len(study.labels[study.validation])
    packed = points.dtype == np.uint8 and points.shape[1] < items
    rows = np.unpackbits(points, axis=1, count=items) if packed else points
    if study.is_mean(study.validation):
        return weights @ rows.astype(np.float64)
    used = np.flatnonzero(weights)
    return study.metric_of(rows[used], study.weights(study.validation), study.validation) @ weights[used]


def horizon(study: Study, size: Any, seeds: Sequence[int]) -> int:
    """The examples that every run at this size saw, those aside that take no steps."""
    groups = [g for g in study.cells if g[1] == size and g[0] != RIVAL]
    cells = [cell for g in groups for cell in study.of(g, study.seeds([g], seeds))]
    stepping = [c for c in cells if c["start_line"]["method"] not in SOLVED]
    return min(c["trajectory"][-1]["examples"] for c in stepping or cells)
