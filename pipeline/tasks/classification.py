"""Text classification: one label a text, any number of classes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.analysis.metrics import UNDECIDED, accuracy, decided, macro_f1
from pipeline.config.schema import Field, Predict, TextField
from pipeline.tasks.example import Example
from pipeline.tasks.heads import head_support, loading
from pipeline.tasks.heads.declared_pooling import pooling_of
from pipeline.tasks.heads.decoding import forgetful
from pipeline.tasks.kind import (
    Batch,
    Encoded,
    EncodeSettings,
    Exercise,
    Known,
    Linear,
    Outputs,
    TextModel,
    Vocabulary,
)
from pipeline.tasks.parts import parts_of, texts_of
from pipeline.tasks.texts.encoding import batch_of, encode, moved, read_by

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, kw_only=True)
class ClassOutputs(Outputs):
    """The outputs of N items and C classes."""

    probabilities: np.ndarray  # float32 [N, C]


class Classification:
    """Cross-entropy over classes; the per-example score is 1 where the right class is likelier than every other.

    A tie for the greatest logit is a miss and predicts no class, so that a constant network gains nothing by the order
    of the classes.
    """

    name: str = "classification"
    metrics: tuple[str, ...] = ("accuracy", "macro_f1")
    of_tokens: tuple[str, ...] = ()
    reads: frozenset[Field] = frozenset({"text", "label"})
    target: Field | None = "label"
    parts: tuple[tuple[TextField, ...], ...] = (("text",),)
    own_head: bool = False
    linear: Linear | None = "softmax"
    pipeline: str = "text-classification"
    outputs_type: type[Outputs] = ClassOutputs
    predicted: tuple[str, ...] = ("label", "probability")
    answer: str = "label"
    beside: tuple[str, ...] = ()
    reads_whole: bool = False
    evaluated_at_once: int = 256

    def encode(self, examples: Sequence[Example], tokenizer: Any, settings: EncodeSettings) -> Encoded:
        """See TaskKind."""
        return encode([parts_of(self, example)[0] for example in examples], tokenizer, settings.max_length)

    def collate(
        self,
        ids: Sequence[np.ndarray],
        labels: np.ndarray,
        *,
        vocabulary: Vocabulary,
        seeds: np.ndarray,
        beside: Mapping[str, np.ndarray],
    ) -> "dict[str, torch.Tensor]":
        """See TaskKind. Nothing is drawn."""
        return batch_of(ids, labels, vocabulary.pad)

    def unable(self, config: Any) -> str | None:
        """See TaskKind."""
        return head_support.classifies(config)

    def build(self, config: Any) -> Any:
        """See TaskKind."""
        from transformers import AutoModelForSequenceClassification

        from pipeline.tasks.heads import pooled

        if pooling_of(config) is not None:
            return pooled.build(config)
        return loading.build(AutoModelForSequenceClassification, config)

    def load(self, directory: str, config: Any) -> tuple[Any, Mapping[str, Any]]:
        """See TaskKind."""
        from transformers import AutoModelForSequenceClassification

        from pipeline.tasks.heads import pooled

        if pooling_of(config) is not None:
            return pooled.load(directory, config)
        return loading.load(AutoModelForSequenceClassification, directory, config)

    def forward(self, model: Any, batch: Batch) -> "torch.Tensor":
        """See TaskKind. [B, C]."""
        logits: torch.Tensor = model(**read_by(model, batch), **forgetful(model.config)).logits
        return logits

    def losses(self, logits: "torch.Tensor", batch: Batch) -> "torch.Tensor":
        """See TaskKind."""
        import torch

        return torch.nn.functional.cross_entropy(logits.float(), batch["labels"], reduction="none")

    def targets(self, labels: np.ndarray, beside: Mapping[str, np.ndarray], classes: int) -> np.ndarray:
        """See TaskKind. 1 for the class of each."""
        return np.asarray(np.eye(classes)[labels])

    def width(self, classes: int) -> int:
        """See TaskKind."""
        return classes

    def answers(self, logits: "torch.Tensor", batch: Batch) -> "torch.Tensor":
        """See TaskKind. The logits themselves."""
        return logits

    def outputs(self, answers: np.ndarray, labels: np.ndarray) -> ClassOutputs:
        """See TaskKind."""
        shifted = answers.astype(np.float64) - answers.max(axis=1, keepdims=True)
        log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        predicted = decided(answers)
        return ClassOutputs(
            labels=labels.astype(np.int32),
            predicted=predicted,
            scores=(predicted == labels).astype(np.float32),
            losses=-log_probabilities[np.arange(len(labels)), labels].astype(np.float32),
            probabilities=np.exp(log_probabilities).astype(np.float32),
        )

    def measure(self, outputs: ClassOutputs) -> dict[str, float]:
        """See TaskKind."""
        return {
            "accuracy": accuracy(outputs.labels, outputs.predicted),
            "macro_f1": macro_f1(outputs.labels, outputs.predicted, classes=outputs.probabilities.shape[1]),
            "loss": float(outputs.losses.mean()),
        }

    def constant_score(self, metric: str, train: Known, held: Known) -> float | None:
        """See TaskKind. The commonest class; macro F1 not below that of guessing, one over the classes."""
        told = np.full(len(held.labels), np.bincount(train.labels, minlength=train.classes).argmax())
        if metric == "accuracy":
            return accuracy(held.labels, told)
        guessing = 1 / len(np.unique(held.labels))
        return max(guessing, macro_f1(held.labels, told, classes=train.classes))

    def exercise(self, example: Example) -> Exercise | None:
        """See TaskKind. The texts themselves."""
        return Exercise(given=example, right=example.label or "")

    def predict(
        self, model: Any, tokenizer: Any, examples: Sequence[Example], settings: EncodeSettings, asked: Predict
    ) -> Iterator[tuple[str, ...]]:
        """See TaskKind. The likeliest class; no label where several are equally likely."""
        logits = self._logits(model, tokenizer, examples, settings)
        outputs = self.outputs(logits.float().cpu().numpy(), np.zeros(len(examples), dtype=np.int64))
        for example, number, row in zip(examples, outputs.predicted, outputs.probabilities, strict=True):
            label = "" if number == UNDECIDED else settings.classes[number]
            yield *texts_of(self, example), label, f"{row.max():.4f}"

    def _logits(
        self, model: Any, tokenizer: Any, examples: Sequence[Example], settings: EncodeSettings
    ) -> "torch.Tensor":
        import torch

        if isinstance(model, TextModel):
            return torch.from_numpy(model.read(examples)).float()
        encoded, none = self.encode(examples, tokenizer, settings), np.zeros(len(examples), dtype=np.int64)
        vocabulary, seeds = self._vocabulary(tokenizer, settings.classes), none.astype(np.uint64)
        batch = self.collate(encoded.ids, none, vocabulary=vocabulary, seeds=seeds, beside=encoded.beside)
        return self.forward(model, moved(batch, model))

    def _vocabulary(self, tokenizer: Any, labels: tuple[str, ...]) -> Vocabulary:
        return Vocabulary.of(tokenizer)
