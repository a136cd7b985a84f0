"""Causal language modelling: each token of a text is told from those before it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.config.schema import Field, Predict, TextField
from pipeline.tasks.example import Example
from pipeline.tasks.heads import head_support, loading
from pipeline.tasks.heads.decoding import ahead, forgetful, logits_at, nats_of, summed
from pipeline.tasks.kind import Batch, Encoded, EncodeSettings, Exercise, Known, Linear, Outputs, Vocabulary
from pipeline.tasks.texts.constant import Unigram
from pipeline.tasks.texts.continuing import continuations
from pipeline.tasks.texts.corpus_metrics import BITS, of_set
from pipeline.tasks.texts.encoding import batch_of, encode_after, tokens_of

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, kw_only=True)
class TextOutputs(Outputs):
    """Of N texts. What is summed up over a text is kept as such, so that a whole set can be measured too."""

    tokens: np.ndarray  # float32 [N]: told from those before them
    bytes: np.ndarray  # float32 [N]: of text, in UTF-8, that these tokens stand for
    hits: np.ndarray  # float32 [N]: tokens that were likelier than every other


class CausalLanguageModelling:
    """Cross-entropy of each token given those before it; the per-example score is a text's bits per byte.

    A byte is the same whatever the tokenizer, so bits per byte compare bases; nats per token do not. A text begins with
    the base's own token for that (not counted), so that its first token is told too. Each text counts alike.
    """

    name: str = "causal_language_modelling"
    metrics: tuple[str, ...] = ("bits_per_byte", "loss", "corpus_bits_per_byte", "corpus_perplexity")
    of_sums: tuple[str, ...] = ("corpus_bits_per_byte", "corpus_perplexity")
    of_tokens: tuple[str, ...] = ("loss", "corpus_perplexity")
    reads: frozenset[Field] = frozenset({"text"})
    target: Field | None = None
    parts: tuple[tuple[TextField, ...], ...] = (("text",),)
    own_head: bool = True
    linear: Linear | None = None
    pipeline: str = "text-generation"
    outputs_type: type[Outputs] = TextOutputs
    predicted: tuple[str, ...] = ("continuation",)
    answer: str = "continuation"
    beside: tuple[str, ...] = ("bytes",)
    reads_whole: bool = True
    evaluated_at_once: int = 8

    def encode(self, examples: Sequence[Example], tokenizer: Any, settings: EncodeSettings) -> Encoded:
        """See TaskKind. "bytes" are those of the text that its tokens stand for.

        Raises:
            DataError: the tokenizer has no token that a text could begin with.
        """
        return encode_after(examples, tokenizer, settings.max_length)

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
        import torch

        known = torch.from_numpy(np.asarray(beside["bytes"], dtype=np.int64))
        return batch_of(ids, labels, vocabulary.pad) | {"bytes": known}

    def unable(self, config: Any) -> str | None:
        """See TaskKind."""
        return head_support.continues(config)

    def build(self, config: Any) -> Any:
        """See TaskKind."""
        from transformers import AutoModelForCausalLM

        return loading.build(AutoModelForCausalLM, config)

    def load(self, directory: str, config: Any) -> tuple[Any, Mapping[str, Any]]:
        """See TaskKind."""
        from transformers import AutoModelForCausalLM

        return loading.load(AutoModelForCausalLM, directory, config)

    def forward(self, model: Any, batch: Batch) -> "torch.Tensor":
        """See TaskKind. [T, V] for the T tokens of all texts that have some before them, text after text."""

        def before_a_token(hidden: "torch.Tensor") -> "torch.Tensor":
            return _told(hidden[:, :-1], batch)

        return logits_at(model, before_a_token, **tokens_of(batch), **forgetful(model.config))

    def losses(self, logits: "torch.Tensor", batch: Batch) -> "torch.Tensor":
        """See TaskKind. The mean over a text's tokens."""
        nats = summed(_nats(logits, batch), _count(batch))
        means: torch.Tensor = nats / _count(batch).clamp_min(1)
        return means

    def width(self, classes: int) -> int:
        """See TaskKind."""
        return 4

    def answers(self, logits: "torch.Tensor", batch: Batch) -> "torch.Tensor":
        """See TaskKind. A text's nats, tokens and bytes, and how many of its tokens were likelier than every other."""
        import torch

        hits = (ahead(logits, _told(batch["input_ids"][:, 1:], batch)) == 0).float()
        sums = [summed(each, _count(batch)) for each in (_nats(logits, batch), hits)]
        return torch.stack([sums[0], _count(batch).float(), batch["bytes"].float(), sums[1]], dim=1)

    def outputs(self, answers: np.ndarray, labels: np.ndarray) -> TextOutputs:
        """See TaskKind."""
        no_class = np.full(len(labels), -1, dtype=np.int32)
        nats, tokens, size, hits = answers.astype(np.float32).T
        return TextOutputs(
            labels=no_class,
            predicted=no_class,
            scores=(nats * BITS / np.maximum(size, 1)).astype(np.float32),
            losses=(nats / np.maximum(tokens, 1)).astype(np.float32),
            tokens=tokens,
            bytes=size,
            hits=hits,
        )

    def measure(self, outputs: TextOutputs) -> dict[str, float]:
        """See TaskKind. What begins with "corpus" is of the set as one text, in which long ones weigh more."""
        tokens = max(1.0, float(outputs.tokens.sum(dtype=np.float64)))
        return {
            "bits_per_byte": float(outputs.scores.mean(dtype=np.float64)),
            "loss": float(outputs.losses.mean(dtype=np.float64)),
            **{metric: of_set(metric, self.statistics(outputs)) for metric in self.of_sums},
            "next_token": float(outputs.hits.sum(dtype=np.float64)) / tokens,
        }

    def statistics(self, outputs: TextOutputs) -> np.ndarray:
        """See SummedKind. Nats, tokens and bytes."""
        return np.stack([outputs.losses * outputs.tokens, outputs.tokens, outputs.bytes], axis=1)

    def constant_score(self, metric: str, train: Known, held: Known) -> float | None:
        """See TaskKind. Tokens as frequent as they are."""
        unigram = Unigram([row[1:] for row in train.ids])
        nats = [unigram.nats(row[1:]).sum() for row in held.ids]
        tokens = [len(row) - 1 for row in held.ids]
        known = np.stack([nats, tokens, held.beside["bytes"], np.zeros(len(tokens))], axis=1)
        return self.measure(self.outputs(known, held.labels))[metric]

    def exercise(self, example: Example) -> Exercise | None:
        """See TaskKind. The second half is left out."""
        words = example.text.split()
        half = len(words) // 2
        given = Example(text=" ".join(words[:half]))
        return Exercise(given=given, right=" ".join(words[half:])) if half else None

    def predict(
        self, model: Any, tokenizer: Any, examples: Sequence[Example], settings: EncodeSettings, asked: Predict
    ) -> Iterator[tuple[str, ...]]:
        """See TaskKind. What the network would go on with."""
        texts = [example.text for example in examples]
        yield from zip(texts, continuations(model, tokenizer, texts, asked), strict=True)


def _told(values: "torch.Tensor", batch: Batch) -> "torch.Tensor":
    """Of [B, L - 1, ...] what belongs to a token that has one before it, [T, ...]."""
    mask = batch["attention_mask"]
    if mask.is_meta:  # without content; nothing is padding where cost is counted
        return values.flatten(0, 1)
    return values[mask[:, 1:].bool()]


def _count(batch: Batch) -> "torch.Tensor":
    count: torch.Tensor = batch["attention_mask"][:, 1:].sum(dim=1)
    return count


def _nats(logits: "torch.Tensor", batch: Batch) -> "torch.Tensor":
    """Of each token, float32 [T]."""
    return nats_of(logits, _told(batch["input_ids"][:, 1:], batch))
