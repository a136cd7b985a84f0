"""From an interval to a judgement, for each test that a claim may ask for."""

import dataclasses
import math

from pipeline.analysis.verdict import REFUTED, judge, judge_within, refutation
from pipeline.records import Estimate, Judgement, Refutation, Verdict
from pipeline.records.metrics import MULTIPLIERS, RATIOS


def judged(measured: Verdict, estimate: Estimate) -> tuple[Judgement, Refutation | None]:
    """The verdict that `estimate` gives on the claim of `measured`, and how it fails if it is refuted."""
    low, high = _on_scale(measured, estimate)
    if measured.test == "equivalent":
        verdict = judge_within(low, high, measured.margin or 0.0)
    else:
        verdict = judge(low, high, threshold(measured))
    return verdict, _refutation(measured, high) if verdict == REFUTED else None


def undone(measured: Verdict, low: float, high: float) -> bool:
    """Whether the verdict is another one, or fails in another way, if the interval reaches from `low` to `high`."""
    estimate = measured.estimate
    assert estimate is not None
    return judged(measured, dataclasses.replace(estimate, low=low, high=high)) != judged(measured, estimate)


def _refutation(measured: Verdict, high: float) -> Refutation:
    if measured.test == "superior":
        # Of a multiplier that is refuted all that is known is that it is below delta.
        return "too_small" if measured.metric in MULTIPLIERS else refutation(high)
    return "inferior" if measured.test == "not_inferior" else "different"


def signed(measured: Verdict, value: float) -> float:
    """An effect in the claim's direction."""
    return -value if measured.direction == "lower" else value


def threshold(measured: Verdict) -> float:
    """What the effect is compared with on that scale."""
    if measured.metric not in RATIOS:
        return measured.threshold
    delta = math.log(measured.delta)
    return abs(delta) if measured.direction == "lower" else delta  # "lower, 2" and "lower, 0.5" both ask for a half


def _on_scale(measured: Verdict, estimate: Estimate) -> tuple[float, float]:
    """The interval's ends as they are judged: in the claim's direction, those of ratios as logarithms."""
    ends = estimate.low, estimate.high
    low, high = (_log(end) for end in ends) if measured.metric in RATIOS else ends
    return (-high, -low) if measured.direction == "lower" else (low, high)


def _log(value: float) -> float:
    return -math.inf if value <= 0 else math.log(value)
