"""`dashboard`: MLflow on this machine, until Ctrl-C."""

from collections.abc import Sequence
from pathlib import Path

from pipeline.config.compose import compose
from pipeline.config.privacy import may_show_texts
from pipeline.tracking.dashboard import serve


def run(overrides: Sequence[str]) -> int:
    """Start it and print its links."""
    config = compose(overrides)
    serve(config.tracking, Path(config.paths.root), texts=may_show_texts(config))
    return 0
