"""Compiling a network, layer by layer."""

from typing import Any

_FORMS = 64  # of one function, in which all layers of an architecture meet: first, last, masked or not, lengths open


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
