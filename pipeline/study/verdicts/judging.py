"""From an interval to a judgement, for each test that a claim may ask for."""

import dataclasses

from pipeline.analysis.verdict import REFUTED, judge, judge_within, refutation
from pipeline.records import Estimate, Judgement, Refutation, Verdict
from pipeline.records.metrics import MULTIPLIERS


def judged(measured: Verdict, estimate: Estimate) -> tuple[Judgement, Refutation | None]:
    """The verdict that `estimate` gives on the claim of `measured`, and how it fails if it is refuted."""
    low, high = _in_direction(measured, estimate)
    if measured.test == "equivalent":
        verdict = judge_within(low, high, measured.margin or 0.0)
    else:
        verdict = judge(low, high, measured.threshold)
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


def _in_direction(measured: Verdict, estimate: Estimate) -> tuple[float, float]:
    """The interval's ends in the claim's direction."""
    low, high = estimate.low, estimate.high
    return (-high, -low) if measured.direction == "lower" else (low, high)
