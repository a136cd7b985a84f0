"""A trained cell with the weights that it adds to its base in 8 or 4 bits."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pipeline.data.sets import EncodedSet
from pipeline.models.build import Network
from pipeline.models.few_bits import Bits, rounded, rounded_model
from pipeline.models.logistic_regression import LinearModel


@dataclass(frozen=True, kw_only=True)
class Rounded:
    """`stored_bytes` are those of its own weights in float32; `outputs` gives what it answers to a set once they are
    rounded, and the bytes that they take then.
    """

    stored_bytes: int
    outputs: Callable[[EncodedSet, Bits], tuple[Any, int]]


def of_network(network: Network, measure: Callable[[EncodedSet, None], Any]) -> Rounded:
    """Of a network, whose outputs `measure` gives."""

    def outputs(encoded: EncodedSet, bits: Bits) -> tuple[Any, int]:
        with rounded(network.own(), bits) as size:
            return measure(encoded, None), size

    return Rounded(stored_bytes=network.stored_bytes, outputs=outputs)


def of_linear(model: LinearModel, measure: Callable[[LinearModel, EncodedSet, None], Any]) -> Rounded:
    """Of a linear model, on features that stay as they are."""

    def outputs(encoded: EncodedSet, bits: Bits) -> tuple[Any, int]:
        small, size = rounded_model(model, bits)
        return measure(small, encoded, None), size

    return Rounded(stored_bytes=4 * (model.weights.size + model.bias.size), outputs=outputs)
