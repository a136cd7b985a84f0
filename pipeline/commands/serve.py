"""`serve`: the champion of a registered model over HTTP on this machine, until Ctrl-C."""

from collections.abc import Sequence

from pipeline.commands.steps.registering import named, serving, store_for_models
from pipeline.config.compose import compose


def run(overrides: Sequence[str]) -> int:
    """Start it and print how it is asked."""
    config = compose(overrides, trained=True)
    name, store = named(config), store_for_models(config)

    from pipeline.tracking.serving import serve

    serve(store, name, config.serve.port, f"{serving(store, name)} ")
    return 0
