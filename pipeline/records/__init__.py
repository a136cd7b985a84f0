"""Frozen records that travel between the layers, with a strict JSON round trip."""

from pipeline.records.codec import decode, encode, from_json, to_json
from pipeline.records.findings import (
    ArmCost,
    ArmScore,
    Contrast,
    CostToTarget,
    EarlyAccuracy,
    Estimate,
    FailedCell,
    Findings,
    Gap,
    Multiplier,
    Transferred,
    Verdict,
)
from pipeline.records.result import (
    SCORES_DTYPE,
    CellKey,
    CellResult,
    Cost,
    Evaluation,
    Measured,
    StartLine,
    TrajectoryPoint,
)
from pipeline.records.sweep import SweepRecord, TrialRecord

__all__ = [
    "SCORES_DTYPE",
    "ArmCost",
    "ArmScore",
    "CellKey",
    "CellResult",
    "Contrast",
    "Cost",
    "CostToTarget",
    "EarlyAccuracy",
    "Estimate",
    "Evaluation",
    "FailedCell",
    "Findings",
    "Gap",
    "Measured",
    "Multiplier",
    "StartLine",
    "SweepRecord",
    "TrajectoryPoint",
    "Transferred",
    "TrialRecord",
    "Verdict",
    "decode",
    "encode",
    "from_json",
    "to_json",
]
