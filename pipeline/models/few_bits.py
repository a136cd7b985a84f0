"""Weights in 8 or 4 bits, symmetric, with scales: what remains of them, and the bytes that they take."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Literal

import numpy as np
import torch
from torch.nn.functional import pad

from pipeline.models.logistic_regression import LinearModel

Bits = Literal[8, 4]
HIGHEST: Mapping[Bits, int] = {8: 127, 4: 7}  # signed; the lowest is its negative, so that 0 stays 0
BLOCK = 64  # neighbouring weights with one scale at 4 bits
_NOTHING = 1e-30  # where no weight is larger, all become 0: the inverse of the scale would be infinite


def in_bits(values: torch.Tensor, bits: Bits) -> tuple[torch.Tensor, int]:
    """Round a tensor to 8 bits with a scale for each row, or to 4 with one for each block of BLOCK weights.

    Vectors, which are biases and scales of norms, stay as they are: they are few, and sums depend on them.

    Args:
        values: float [N, ...], or a vector.
        bits: of each weight.

    Returns:
        The rounded values in float32, in the same shape, and the bytes that they take with their scales in float32.
    """
    if values.dim() < 2:
        return values, 4 * values.numel()
    weights = values.detach().float()
    sharing = weights.flatten(1) if bits == 8 else _blocks(weights.flatten())
    largest = sharing.abs().amax(dim=1)
    highest = HIGHEST[bits]
    scales = torch.where(largest > _NOTHING, largest / highest, 1.0)
    zeros = torch.zeros(len(sharing), dtype=torch.int32, device=sharing.device)
    rounded = torch.fake_quantize_per_channel_affine(sharing, scales, zeros, 0, -highest, highest)
    packed = (bits * values.numel() + 7) // 8
    return rounded.flatten()[: values.numel()].reshape(values.shape), packed + 4 * len(sharing)


def _blocks(weights: torch.Tensor) -> torch.Tensor:
    """All weights as [blocks, BLOCK]. The last block is filled up with zeros, which change no scale."""
    return pad(weights, (0, -len(weights) % BLOCK)).reshape(-1, BLOCK)


@contextmanager
def rounded(parameters: Mapping[str, torch.nn.Parameter], bits: Bits) -> Iterator[int]:
    """Parameters rounded to `bits` meanwhile; yields the bytes that they take. Their values are put back then."""
    kept = {name: parameter.detach().clone() for name, parameter in parameters.items()}
    try:
        total = 0
        with torch.no_grad():
            for parameter in parameters.values():
                values, size = in_bits(parameter, bits)
                parameter.copy_(values)
                total += size
        yield total
    finally:
        with torch.no_grad():
            for name, parameter in parameters.items():
                parameter.copy_(kept[name])


def rounded_model(model: LinearModel, bits: Bits) -> tuple[LinearModel, int]:
    """A linear model whose weights are rounded to `bits`, and the bytes that it takes with its bias."""
    weights, size = in_bits(torch.from_numpy(model.weights), bits)
    return LinearModel(weights=weights.numpy().astype(np.float64), bias=model.bias), size + 4 * len(model.bias)
