"""`sweep-dashboard`: Optuna's dashboard on this machine, until Ctrl-C."""

from collections.abc import Sequence
from pathlib import Path

from pipeline.config.compose import compose
from pipeline.sweep.dashboard import serve


def run(overrides: Sequence[str]) -> int:
    """Start it and print the address of every sweep."""
    config = compose(overrides)
    serve(config.sweep, Path(config.paths.root))
    return 0
