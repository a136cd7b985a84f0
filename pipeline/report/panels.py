"""What a figure shows, as plain records: computed in `figure_data.py`, drawn in `drawing.py`."""

import math
from dataclasses import dataclass


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
class CurvePanel:
    """Learning curves on one evaluation set; `low` and `high` bound the score axis, alike in all panels."""

    title: str
    metric: str
    counted: str  # what the sizes are numbers of
    curves: tuple[Curve, ...]
    ticks: tuple[Tick, ...]
    chance: float | None
    low: float
    high: float


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
class TrackPanel:
    """Trajectories at one train size; `target` is the score that cost to target refers to."""

    title: str
    metric: str
    tracks: tuple[Track, ...]
    target: float | None
    low: float
    high: float
    most_examples: float


@dataclass(frozen=True, kw_only=True)
class RatioRow:
    """A ratio with its interval, infinite ends censored. `bound` is ">" or "<" where the value itself is a bound.

    `floor` and `ceiling` bound what could be measured.
    """

    label: str
    value: float
    low: float
    high: float
    text: str
    is_bound: bool = False
    floor: float = 0.0
    ceiling: float = math.inf


@dataclass(frozen=True, kw_only=True)
class RatioPanel:
    """Ratios of one pair of arms, one row a size, on a logarithmic axis from `low` to `high` alike in all panels."""

    title: str
    arm: str
    rows: tuple[RatioRow, ...]
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class EarlyRow:
    """An arm before training and after a few examples, with the interval of the latter."""

    arm: str
    start: float
    early: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class EarlyPanel:
    """Early accuracy at one train size; `low` and `high` bound the score axis, alike in all panels."""

    title: str
    metric: str
    rows: tuple[EarlyRow, ...]
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class HistoryPanel:
    """What each trial came to, in the order of their numbers, and the best until then."""

    title: str
    metric: str
    arm: str
    numbers: tuple[int, ...]
    values: tuple[float, ...]
    best: tuple[float, ...]
    pruned: tuple[int, ...]
    failed: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class ReportsPanel:
    """What trials had come to on their way: one path a trial, by training examples or by seeds."""

    title: str
    metric: str
    arm: str
    across: str
    paths: tuple[tuple[tuple[float, ...], tuple[float, ...], str], ...]  # places, values, the trial's state


@dataclass(frozen=True, kw_only=True)
class BarsPanel:
    """Shares of a whole, largest first."""

    title: str
    arm: str
    names: tuple[str, ...]
    shares: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class SlicePanel:
    """What trials came to against one setting. Where it is a choice, `names` are its values and `places` count them."""

    title: str
    metric: str
    arm: str
    places: tuple[float, ...]
    values: tuple[float, ...]
    best: tuple[bool, ...]
    names: tuple[str, ...]
    logarithmic: bool


@dataclass(frozen=True, kw_only=True)
class Upright:
    """One axis of parallel coordinates: what stands at its foot, at its head, and the settings' name."""

    name: str
    foot: str
    head: str


@dataclass(frozen=True, kw_only=True)
class ParallelPanel:
    """Trials as lines across their settings, bold where `best`; `lines` hold places from 0 to 1, the score's last."""

    title: str
    arm: str
    uprights: tuple[Upright, ...]
    lines: tuple[tuple[float, ...], ...]
    best: tuple[bool, ...]


@dataclass(frozen=True, kw_only=True)
class TuningPanel:
    """The best validation score of each arm against trials; `low` and `high` bound the score axis in all panels."""

    title: str
    metric: str
    lines: tuple[tuple[str, tuple[float, ...]], ...]  # arm, best after 1, 2, ... trials
    low: float
    high: float


SweepPanel = TuningPanel | HistoryPanel | ReportsPanel | BarsPanel | SlicePanel | ParallelPanel
Panel = CurvePanel | TrackPanel | RatioPanel | EarlyPanel | SweepPanel
