"""Floating-point operations of a training step and of a forward pass, counted by torch, where it can be on tensors
without content."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.config.cell import Cell
from pipeline.errors import BaseModelError, first_line
from pipeline.models.adapters import add_adapters
from pipeline.models.speed.first_position import narrow
from pipeline.tasks import kind, probe
from pipeline.tasks.heads.decoding import is_encoder

_LENGTHS = (22, 42, 62)  # at which what a kind reads of a text is a whole share of it
_WHOLE = (512, 1024, 1536)  # multiples of the chunks that texts are cut into
_FAILURES = (RuntimeError, ValueError, TypeError, AttributeError, LookupError, AssertionError)


@dataclass(frozen=True, kw_only=True)
class Flops:
    """FLOPs of one example as a quadratic of its length, 2 per multiply-add: c0 + c1 L + c2 L^2.

    A transformer's cost is exactly such a quadratic: projections are linear in length, attention is quadratic.
    """

    train: tuple[float, float, float]
    forward: tuple[float, float, float]

    def training(self, examples: int, length: int) -> float:
        """Of one forward and backward pass over `examples` of `length` tokens."""
        return examples * _evaluate(self.train, length)

    def inference(self, examples: int, length: int) -> float:
        """Of one forward pass."""
        return examples * _evaluate(self.forward, length)


def count(cell: Cell, config: Any) -> Flops:
    """Count for the arm's network: what is frozen has no backward pass, adapters have their own cost.

    Raises:
        BaseModelError: the network cannot be counted.
    """
    try:
        return _fitted(_network(cell, config, "meta"), cell, config, _LENGTHS)
    except _FAILURES:  # it decides by its values what it computes, and tensors without content have none
        pass
    try:
        return _on_processor(cell, config)
    except _FAILURES as error:
        raise BaseModelError(
            f"The FLOPs of base {cell.base.name!r} ({config.model_type}), by which arms are compared, cannot be "
            f"counted: {first_line(error)}. Use another base."
        ) from error


def _on_processor(cell: Cell, config: Any) -> Flops:
    """Count with weights, drawn at random.

    Networks that cut a text into chunks fill up the last one, so they are counted at lengths without such padding.
    """
    network = _network(cell, config, "cpu")
    fitted = _fitted(network, cell, config, _LENGTHS)
    try:
        forward, _ = _count(network, cell, config, _WHOLE[0])
    except _FAILURES:  # it takes no text of this length
        return fitted
    if math.isclose(forward, fitted.inference(1, _WHOLE[0]), rel_tol=0.01):
        return fitted
    return _fitted(network, cell, config, _WHOLE)


def _fitted(network: Any, cell: Cell, config: Any, lengths: Sequence[int]) -> Flops:
    counts = [_count(network, cell, config, length) for length in lengths]
    forward, train = (_coefficients(lengths, values) for values in zip(*counts, strict=True))
    return Flops(train=train, forward=forward)


def _count(network: Any, cell: Cell, config: Any, length: int) -> tuple[int, int]:
    """Of a forward pass, and of one with the backward pass after it."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    task, device = kind(cell.task.kind), next(network.parameters()).device
    batch: dict[str, Any] = {name: values.to(device) for name, values in probe(task, length).items()}
    counter = FlopCounterMode(
        display=False, custom_mapping={torch.ops.aten.convolution_backward: _convolution_backward}
    )
    with counter:
        if is_encoder(config):  # which would look for padding in a mask that has no content
            batch["attention_mask"] = None
        logits = task.forward(network, batch)
        forward = counter.get_total_flops()
        logits.sum().backward()  # type: ignore[no-untyped-call]
    network.zero_grad()
    return forward, counter.get_total_flops()


def _convolution_backward(
    outputs: Any, inputs: Any, weights: Any, *settings: Any, out_shape: Any = None, **more: Any
) -> int:
    """Twice the forward pass, or once where only inputs or weights have a gradient. torch leaves out the groups."""
    from torch.utils.flop_counter import conv_flop_count

    transposed, wanted = settings[4], settings[7]
    return int(conv_flop_count(inputs, weights, outputs, transposed=transposed) * sum(wanted[:2]))


def _network(cell: Cell, config: Any, device: str) -> Any:
    """The arm's network on this torch device, with attention and experts written out so that every product counts."""
    import copy

    import torch

    plain = copy.deepcopy(config)
    plain._attn_implementation = "eager"
    plain._experts_implementation = "eager"
    with torch.device(device):
        model = kind(cell.task.kind).build(plain)
        if cell.method.adapts:
            model = add_adapters(model, cell.arm.lora, kind(cell.task.kind))
    narrow(model)
    if device == "meta":
        vars(plain)["pad_token_id"] = None  # else some look for padding, and there is no content to look at
    if cell.method.solved:
        getattr(model, model.base_model_prefix).requires_grad_(False)
    return model


def _coefficients(lengths: Sequence[int], values: Sequence[float]) -> tuple[float, float, float]:
    vandermonde = np.vander(np.array(lengths, dtype=float), 3, increasing=True)
    c0, c1, c2 = np.linalg.solve(vandermonde, np.array(values))
    return float(round(c0)), float(round(c1)), float(round(c2))


def _evaluate(coefficients: tuple[float, float, float], length: int) -> float:
    c0, c1, c2 = coefficients
    return c0 + c1 * length + c2 * length * length
