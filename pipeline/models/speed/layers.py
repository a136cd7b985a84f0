"""What can be done with a network's layers, as transformers has them: compute them again, compile them."""

from typing import Any

from pipeline.errors import BaseModelError
from pipeline.models.adapters import without_adapters

_FORMS = 64  # of one function, in which all layers of an architecture meet: first, last, masked or not, lengths open


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


def compile_layers(model: Any) -> None:
    """Let each layer be compiled as it is first trained; parameters and their names stay.

    Layer by layer, since all of a kind share what is compiled for the first of them: some seconds, and again where
    lengths change for the first time, which are left open from then on. The whole would take a minute.
    """
    import torch
    from transformers.modeling_layers import GradientCheckpointingLayer

    torch._dynamo.config.recompile_limit = _FORMS
    for module in model.modules():
        if isinstance(module, GradientCheckpointingLayer):
            module.compile()
