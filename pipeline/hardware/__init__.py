"""What this machine has, and what a hardware preset makes of it."""

from pipeline.hardware.resolve import Resolved, resolve

__all__ = ["Resolved", "resolve"]
