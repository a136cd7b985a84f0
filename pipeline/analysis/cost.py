"""What it costs to reach a target stated beforehand, and the ratio of two arms' costs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

Censoring = Literal["none", "above", "below", "both"]
_CENSORED: dict[tuple[bool, bool], Censoring] = {(True, True): "both", (True, False): "above", (False, True): "below"}


@dataclass(frozen=True, kw_only=True)
class Reach:
    """A run comes to hold a target at a cost in (`after`, `until`]: between two points at which it was measured.

    `until` is infinite where the run ended before that.
    """

    after: float
    until: float

    @property
    def reached(self) -> bool:
        """Whether the run got there at all."""
        return math.isfinite(self.until)

    @property
    def measured(self) -> float:
        """The cost of the point at which it was seen there, or of the whole run that never was."""
        return self.until if self.reached else self.after


@dataclass(frozen=True, kw_only=True)
class CostRatio:
    """The geometric mean over seeds of against/arm, or of what bounds it.

    `censored` "above": the true ratio may be any larger, for `against` stopped before it arrived or `arm` was there
    before the first point; "below": any smaller; "both": seeds disagree on the side.
    """

    value: float
    low: float
    high: float
    censored: Censoring


def cost_to_target(
    scores: npt.NDArray[Any],
    costs: npt.NDArray[Any],
    target: float,
    *,
    higher_is_better: bool = True,
    solved: bool = False,
) -> Reach:
    """Where a trajectory [T] comes to hold the target: at the first of two consecutive points that are at it.

    A `solved` run has no point after its end, which is enough for it. At the target from the start on, a run got there
    at some cost up to that of its start, or of its first step where the start is free.
    """
    at = scores >= target if higher_is_better else scores <= target
    held = at if solved else at[:-1] & at[1:]
    if not held.any():
        return Reach(after=float(costs[-1]), until=math.inf)
    first = int(np.argmax(held))
    until = float(next((cost for cost in costs[first:] if cost > 0), 1.0))
    return Reach(after=float(costs[first - 1]) if first else 0.0, until=until)


def cost_ratio(arm: Sequence[Reach], against: Sequence[Reach], level: float) -> CostRatio:
    """Ratio of the costs of two arms over their seeds, whose runs come in the same order.

    The grid of measurements tells a cost only as lying between two points, so the interval's low end is Student's t
    interval of the smallest log ratios that the points allow, and the high end that of the largest: seeds that agree
    are no proof that the ratio is exactly the grid's. With one seed the interval is (0, inf).
    """
    logs = np.log([b.measured for b in against]) - np.log([a.measured for a in arm])
    with np.errstate(divide="ignore"):
        least = np.log([b.after for b in against]) - np.log([a.until for a in arm])
        most = np.log([b.until for b in against]) - np.log([a.after for a in arm])
    upwards, downwards = bool(np.isposinf(most).any()), bool(np.isneginf(least).any())
    censored = _CENSORED.get((upwards, downwards), "none")
    told = {"above": least, "below": most}.get(censored, logs)
    return CostRatio(
        value=_exp(float(told.mean())),
        low=0.0 if downwards or len(logs) < 2 else _exp(float(least.mean()) - _half(least, level)),
        high=math.inf if upwards or len(logs) < 2 else _exp(float(most.mean()) + _half(most, level)),
        censored=censored,
    )


def _half(logs: npt.NDArray[np.float64], level: float) -> float:
    seeds = len(logs)
    return float(stdtrit(seeds - 1, 0.5 + level / 2.0)) * math.sqrt(float(logs.var(ddof=1)) / seeds)


def _exp(power: float) -> float:
    """The exponential in twelve digits, so that a ratio of exactly 2 stays 2 on its way through the logarithm."""
    return float(f"{math.exp(power):.12g}")
