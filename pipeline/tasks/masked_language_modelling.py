"""Masked language modelling: words are left out of a text, and the network fills the gaps (Devlin et al. 2019)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.config.schema import Field, Predict, TextField
from pipeline.errors import DataError
from pipeline.tasks.example import Example
from pipeline.tasks.heads import head_support, loading
from pipeline.tasks.heads.decoding import ahead, logits_at
from pipeline.tasks.kind import Batch, Encoded, EncodeSettings, Exercise, Known, Linear, Outputs, Vocabulary
from pipeline.tasks.texts.constant import Unigram
from pipeline.tasks.texts.encoding import batch_of, encode, moved, padded, tokens_of
from pipeline.tasks.texts.filling import GAPS, nats_of_words, read_with_gaps

if TYPE_CHECKING:
    import torch

SHARE = 0.15  # of a text's tokens are gaps, but one at least
NO_GAP = -100
TOP = 5
SHORTEST = 4  # words of a text of which one is left out for people to look at


@dataclass(frozen=True, kw_only=True)
class GapOutputs(Outputs):
    """Of N texts, of which each counts alike however many gaps it has."""

    top5: (
        np.ndarray
    )  # float32 [N]: share of a text's gaps whose token is among the five likeliest, with no tie for the fifth place


class MaskedLanguageModelling:
    """Cross-entropy over the vocabulary at the gaps; the per-example score is the share of gaps filled right.

    A gap is filled right where its token is likelier than every other: a tie is a miss.

    A token in seven is a gap, other ones in each pass over the training texts and always the same ones in tests. The
    network's decoder is given the gaps alone: over a whole text it would cost more than a small encoder.
    """

    name: str = "masked_language_modelling"
    metrics: tuple[str, ...] = ("top1", "loss")
    of_tokens: tuple[str, ...] = ("top1", "loss")
    reads: frozenset[Field] = frozenset({"text"})
    target: Field | None = None
    parts: tuple[tuple[TextField, ...], ...] = (("text",),)
    own_head: bool = True
    linear: Linear | None = None
    pipeline: str = "fill-mask"
    outputs_type: type[Outputs] = GapOutputs
    predicted: tuple[str, ...] = ("gap", "token", "probability")
    answer: str = "token"
    beside: tuple[str, ...] = ()
    reads_whole: bool = False
    evaluated_at_once: int = 64

    def encode(self, examples: Sequence[Example], tokenizer: Any, settings: EncodeSettings) -> Encoded:
        """See TaskKind.

        Raises:
            DataError: the tokenizer has no token for gaps.
        """
        if tokenizer.mask_token_id is None:
            raise DataError(
                f"{self.name} needs a base whose tokenizer has a mask token, but this one has none. "
                "Use an encoder such as base=minilm or base=bert."
            )
        return encode([example.whole for example in examples], tokenizer, settings.max_length)

    def collate(
        self,
        ids: Sequence[np.ndarray],
        labels: np.ndarray,
        *,
        vocabulary: Vocabulary,
        seeds: np.ndarray,
        beside: Mapping[str, np.ndarray],
    ) -> "dict[str, torch.Tensor]":
        """See TaskKind. "places" and "targets", int64 [B, G]: the gaps, and which tokens stood there."""
        import torch

        places = [_gaps(len(row), int(seed)) for row, seed in zip(ids, seeds, strict=True)]
        targets = [row[gaps] for row, gaps in zip(ids, places, strict=True)]
        with_gaps = [row.copy() for row in ids]
        for row, gaps in zip(with_gaps, places, strict=True):
            row[gaps] = vocabulary.mask
        return batch_of(with_gaps, labels, vocabulary.pad) | {
            "places": torch.from_numpy(padded(places, 0)),
            "targets": torch.from_numpy(padded(targets, NO_GAP)),
        }

    def unable(self, config: Any) -> str | None:
        """See TaskKind."""
        return head_support.fills_gaps(config)

    def build(self, config: Any) -> Any:
        """See TaskKind."""
        from transformers import AutoModelForMaskedLM

        return loading.build(AutoModelForMaskedLM, config)

    def load(self, directory: str, config: Any) -> tuple[Any, Mapping[str, Any]]:
        """See TaskKind."""
        from transformers import AutoModelForMaskedLM

        return loading.load(AutoModelForMaskedLM, directory, config)

    def forward(self, model: Any, batch: Batch) -> "torch.Tensor":
        """See TaskKind. [B, G, V]."""

        def at_gaps(hidden: "torch.Tensor") -> "torch.Tensor":
            return hidden.gather(1, batch["places"][..., None].expand(-1, -1, hidden.shape[-1]))

        return logits_at(model, at_gaps, **tokens_of(batch))

    def losses(self, logits: "torch.Tensor", batch: Batch) -> "torch.Tensor":
        """See TaskKind. The mean over a text's gaps."""
        means: torch.Tensor = _nats(logits, batch).sum(dim=1) / _count(batch)
        return means

    def width(self, classes: int) -> int:
        """See TaskKind."""
        return 3

    def answers(self, logits: "torch.Tensor", batch: Batch) -> "torch.Tensor":
        """See TaskKind. A text's loss, and the shares of its gaps with the right token first and among the first."""
        import torch

        there = batch["targets"] != NO_GAP
        before = ahead(logits, batch["targets"].clamp_min(0))
        hits = [((before < most) & there).sum(dim=1) / _count(batch) for most in (1, TOP)]
        return torch.stack([self.losses(logits, batch), *hits], dim=1)

    def outputs(self, answers: np.ndarray, labels: np.ndarray) -> GapOutputs:
        """See TaskKind."""
        no_class = np.full(len(labels), -1, dtype=np.int32)
        losses, top1, top5 = answers.astype(np.float32).T
        return GapOutputs(labels=no_class, predicted=no_class, scores=top1, losses=losses, top5=top5)

    def measure(self, outputs: GapOutputs) -> dict[str, float]:
        """See TaskKind."""
        loss = float(outputs.losses.mean(dtype=np.float64))
        return {
            "top1": float(outputs.scores.mean(dtype=np.float64)),
            "top5": float(outputs.top5.mean(dtype=np.float64)),
            "perplexity": float(np.exp(loss)),
            "loss": loss,
        }

    def constant_score(self, metric: str, train: Known, held: Known) -> float | None:
        """See TaskKind. The most frequent token, or all as frequent as they are, at the gaps of the set."""
        unigram = Unigram([row[1:-1] for row in train.ids])
        targets = [row[_gaps(len(row), number)] for number, row in enumerate(held.ids)]
        of_each = unigram.hits if metric == "top1" else unigram.nats
        return float(np.mean([of_each(tokens).mean() for tokens in targets]))

    def exercise(self, example: Example) -> Exercise | None:
        """See TaskKind. The word in the middle is left out."""
        words = example.text.split()
        if len(words) < SHORTEST:
            return None
        middle = len(words) // 2
        given = Example(text=" ".join([*words[:middle], GAPS[0], *words[middle + 1 :]]))
        return Exercise(given=given, right=words[middle])

    def predict(
        self, model: Any, tokenizer: Any, examples: Sequence[Example], settings: EncodeSettings, asked: Predict
    ) -> Iterator[tuple[str, ...]]:
        """See TaskKind. The five likeliest tokens of each gap."""
        for example in examples:
            yield from self._filled(model, tokenizer, example.text, settings.max_length)

    def surprise(self, model: Any, tokenizer: Any, examples: Sequence[Example], settings: EncodeSettings) -> np.ndarray:
        """See KnowingKind."""
        each = [nats_of_words(self.forward, model, tokenizer, e.text, settings.max_length) for e in examples]
        return np.concatenate([np.zeros(0, dtype=np.float32), *each])

    def _filled(self, model: Any, tokenizer: Any, text: str, max_length: int) -> Iterator[tuple[str, ...]]:
        read = read_with_gaps(text, tokenizer, max_length)
        gaps = (read["input_ids"][0] == tokenizer.mask_token_id).nonzero()[:, 0]
        if not len(gaps):
            raise DataError(f"A text needs a gap to be filled, written as {GAPS[0]} or __, but {text[:60]!r} has none.")
        batch = moved(dict(read) | {"places": gaps[None]}, model)
        likely = self.forward(model, batch)[0].float().softmax(dim=-1).topk(TOP)
        for gap, (shares, ids) in enumerate(zip(likely.values, likely.indices, strict=True), start=1):
            for share, token in zip(shares.tolist(), ids.tolist(), strict=True):
                yield text, str(gap), tokenizer.decode([token]).strip(), f"{share:.4f}"


def _gaps(length: int, seed: int) -> np.ndarray:
    """Which positions of a text are gaps, int64, ascending; its first and last token are special and are none."""
    ordinary = np.arange(1, length - 1) if length > 2 else np.arange(length)
    count = max(1, int(SHARE * len(ordinary) + 0.5))
    return np.sort(np.random.default_rng(seed).choice(ordinary, size=count, replace=False))


def _count(batch: Batch) -> Any:
    return (batch["targets"] != NO_GAP).sum(dim=1)


def _nats(logits: "torch.Tensor", batch: Batch) -> "torch.Tensor":
    """Of each gap, float32 [B, G]; 0 where there is none."""
    import torch

    targets = batch["targets"].flatten()
    each = torch.nn.functional.cross_entropy(
        logits.flatten(0, 1).float(), targets, ignore_index=NO_GAP, reduction="none"
    )
    return each.view_as(batch["targets"])
