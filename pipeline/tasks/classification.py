"""Text classification: one label a text, any number of classes."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.analysis.metrics import accuracy, macro_f1
from pipeline.tasks.kind import Outputs

if TYPE_CHECKING:
    import torch


class Classification:
    """Cross-entropy over classes; the per-example score is 1 where the answer is right."""

    name: str = "classification"
    metrics: tuple[str, ...] = ("accuracy", "macro_f1")

    def encode(self, texts: list[str], tokenizer: Any, max_length: int) -> tuple[list[np.ndarray], int]:
        """See TaskKind. A text counts as truncated when its tokens do not all fit."""
        if not texts:
            return [], 0
        encoded = tokenizer(texts, truncation=True, max_length=max_length, return_overflowing_tokens=False)
        ids = [np.asarray(row, dtype=np.int32) for row in encoded["input_ids"]]
        full = [i for i, row in enumerate(ids) if len(row) >= max_length]
        return ids, sum(self._overflows(texts[i], tokenizer, max_length) for i in full)

    def _overflows(self, text: str, tokenizer: Any, max_length: int) -> bool:
        return len(tokenizer(text, verbose=False)["input_ids"]) > max_length

    def collate(self, ids: Sequence[np.ndarray], labels: np.ndarray, *, pad_id: int) -> "dict[str, torch.Tensor]":
        """See TaskKind."""
        import torch

        longest = max(len(row) for row in ids)
        tokens = np.full((len(ids), longest), pad_id, dtype=np.int64)
        mask = np.zeros((len(ids), longest), dtype=np.int64)
        for i, row in enumerate(ids):
            tokens[i, : len(row)] = row
            mask[i, : len(row)] = 1
        return {
            "input_ids": torch.from_numpy(tokens),
            "attention_mask": torch.from_numpy(mask),
            "labels": torch.from_numpy(np.asarray(labels, dtype=np.int64)),
        }

    def build(self, config: Any) -> Any:
        """See TaskKind."""
        from transformers import AutoModelForSequenceClassification

        return AutoModelForSequenceClassification.from_config(config, trust_remote_code=False)

    def load(self, directory: str, config: Any) -> tuple[Any, Mapping[str, Any]]:
        """See TaskKind."""
        import torch
        from transformers import AutoModelForSequenceClassification

        model, info = AutoModelForSequenceClassification.from_pretrained(
            directory,
            config=config,
            dtype=torch.float32,
            use_safetensors=True,
            trust_remote_code=False,
            local_files_only=True,
            output_loading_info=True,
        )
        return model, info

    def losses(self, logits: "torch.Tensor", labels: "torch.Tensor") -> "torch.Tensor":
        """See TaskKind."""
        import torch

        return torch.nn.functional.cross_entropy(logits.float(), labels, reduction="none")

    def outputs(self, logits: np.ndarray, labels: np.ndarray) -> Outputs:
        """See TaskKind."""
        shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
        log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        predicted = logits.argmax(axis=1)
        return Outputs(
            labels=labels.astype(np.int32),
            predicted=predicted.astype(np.int32),
            scores=(predicted == labels).astype(np.float32),
            losses=-log_probabilities[np.arange(len(labels)), labels].astype(np.float32),
            probabilities=np.exp(log_probabilities).astype(np.float32),
        )

    def measure(self, outputs: Outputs) -> dict[str, float]:
        """See TaskKind."""
        return {
            "accuracy": accuracy(outputs.labels, outputs.predicted),
            "macro_f1": macro_f1(outputs.labels, outputs.predicted, classes=outputs.probabilities.shape[1]),
            "loss": float(outputs.losses.mean()),
        }

    def chance(self, labels: np.ndarray) -> float:
        """See TaskKind."""
        return float(np.bincount(labels).max() / len(labels))
