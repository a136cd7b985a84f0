"""`register`: a trained cell as a version of a model in MLflow's registry, with the alias `champion`."""

from collections.abc import Sequence

from pipeline.commands.steps.registering import named, register, store_for_models
from pipeline.commands.steps.trained import trained_cell
from pipeline.config.compose import compose


def run(overrides: Sequence[str]) -> int:
    """Register the cell, check what the registered model answers, and say how it is served."""
    config = compose(overrides, trained=True)
    name, store, trained = named(config), store_for_models(config), trained_cell(config)

    from pipeline.tracking.registry import Registry

    registered = register(Registry(store), name, trained, config, {})
    print("\n".join(registered.sentences(trained, store)))
    return 0
