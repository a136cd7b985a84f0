"""Token classification: one tag a word, such as its part of speech, or where a name begins and goes on."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.analysis.metrics import UNDECIDED
from pipeline.config.schema import Field, Predict, TextField
from pipeline.tasks.example import Example
from pipeline.tasks.heads import loading
from pipeline.tasks.heads.decoding import is_encoder
from pipeline.tasks.kind import (
    FILLER,
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
from pipeline.tasks.texts.corpus_metrics import of_set
from pipeline.tasks.texts.encoding import batch_of, moved, read_by
from pipeline.tasks.texts.tag_counts import constant_loss, counts_of, in_sentences, likeliest
from pipeline.tasks.texts.tagged_words import encode_words, words_of

if TYPE_CHECKING:
    import torch

_NO_TAG = "_"  # as CoNLL-U writes what is not specified
_ENCODERS = "Use an encoder, such as base=minilm or base=bert."


@dataclass(frozen=True, kw_only=True)
class TagOutputs(Outputs):
    """Of N sentences. What is counted of each is kept, so that all words of a set can be measured together."""

    counts: np.ndarray  # float32 [N, 4]: words tagged right, words, spans in both taggings, spans in one and the other


class TokenClassification:
    """Cross-entropy of each word's tag, averaged over a sentence's words, read off the word's first sub-word.

    The per-example score is the share of a sentence's words that are tagged right. A word that was cut off counts as a
    miss, as does a tie for the greatest logit.
    """

    name: str = "token_classification"
    metrics: tuple[str, ...] = ("example_accuracy", "loss", "token_accuracy", "span_f1")
    of_sums: tuple[str, ...] = ("token_accuracy", "span_f1")
    of_tokens: tuple[str, ...] = ()
    reads: frozenset[Field] = frozenset({"text", "labels"})
    target: Field | None = "labels"
    parts: tuple[tuple[TextField, ...], ...] = (("text",),)
    own_head: bool = False
    linear: Linear | None = None
    pipeline: str = "token-classification"
    outputs_type: type[Outputs] = TagOutputs
    predicted: tuple[str, ...] = ("tags", "probabilities")
    answer: str = "tags"
    beside: tuple[str, ...] = ("tags", "starts", "codes")
    reads_whole: bool = False
    evaluated_at_once: int = 256

    def encode(self, examples: Sequence[Example], tokenizer: Any, settings: EncodeSettings) -> Encoded:
        """See `encode_words`."""
        return encode_words(examples, tokenizer, settings)

    def collate(
        self,
        ids: Sequence[np.ndarray],
        labels: np.ndarray,
        *,
        vocabulary: Vocabulary,
        seeds: np.ndarray,
        beside: Mapping[str, np.ndarray],
    ) -> "dict[str, torch.Tensor]":
        """See TaskKind. "tags" and "starts", int64 [B, M], and "codes", int64 [B, C]. Nothing is drawn."""
        import torch

        known = {name: np.asarray(beside[name], dtype=np.int64).reshape(len(ids), -1) for name in self.beside}
        return batch_of(ids, labels, vocabulary.pad) | {n: torch.from_numpy(rows) for n, rows in known.items()}

    def unable(self, config: Any) -> str | None:
        """See TaskKind. A decoder has not read a word to its end at the first sub-word."""
        from transformers.models.auto.modeling_auto import MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING_NAMES as NAMES

        if config.is_encoder_decoder:
            return f"it is an encoder with a decoder. {_ENCODERS}"
        if not is_encoder(config):
            return f"it is a decoder, which does not see what comes after a word's first sub-word. {_ENCODERS}"
        return None if config.model_type in NAMES else f"transformers has no token classifier for it. {_ENCODERS}"

    def build(self, config: Any) -> Any:
        """See TaskKind."""
        from transformers import AutoModelForTokenClassification

        return loading.build(AutoModelForTokenClassification, config)

    def load(self, directory: str, config: Any) -> tuple[Any, Mapping[str, Any]]:
        """See TaskKind."""
        from transformers import AutoModelForTokenClassification

        return loading.load(AutoModelForTokenClassification, directory, config)

    def forward(self, model: Any, batch: Batch) -> "torch.Tensor":
        """See TaskKind. [B, M, C], at each word's first sub-word."""
        logits: torch.Tensor = model(**read_by(model, batch)).logits
        places = batch["starts"].clamp_min(0)[:, :, None].expand(-1, -1, logits.shape[-1])
        return logits.gather(1, places)

    def losses(self, logits: "torch.Tensor", batch: Batch) -> "torch.Tensor":
        """See TaskKind. The mean over the words that were read."""
        import torch

        logits, read = in_sentences(logits, batch)
        tags = torch.where(read, batch["tags"], FILLER)
        nats = torch.nn.functional.cross_entropy(
            logits.float().transpose(1, 2), tags, ignore_index=FILLER, reduction="none"
        )
        means: torch.Tensor = nats.sum(dim=1) / (tags >= 0).sum(dim=1).clamp_min(1)
        return means

    def targets(self, labels: np.ndarray, beside: Mapping[str, np.ndarray], classes: int) -> np.ndarray:
        """See WordwiseKind. 1 for the tag of each word."""
        tags = np.asarray(beside["tags"])
        return np.asarray(np.eye(classes)[tags[tags >= 0]])

    def words_in(self, batch: Batch) -> int:
        """See WordwiseKind."""
        return int((batch["tags"] >= 0).sum())

    def width(self, classes: int) -> int:
        """See TaskKind."""
        return 5

    def answers(self, logits: "torch.Tensor", batch: Batch) -> "torch.Tensor":
        """See TaskKind. What is counted of each sentence, and the loss."""
        import torch

        logits, read = in_sentences(logits, batch)
        predicted = torch.where(read, likeliest(logits), UNDECIDED)
        return torch.cat([counts_of(predicted, batch), self.losses(logits, batch)[:, None]], dim=1)

    def outputs(self, answers: np.ndarray, labels: np.ndarray) -> TagOutputs:
        """See TaskKind."""
        no_class = np.full(len(labels), -1, dtype=np.int32)
        counts = answers[:, :4].astype(np.float32)
        return TagOutputs(
            labels=no_class,
            predicted=no_class,
            scores=counts[:, 0] / np.maximum(counts[:, 1], 1),
            losses=answers[:, 4].astype(np.float32),
            counts=counts,
        )

    def measure(self, outputs: TagOutputs) -> dict[str, float]:
        """See TaskKind. "exact" sentences have all tags right."""
        return {
            "example_accuracy": float(outputs.scores.mean(dtype=np.float64)),
            "loss": float(outputs.losses.mean(dtype=np.float64)),
            **{metric: of_set(metric, outputs.counts) for metric in self.of_sums},
            "exact": float((outputs.counts[:, 0] == outputs.counts[:, 1]).mean()),
        }

    def statistics(self, outputs: TagOutputs) -> np.ndarray:
        """See SummedKind."""
        return outputs.counts

    def constant_score(self, metric: str, train: Known, held: Known) -> float | None:
        """See TaskKind. The tag that is the best for all words; for the loss, the share of each tag."""
        if metric == "loss":
            return constant_loss(train.beside["tags"], held.beside["tags"], train.classes)
        known = [self._constant(metric, train, tag) for tag in range(train.classes)]
        return self._constant(metric, held, int(np.argmax(known)))

    def _constant(self, metric: str, rows: Known, tag: int) -> float:
        import torch

        batch = {n: torch.from_numpy(np.asarray(rows.beside[n], dtype=np.int64)) for n in ("tags", "codes")}
        counts = counts_of(torch.full_like(batch["tags"], tag), batch).numpy()
        return self.measure(self.outputs(np.pad(counts, ((0, 0), (0, 1))), rows.labels))[metric]

    def exercise(self, example: Example) -> Exercise | None:
        """See TaskKind."""
        return Exercise(given=Example(text=example.text), right=" ".join(example.labels))

    def predict(
        self, model: Any, tokenizer: Any, examples: Sequence[Example], settings: EncodeSettings, asked: Predict
    ) -> Iterator[tuple[str, ...]]:
        """See TaskKind. A tag for each word, words being separated by blanks; "_" for a word that was cut off."""
        for example, logits in zip(examples, self._read(model, tokenizer, examples, settings), strict=True):
            classes, shares = likeliest(logits).tolist(), logits.softmax(dim=-1).amax(dim=-1).tolist()
            tags = [settings.classes[number] if number >= 0 else _NO_TAG for number in classes]
            tags += [_NO_TAG] * (len(words_of(example.text)) - len(tags))
            yield example.text, " ".join(tags), " ".join(f"{share:.4f}" for share in shares)

    def _read(
        self, model: Any, tokenizer: Any, examples: Sequence[Example], settings: EncodeSettings
    ) -> "list[torch.Tensor]":
        """The logits of each example's words, as far as they are read, float32 [M, C] each."""
        import torch

        if isinstance(model, TextModel):
            logits = torch.from_numpy(model.read(examples)).float()
            return list(torch.split(logits, [len(words_of(example.text)) for example in examples]))
        encoded, none = self.encode(examples, tokenizer, settings), np.zeros(len(examples), dtype=np.int64)
        seeds, vocabulary = none.astype(np.uint64), Vocabulary.of(tokenizer)
        batch = self.collate(encoded.ids, none, vocabulary=vocabulary, seeds=seeds, beside=encoded.beside)
        logits = self.forward(model, moved(batch, model)).float().cpu()
        return [row[starts >= 0] for row, starts in zip(logits, batch["starts"], strict=True)]
