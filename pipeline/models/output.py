"""A network's output layer, and its products in float32 where answers are read.

Under autocast a linear layer returns bfloat16, three digits: different logits become equal, and rounding decides which
of two classes is likelier. The last product is small beside the network, so evaluation computes it in float32.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch

from pipeline.models.adapters import without_adapters


def output_layers(model: Any) -> list[Any]:
    """Return the layers that compute the logits: a language model's decoder, or a head's layers with an output a label.

    With adapters a head can be there twice, the trained one last.
    """
    plain = without_adapters(model)
    decoder = plain.get_output_embeddings() if hasattr(plain, "get_output_embeddings") else None
    if decoder is not None:
        return [decoder]
    base = getattr(plain, plain.base_model_prefix, None)
    of_base = set() if base is None else set(base.modules())
    outside = [m for m in plain.modules() if m not in of_base and isinstance(m, torch.nn.Linear)]
    return [m for m in outside if m.out_features == plain.config.num_labels]


@contextmanager
def float32_output(model: Any) -> Iterator[None]:
    """Compute the output layers of `model` in float32 meanwhile, whatever precision the rest is computed in."""
    layers = [(layer, layer.__dict__.get("forward")) for layer in output_layers(model)]
    for layer, _ in layers:
        layer.forward = partial(_in_float32, layer.forward)
    try:
        yield
    finally:
        for layer, own in layers:
            if own is None:
                del layer.forward
            else:
                layer.forward = own


def _in_float32(forward: Any, hidden: torch.Tensor, *others: Any, **named: Any) -> Any:
    with torch.autocast(hidden.device.type, enabled=False):
        return forward(hidden.float(), *others, **named)
