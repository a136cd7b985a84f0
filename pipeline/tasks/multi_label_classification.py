"""Classification where any number of classes apply to a text: topics, feelings, what is wrong with a comment."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.analysis.metrics import overlap_f1
from pipeline.config.schema import Field, Predict
from pipeline.tasks.classification import Classification
from pipeline.tasks.example import Example
from pipeline.tasks.kind import FILLER, Batch, Encoded, EncodeSettings, Exercise, Known, Linear, Outputs, Vocabulary
from pipeline.tasks.texts.constant import frequent_labels
from pipeline.tasks.texts.corpus_metrics import of_set

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, kw_only=True)
class LabelsOutputs(Outputs):
    """Of N texts and C classes; a class is told where it is likelier than not."""

    probabilities: np.ndarray  # float32 [N, C]
    right: np.ndarray  # bool [N, C]


class MultiLabelClassification(Classification):
    """Cross-entropy of each class by itself, averaged over classes; the per-example score is the F1 of a text's labels.

    That is 2 |told and right| / (|told| + |right|), and 1 where nothing applies and nothing is told.
    """

    name: str = "multi_label_classification"
    metrics: tuple[str, ...] = ("example_f1", "loss", "micro_f1")
    of_sums: tuple[str, ...] = ("micro_f1",)
    of_tokens: tuple[str, ...] = ()
    reads: frozenset[Field] = frozenset({"text", "labels"})
    target: Field | None = "labels"
    linear: Linear | None = "sigmoid"
    outputs_type: type[Outputs] = LabelsOutputs
    predicted: tuple[str, ...] = ("labels", "probabilities")
    answer: str = "labels"
    beside: tuple[str, ...] = ("classes",)

    def encode(self, examples: Sequence[Example], tokenizer: Any, settings: EncodeSettings) -> Encoded:
        """See TaskKind. "classes", int32 [N, M], are the numbers of each example's labels, filled up with FILLER."""
        number = {name: i for i, name in enumerate(settings.classes)}
        classes = np.full((len(examples), max((len(e.labels) for e in examples), default=0)), FILLER, dtype=np.int32)
        for row, example in zip(classes, examples, strict=True):
            row[: len(example.labels)] = [number[label] for label in example.labels]
        encoded = super().encode(examples, tokenizer, settings)
        return dataclasses.replace(encoded, beside={"classes": classes})

    def collate(
        self,
        ids: Sequence[np.ndarray],
        labels: np.ndarray,
        *,
        vocabulary: Vocabulary,
        seeds: np.ndarray,
        beside: Mapping[str, np.ndarray],
    ) -> "dict[str, torch.Tensor]":
        """See TaskKind. "classes", int64 [B, M]."""
        import torch

        batch = super().collate(ids, labels, vocabulary=vocabulary, seeds=seeds, beside=beside)
        classes = np.asarray(beside["classes"], dtype=np.int64).reshape(len(ids), -1)
        return batch | {"classes": torch.from_numpy(classes)}

    def losses(self, logits: "torch.Tensor", batch: Batch) -> "torch.Tensor":
        """See TaskKind."""
        import torch

        right = _right(logits, batch).float()
        each = torch.nn.functional.binary_cross_entropy_with_logits(logits.float(), right, reduction="none")
        return each.mean(dim=1)

    def targets(self, labels: np.ndarray, beside: Mapping[str, np.ndarray], classes: int) -> np.ndarray:
        """See TaskKind. 1 for every class that applies."""
        given = np.asarray(beside["classes"]).reshape(len(labels), -1)
        return np.asarray((given[:, :, None] == np.arange(classes)).any(axis=1), dtype=np.float64)

    def width(self, classes: int) -> int:
        """See TaskKind."""
        return 2 * classes + 1

    def answers(self, logits: "torch.Tensor", batch: Batch) -> "torch.Tensor":
        """See TaskKind. The probability of each class, whether it applies, and the loss."""
        import torch

        loss = self.losses(logits, batch)[:, None]
        return torch.cat([logits.float().sigmoid(), _right(logits, batch).float(), loss], dim=1)

    def outputs(self, answers: np.ndarray, labels: np.ndarray) -> LabelsOutputs:  # type: ignore[override]
        """See TaskKind."""
        classes = answers.shape[1] // 2
        no_class = np.full(len(labels), -1, dtype=np.int32)
        probabilities, right = answers[:, :classes].astype(np.float32), answers[:, classes:-1] > 0.5
        return LabelsOutputs(
            labels=no_class,
            predicted=no_class,
            scores=overlap_f1(right, probabilities > 0.5).astype(np.float32),
            losses=answers[:, -1].astype(np.float32),
            probabilities=probabilities,
            right=right,
        )

    def measure(self, outputs: LabelsOutputs) -> dict[str, float]:  # type: ignore[override]
        """See TaskKind. Macro F1 is over the classes that apply to some text; "exact" texts have all labels right."""
        told, right = outputs.probabilities > 0.5, outputs.right
        occurs = right.any(axis=0)
        return {
            "example_f1": float(outputs.scores.mean(dtype=np.float64)),
            "loss": float(outputs.losses.mean(dtype=np.float64)),
            "micro_f1": of_set("micro_f1", self.statistics(outputs)),
            "macro_f1": float(overlap_f1(right.T[occurs], told.T[occurs]).mean()) if occurs.any() else 0.0,
            "exact": float((told == right).all(axis=1).mean()),
        }

    def statistics(self, outputs: LabelsOutputs) -> np.ndarray:
        """See SummedKind. Labels both right and told, and all of either."""
        told, right = outputs.probabilities > 0.5, outputs.right
        counts = [(told & right).sum(axis=1), told.sum(axis=1) + right.sum(axis=1)]
        return np.stack(counts, axis=1).astype(np.float32)

    def constant_score(self, metric: str, train: Known, held: Known) -> float | None:
        """See TaskKind. The best set of frequent labels; for the loss, the share of each label."""
        known, right = (self.targets(rows.labels, rows.beside, train.classes) > 0 for rows in (train, held))
        shares = known.mean(axis=0)
        if metric != "loss":
            shares = frequent_labels(known, overall=metric == "micro_f1").astype(np.float64)
        told = np.clip(np.tile(shares, (len(right), 1)), 1e-6, 1 - 1e-6)
        nats = -np.where(right, np.log(told), np.log(1 - told)).mean(axis=1, keepdims=True)
        outputs = self.outputs(np.concatenate([told, right, nats], axis=1), held.labels)
        return self.measure(outputs)[metric]

    def exercise(self, example: Example) -> Exercise | None:
        """See TaskKind."""
        return Exercise(given=example, right=", ".join(example.labels) or "none")

    def predict(
        self, model: Any, tokenizer: Any, examples: Sequence[Example], settings: EncodeSettings, asked: Predict
    ) -> Iterator[tuple[str, ...]]:
        """See TaskKind. The classes that are likelier than not, the likeliest first; none may be."""
        told = self._logits(model, tokenizer, examples, settings).float().sigmoid().tolist()
        for example, shares in zip(examples, told, strict=True):
            named = zip(shares, settings.classes, strict=True)
            likely = sorted(((share, name) for share, name in named if share > 0.5))[::-1]
            yield example.text, ", ".join(n for _, n in likely), ", ".join(f"{share:.4f}" for share, _ in likely)


def _right(logits: "torch.Tensor", batch: Batch) -> "torch.Tensor":
    """Which classes apply, bool [B, C]."""
    import torch

    classes = batch["classes"]
    within = torch.zeros(len(logits), logits.shape[1] + 1, dtype=torch.bool, device=logits.device)
    return within.scatter_(1, torch.where(classes < 0, logits.shape[1], classes), True)[:, :-1]
