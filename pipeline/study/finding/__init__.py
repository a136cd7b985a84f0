"""From finished cells to findings: scores, contrasts, multipliers, costs, and a verdict on every claim."""

from pipeline.study.finding.find import Basis, find

__all__ = ["Basis", "find"]
