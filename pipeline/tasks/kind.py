"""What every task kind offers to data, models and training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, kw_only=True)
class Outputs:
    """Per-example outputs on one evaluation set of N items and C classes."""

    labels: np.ndarray  # int32 [N]
    predicted: np.ndarray  # int32 [N]
    scores: np.ndarray  # float32 [N]: the per-example score of the task's metric
    losses: np.ndarray  # float32 [N], nats
    probabilities: np.ndarray  # float32 [N, C]


class TaskKind(Protocol):
    """A task kind: how text becomes tensors, what is optimised and what is measured."""

    name: str
    metrics: tuple[str, ...]

    def encode(self, texts: list[str], tokenizer: Any, max_length: int) -> tuple[list[np.ndarray], int]:
        """Token ids (int32 [length]) of each text, special tokens included, and how many texts were truncated."""
        ...

    def collate(self, ids: Sequence[np.ndarray], labels: np.ndarray, *, pad_id: int) -> "dict[str, torch.Tensor]":
        """Model inputs padded to the longest of the batch, int64 [B, L], and "labels" int64 [B]."""
        ...

    def build(self, config: Any) -> Any:
        """A freshly initialised network for `config` (a Hugging Face configuration)."""
        ...

    def load(self, directory: str, config: Any) -> tuple[Any, Mapping[str, Any]]:
        """The network with a checkpoint's weights, float32, and the loader's account of missing and unexpected keys."""
        ...

    def losses(self, logits: "torch.Tensor", labels: "torch.Tensor") -> "torch.Tensor":
        """The loss of each example, float32 [B], nats."""
        ...

    def outputs(self, logits: np.ndarray, labels: np.ndarray) -> Outputs:
        """Per-example outputs from logits float32 [N, C] and labels [N]."""
        ...

    def measure(self, outputs: Outputs) -> dict[str, float]:
        """Every metric of `metrics` on one evaluation set, and "loss"."""
        ...

    def chance(self, labels: np.ndarray) -> float:
        """The score of always answering the most frequent class of `labels`."""
        ...
