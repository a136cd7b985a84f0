"""Gradient checkpointing: layers are computed again in the backward pass instead of what they made being kept."""

from typing import Any

from pipeline.errors import BaseModelError
from pipeline.models.adapters import without_adapters


def checkpoint_gradients(model: Any) -> None:
    """Let layers be computed again in the backward pass, to the same bits, instead of what they made being kept.

    Raises:
        BaseModelError: the architecture cannot.
    """
    plain = without_adapters(model)
    if not can_checkpoint_gradients(model):
        raise BaseModelError(
            f"{type(plain).__name__} cannot compute its layers again: leave out hardware.gradient_checkpointing."
        )
    plain.activation_checkpointing_enable(activation_checkpointing_kwargs={"use_reentrant": False})


def can_checkpoint_gradients(model: Any) -> bool:
    """Whether `checkpoint_gradients` is for this architecture."""
    return bool(without_adapters(model).supports_gradient_checkpointing)
