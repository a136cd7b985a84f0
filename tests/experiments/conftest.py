"""The tiny base and its data, for every test here."""

from tests.tiny import reviews, tiny_base

__all__ = ["reviews", "tiny_base"]
