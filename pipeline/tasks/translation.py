"""Translation, and whatever else writes one text from another: summaries, corrections, questions' answers."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.config.schema import Field, Predict, TextField
from pipeline.language import said
from pipeline.tasks.example import Example
from pipeline.tasks.heads import encoder_decoder as two_parts
from pipeline.tasks.heads import head_support
from pipeline.tasks.heads.decoding import logits_at, nats_of, summed
from pipeline.tasks.kind import Batch, Encoded, EncodeSettings, Exercise, Known, Linear, Outputs, Vocabulary
from pipeline.tasks.texts.constant import Unigram
from pipeline.tasks.texts.corpus_metrics import of_set
from pipeline.tasks.texts.encoding import batch_of, encode_both
from pipeline.tasks.texts.text_metrics import STATISTICS, Judge, reachable, sentence_scores
from pipeline.tasks.writing import translations

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, kw_only=True)
class WrittenOutputs(Outputs):
    """Of N pairs. What is counted of a text is kept, so that a whole set can be measured too."""

    tokens: np.ndarray  # float32 [N]: of the reference, told from the source and those before them
    statistics: np.ndarray  # float32 [N, STATISTICS]: see comparing.py


class Translation:
    """Cross-entropy of the second text's tokens, given the first; the per-example score is the chrF of what is written.

    chrF (Popović 2015) is the F-score of the characters' n-grams that a translation shares with its reference, as
    sacrebleu computes it, here from 0 to 1. What is written is the likeliest token at each place, until the text ends.

    A base that is an encoder and a decoder already (T5, BART, Marian) is taken as it is. An encoder becomes both, as in
    Rothe et al. 2020 (BERT2BERT): its weights stand in either part, and the attention from one to the other is new.
    """

    name: str = "translation"
    metrics: tuple[str, ...] = ("chrf", "loss", "corpus_chrf", "corpus_bleu")
    of_sums: tuple[str, ...] = ("corpus_chrf", "corpus_bleu")
    of_tokens: tuple[str, ...] = ("loss",)
    reads: frozenset[Field] = frozenset({"text", "second"})
    target: Field | None = "second"
    parts: tuple[tuple[TextField, ...], ...] = (("text",), ("second",))
    own_head: bool = True
    linear: Linear | None = None
    pipeline: str = "translation"
    outputs_type: type[Outputs] = WrittenOutputs
    predicted: tuple[str, ...] = ("translation",)
    answer: str = "translation"
    beside: tuple[str, ...] = ("second",)
    reads_whole: bool = False
    evaluated_at_once: int = 64

    def encode(self, examples: Sequence[Example], tokenizer: Any, settings: EncodeSettings) -> Encoded:
        """See TaskKind. Of a pair, both texts; "second" is where the second one begins."""
        encoded = encode_both(examples, tokenizer, settings.max_length)
        reached = reachable(encoded, tokenizer, [example.second or "" for example in examples])
        if reached is None:
            return encoded
        form = "What is to be written, as this base's tokenizer can write it, has itself a chrF of {reached:.1%}."
        return dataclasses.replace(encoded, sentences=(said(form, reached=reached),))

    def collate(
        self,
        ids: Sequence[np.ndarray],
        labels: np.ndarray,
        *,
        vocabulary: Vocabulary,
        seeds: np.ndarray,
        beside: Mapping[str, np.ndarray],
    ) -> "dict[str, torch.Tensor]":
        """See TaskKind. Both texts in one row. Nothing is drawn."""
        import torch

        begin = torch.from_numpy(np.asarray(beside["second"], dtype=np.int64))
        return batch_of(ids, labels, vocabulary.pad) | {"second": begin}

    def unable(self, config: Any) -> str | None:
        """See TaskKind."""
        return head_support.translates(config)

    def build(self, config: Any) -> Any:
        """See TaskKind."""
        return two_parts.build(config)

    def load(self, directory: str, config: Any) -> tuple[Any, Mapping[str, Any]]:
        """See TaskKind."""
        return two_parts.load(directory, config)

    def forward(self, model: Any, batch: Batch) -> "torch.Tensor":
        """See TaskKind. [T, V] for the T tokens of all second texts, text after text."""
        parts = two_parts.split(batch)

        def of_a_token(hidden: "torch.Tensor") -> "torch.Tensor":
            return parts.told(hidden)

        return logits_at(
            model,
            of_a_token,
            input_ids=parts.source,
            attention_mask=parts.source_mask,
            decoder_input_ids=parts.given(model.config),
            use_cache=False,
        )

    def losses(self, logits: "torch.Tensor", batch: Batch) -> "torch.Tensor":
        """See TaskKind. The mean over a second text's tokens."""
        sums, counts = self._sums(logits, batch)
        means: torch.Tensor = sums / counts.clamp_min(1)
        return means

    def _sums(self, logits: "torch.Tensor", batch: Batch) -> "tuple[torch.Tensor, torch.Tensor]":
        parts = two_parts.split(batch)
        return summed(nats_of(logits, parts.told(parts.target)), parts.counts), parts.counts

    def width(self, classes: int) -> int:
        """See TaskKind."""
        return 2 + STATISTICS

    def answers(self, logits: "torch.Tensor", batch: Batch) -> "torch.Tensor":
        """See TaskKind. A text's nats, its tokens, and what it has in common with what was written, if anything was."""
        import torch

        sums, counts = self._sums(logits, batch)
        written = batch.get("written", torch.zeros((len(sums), STATISTICS), device=sums.device))
        return torch.cat([torch.stack([sums, counts.float()], dim=1), written], dim=1)

    def outputs(self, answers: np.ndarray, labels: np.ndarray) -> WrittenOutputs:
        """See TaskKind."""
        no_class = np.full(len(labels), -1, dtype=np.int32)
        known = answers.astype(np.float32)
        return WrittenOutputs(
            labels=no_class,
            predicted=no_class,
            scores=sentence_scores(known[:, 2:]),
            losses=known[:, 0] / np.maximum(known[:, 1], 1),
            tokens=known[:, 1],
            statistics=known[:, 2:],
        )

    def measure(self, outputs: WrittenOutputs) -> dict[str, float]:
        """See TaskKind. What begins with "corpus" is of the set as one text, in which long ones weigh more."""
        nats = float((outputs.losses.astype(np.float64) * outputs.tokens).sum())
        return {
            "chrf": float(outputs.scores.mean(dtype=np.float64)),
            "loss": float(outputs.losses.mean(dtype=np.float64)),
            **{metric: of_set(metric, outputs.statistics) for metric in self.of_sums},
            "corpus_perplexity": float(np.exp(nats / max(1.0, float(outputs.tokens.sum(dtype=np.float64))))),
        }

    def statistics(self, outputs: WrittenOutputs) -> np.ndarray:
        """See SummedKind. Counts of n-grams."""
        return outputs.statistics

    def judge(self, tokenizer: Any, examples: Sequence[Example]) -> Judge:
        """See WritingKind."""
        return Judge(tokenizer=tokenizer, references=tuple(example.second or "" for example in examples))

    def constant_score(self, metric: str, train: Known, held: Known) -> float | None:
        """See TaskKind. Tokens as frequent as they are, for the loss alone."""
        if metric != "loss":
            return None
        known, told = (
            [row[start:] for row, start in zip(rows.ids, rows.beside["second"], strict=True)] for rows in (train, held)
        )
        unigram = Unigram(known)
        return float(np.mean([unigram.nats(tokens).sum() / max(1, len(tokens)) for tokens in told]))

    def exercise(self, example: Example) -> Exercise | None:
        """See TaskKind."""
        return Exercise(given=Example(text=example.text), right=example.second or example.text)

    def predict(
        self, model: Any, tokenizer: Any, examples: Sequence[Example], settings: EncodeSettings, asked: Predict
    ) -> Iterator[tuple[str, ...]]:
        """See TaskKind. What the network writes for each text; of pairs, the first is read."""
        sources = [example.text for example in examples]
        yield from zip(sources, translations(model, tokenizer, sources, settings.max_length, asked), strict=True)
