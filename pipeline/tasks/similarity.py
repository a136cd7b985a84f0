"""Similarity of two texts, or whatever other number belongs to a pair: how well a reply fits, how far one follows."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.analysis.metrics import correlations, moments
from pipeline.config.schema import Field, Predict
from pipeline.tasks.example import Example
from pipeline.tasks.kind import Batch, Encoded, EncodeSettings, Exercise, Known, Linear, Outputs, Vocabulary
from pipeline.tasks.pair_classification import PairClassification
from pipeline.tasks.parts import texts_of

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, kw_only=True)
class NumberOutputs(Outputs):
    """Of N pairs. Numbers are shares of the scale, from 0 to 1."""

    numbers: np.ndarray  # float32 [N]
    told: np.ndarray  # float32 [N]


class Similarity(PairClassification):
    """Cross-entropy with the number as a probability; the per-example score is the absolute error, on a scale of 1.

    One logit is read, as of a cross-encoder in Sentence Transformers: its sigmoid is the share of the scale. So
    a network that knows nothing begins in the middle of it, and none can leave it.
    """

    name: str = "similarity"
    metrics: tuple[str, ...] = ("absolute_error", "loss", "pearson")
    of_sums: tuple[str, ...] = ("pearson",)
    of_tokens: tuple[str, ...] = ()
    reads: frozenset[Field] = frozenset({"text", "second", "score"})
    target: Field | None = "score"
    linear: Linear | None = "sigmoid"
    outputs_type: type[Outputs] = NumberOutputs
    predicted: tuple[str, ...] = ("second", "similarity")
    answer: str = "similarity"
    beside: tuple[str, ...] = ("second", "number")

    def encode(self, examples: Sequence[Example], tokenizer: Any, settings: EncodeSettings) -> Encoded:
        """See TaskKind. "number" is the score of each pair, or the middle of the scale where it is not known."""
        encoded = super().encode(examples, tokenizer, settings)
        numbers = np.array([0.5 if e.score is None else e.score for e in examples], dtype=np.float32)
        return dataclasses.replace(encoded, beside=encoded.beside | {"number": numbers})

    def collate(
        self,
        ids: Sequence[np.ndarray],
        labels: np.ndarray,
        *,
        vocabulary: Vocabulary,
        seeds: np.ndarray,
        beside: Mapping[str, np.ndarray],
    ) -> "dict[str, torch.Tensor]":
        """See TaskKind. "numbers", float32 [B]."""
        import torch

        batch = super().collate(ids, labels, vocabulary=vocabulary, seeds=seeds, beside=beside)
        return batch | {"numbers": torch.from_numpy(np.asarray(beside["number"], dtype=np.float32))}

    def losses(self, logits: "torch.Tensor", batch: Batch) -> "torch.Tensor":
        """See TaskKind."""
        import torch

        return torch.nn.functional.binary_cross_entropy_with_logits(
            logits[:, 0].float(), batch["numbers"], reduction="none"
        )

    def targets(self, labels: np.ndarray, beside: Mapping[str, np.ndarray], classes: int) -> np.ndarray:
        """See TaskKind. The number itself."""
        return np.asarray(beside["number"], dtype=np.float64)[:, None]

    def width(self, classes: int) -> int:
        """See TaskKind."""
        return 3

    def answers(self, logits: "torch.Tensor", batch: Batch) -> "torch.Tensor":
        """See TaskKind. The number told, the one that belongs there, and the loss."""
        import torch

        told = logits[:, 0].float().sigmoid()
        return torch.stack([told, batch["numbers"], self.losses(logits, batch)], dim=1)

    def outputs(self, answers: np.ndarray, labels: np.ndarray) -> NumberOutputs:  # type: ignore[override]
        """See TaskKind."""
        no_class = np.full(len(labels), -1, dtype=np.int32)
        told, numbers, losses = answers.astype(np.float32).T
        return NumberOutputs(
            labels=no_class,
            predicted=no_class,
            scores=np.abs(told - numbers),
            losses=losses,
            numbers=numbers,
            told=told,
        )

    def measure(self, outputs: NumberOutputs) -> dict[str, float]:  # type: ignore[override]
        """See TaskKind. Correlations are 0 where all that is told is the same."""
        pearson, spearman = correlations(outputs.numbers, outputs.told)
        return {
            "absolute_error": float(outputs.scores.mean(dtype=np.float64)),
            "loss": float(outputs.losses.mean(dtype=np.float64)),
            "pearson": pearson,
            "spearman": spearman,
        }

    def statistics(self, outputs: NumberOutputs) -> np.ndarray:
        """See SummedKind. The moments of both numbers."""
        return moments(outputs.numbers, outputs.told).astype(np.float32)

    def constant_score(self, metric: str, train: Known, held: Known) -> float | None:
        """See TaskKind. The median number; for the loss the mean. A constant correlates with nothing."""
        known, right = (np.asarray(rows.beside["number"], dtype=np.float64) for rows in (train, held))
        if metric == "pearson":
            return 0.0
        if metric == "absolute_error":
            return float(np.abs(right - np.median(known)).mean())
        told = np.clip(known.mean(), 1e-6, 1 - 1e-6)
        return float(-(right * np.log(told) + (1 - right) * np.log(1 - told)).mean())

    def exercise(self, example: Example) -> Exercise | None:
        """See TaskKind."""
        return Exercise(given=example, right=f"{0.5 if example.score is None else example.score:.2f}")

    def predict(
        self, model: Any, tokenizer: Any, examples: Sequence[Example], settings: EncodeSettings, asked: Predict
    ) -> Iterator[tuple[str, ...]]:
        """See TaskKind. The number, as a share of the scale."""
        told = self._logits(model, tokenizer, examples, settings)[:, 0].float().sigmoid().tolist()
        for example, share in zip(examples, told, strict=True):
            yield *texts_of(self, example), f"{share:.4f}"
