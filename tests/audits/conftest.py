"""Fixtures of tests on audits."""

from tests.tiny import reviews, tiny_base

__all__ = ["reviews", "tiny_base"]
