"""`doctor`: what is here, what was chosen and why, and what is wrong."""

from collections.abc import Sequence

from pipeline.config.compose import compose
from pipeline.doctor import doctor


def run(overrides: Sequence[str]) -> int:
    """Print the examination; 1 if something is wrong."""
    return doctor(compose(overrides))
