"""Weights in 8 bits, symmetric, with a scale for each output: what remains of them, and the bytes that they take."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import torch

from pipeline.models.logistic_regression import LinearModel

HIGHEST = 127  # of a signed byte; the lowest is its negative, so that 0 stays 0
_NOTHING = 1e-30  # a row without a larger weight becomes 0: the inverse of its scale would be infinite


def in_eight_bits(values: torch.Tensor) -> tuple[torch.Tensor, int]:
    """A tensor rounded to 8 bits, in float32, and the bytes that it takes with its scales.

    Vectors, which are biases and scales of norms, stay as they are: they are few, and sums depend on them.
    """
    if values.dim() < 2:
        return values, 4 * values.numel()
    rows = values.detach().float()
    largest = rows.abs().flatten(1).amax(dim=1)
    scales = torch.where(largest > _NOTHING, largest / HIGHEST, 1.0)
    zeros = torch.zeros(len(rows), dtype=torch.int32, device=rows.device)
    rounded = torch.fake_quantize_per_channel_affine(rows, scales, zeros, 0, -HIGHEST, HIGHEST)
    return rounded, values.numel() + 4 * len(rows)


@contextmanager
def rounded(parameters: Mapping[str, torch.nn.Parameter]) -> Iterator[int]:
    """Parameters rounded to 8 bits meanwhile; yields the bytes that they take. Their values are put back then."""
    kept = {name: parameter.detach().clone() for name, parameter in parameters.items()}
    try:
        total = 0
        with torch.no_grad():
            for parameter in parameters.values():
                values, size = in_eight_bits(parameter)
                parameter.copy_(values)
                total += size
        yield total
    finally:
        with torch.no_grad():
            for name, parameter in parameters.items():
                parameter.copy_(kept[name])


def rounded_model(model: LinearModel) -> tuple[LinearModel, int]:
    """A linear model whose weights are rounded to 8 bits, and the bytes that it takes with its bias."""
    weights, size = in_eight_bits(torch.from_numpy(model.weights))
    return LinearModel(weights=weights.numpy().astype(np.float64), bias=model.bias), size + 4 * len(model.bias)
