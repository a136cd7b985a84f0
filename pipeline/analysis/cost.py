"""What it costs to reach a target stated beforehand, and the ratio of two arms' costs."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

# Of a log ratio of two costs, each known to lie somewhere within a doubling, as the evaluation grid has it at first.
GRID_VARIANCE = 2 * math.log(2) ** 2 / 12

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class CostRatio:
    """The geometric mean over seeds of against/arm. `bound` is "", "above", "below" or "unknown".

    "above": the true ratio is larger than `value`, for `against` stopped before it arrived or `arm` was there at once;
    "below": smaller; "unknown": seeds disagree on the side, and the interval is (0, inf). `log_variance` is the
    variance of one seed's log ratio.
    """

    value: float
    low: float
    high: float
    bound: str
    log_variance: float


def cost_to_target(
    scores: npt.NDArray[Any], costs: npt.NDArray[Any], target: float, *, higher_is_better: bool = True
) -> tuple[float, bool]:
    """The cost [T] at the first of two consecutive points of a trajectory [T] at the target, and True.

    A run that never holds the target over two points is censored: its total cost, and False.
    """
    at = scores >= target if higher_is_better else scores <= target
    held = at[:-1] & at[1:]
    return (float(costs[np.argmax(held)]), True) if held.any() else (float(costs[-1]), False)


def cost_ratio(
    arm: Floats, arm_reached: Flags, against: Floats, against_reached: Flags, resolution: Floats, level: float
) -> CostRatio:
    """Ratio of the costs [S] of two arms over their seeds: geometric mean, Student's t interval of the log ratios.

    `resolution` [S] is the first grid point after the start: a run at the target from the start costs less than that,
    so it is set to it and the ratio becomes a bound, as it does where a run is censored. Seeds of a bound then vary by
    GRID_VARIANCE at least. With one seed the interval is (0, inf).
    """
    logs = np.log(np.maximum(against, resolution)) - np.log(np.maximum(arm, resolution))
    upwards = bool(np.any(~against_reached | (arm < resolution)))
    downwards = bool(np.any(~arm_reached | (against < resolution)))
    bound = {(True, True): "unknown", (True, False): "above", (False, True): "below"}.get((upwards, downwards), "")
    mean, spread = float(logs.mean()), float(logs.var(ddof=1)) if len(logs) > 1 else math.inf
    if bound:  # runs that are cut off at one budget all look alike
        spread = max(spread, GRID_VARIANCE)
    half = (
        float(stdtrit(len(logs) - 1, 0.5 + level / 2.0)) * math.sqrt(spread / len(logs)) if len(logs) > 1 else math.inf
    )
    return CostRatio(
        value=_exp(mean),
        low=0.0 if downwards else _exp(mean - half),
        high=math.inf if upwards else _exp(mean + half),
        bound=bound,
        log_variance=spread,
    )


def _exp(power: float) -> float:
    """The exponential in twelve digits, so that a ratio of exactly 2 stays 2 on its way through the logarithm."""
    return float(f"{math.exp(power):.12g}")
