"""Floating-point operations of a training step and of a forward pass, counted by torch on tensors without content."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.config.cell import Cell
from pipeline.models.adapters import add_adapters
from pipeline.models.narrow import narrow
from pipeline.tasks import kind, probe
from pipeline.tasks.decoding import is_encoder

_LENGTHS = (22, 42, 62)  # at which what a kind reads of a text is a whole share of it


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
    """Count for the arm's network: what is frozen has no backward pass, adapters have their own cost."""
    counts = [_count(cell, config, length) for length in _LENGTHS]
    forward, train = (_coefficients(values) for values in zip(*counts, strict=True))
    return Flops(train=train, forward=forward)


def _count(cell: Cell, config: Any, length: int) -> tuple[int, int]:
    """Of a forward pass, and of one with the backward pass after it."""
    from torch.utils.flop_counter import FlopCounterMode

    task = kind(cell.task.kind)
    model = _weightless(cell, config)
    batch: dict[str, Any] = {name: values.to("meta") for name, values in probe(task, length).items()}
    counter = FlopCounterMode(display=False)
    with counter:
        if is_encoder(config):  # which would look for padding in a mask that has no content
            batch["attention_mask"] = None
        logits = task.forward(model, batch)
        forward = counter.get_total_flops()
        logits.sum().backward()  # type: ignore[no-untyped-call]
    return forward, counter.get_total_flops()


def _weightless(cell: Cell, config: Any) -> Any:
    """The arm's network on torch's meta device, with attention written out so that every product is counted."""
    import copy

    import torch

    plain = copy.deepcopy(config)
    plain._attn_implementation = "eager"
    with torch.device("meta"):
        model = kind(cell.task.kind).build(plain)
        if cell.method.adapts:
            model = add_adapters(model, cell.arm.lora, kind(cell.task.kind))
    narrow(model)
    plain.pad_token_id = None  # else some models look for padding, and there is no content to look at
    if cell.method.solved:
        getattr(model, model.base_model_prefix).requires_grad_(False)
    return model


def _coefficients(values: Sequence[float]) -> tuple[float, float, float]:
    vandermonde = np.vander(np.array(_LENGTHS, dtype=float), 3, increasing=True)
    c0, c1, c2 = np.linalg.solve(vandermonde, np.array(values))
    return float(round(c0)), float(round(c1)), float(round(c2))


def _evaluate(coefficients: tuple[float, float, float], length: int) -> float:
    c0, c1, c2 = coefficients
    return c0 + c1 * length + c2 * length * length
