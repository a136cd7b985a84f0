"""The tiny base and its data, and the helpers of the tests of training."""

import sys
from pathlib import Path

from tests.tiny import reviews, tiny_base

sys.path.insert(0, str(Path(__file__).parents[1] / "training"))

__all__ = ["reviews", "tiny_base"]
