"""Findings become figures, one HTML page, Markdown and model cards."""

from pipeline.report.about import About, BaseFacts
from pipeline.report.build import save_png, write_report
from pipeline.report.card import model_card

__all__ = ["About", "BaseFacts", "model_card", "save_png", "write_report"]
