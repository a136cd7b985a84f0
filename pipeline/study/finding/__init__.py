"""From finished cells to findings: scores, contrasts, multipliers, costs, and a verdict on every claim."""

from pipeline.study.finding.findings import Basis, find

__all__ = ["Basis", "find"]
