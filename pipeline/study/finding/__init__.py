"""From finished cells to findings: scores, contrasts, multipliers, costs, and a verdict on every claim."""

from pipeline.study.finding.find import find

__all__ = ["find"]
