"""The libraries that take part in a training."""

import importlib.metadata

_LIBRARIES = ("torch", "transformers", "pytorch-lightning", "peft", "datasets", "numpy")


def versions() -> dict[str, str]:
    """Their versions here."""
    return {name: importlib.metadata.version(name) for name in _LIBRARIES}
