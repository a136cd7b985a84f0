"""What this machine has, and what a hardware preset makes of it."""

from pipeline.hardware.resolve import Resolved, at_most, resolve

__all__ = ["Resolved", "at_most", "resolve"]
