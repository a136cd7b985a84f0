"""`services`: MLflow on PostgreSQL on this machine, until Ctrl-C."""

from collections.abc import Sequence
from pathlib import Path

from pipeline.config.compose import compose
from pipeline.tracking.services import serve


def run(overrides: Sequence[str]) -> int:
    """Start both and print how studies and sweeps use them."""
    config = compose(overrides)
    serve(config.tracking, Path(config.paths.root))
    return 0
