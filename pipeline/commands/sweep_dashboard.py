"""`sweep-dashboard`: Optuna's dashboard on this machine, until Ctrl-C."""

from collections.abc import Sequence
from pathlib import Path

from pipeline.config.compose import compose


def run(overrides: Sequence[str]) -> int:
    """Start it and print the address of every sweep."""
    from pipeline.sweep.dashboard import serve

    config = compose(overrides)
    serve(config.sweep, Path(config.paths.root))
    return 0
