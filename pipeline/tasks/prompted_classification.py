"""Classification by a language model's own head: a text stands in a prompt, and its class is the likeliest label word.

No head is new, so that the first point of a trajectory is what the base tells without an example (zero-shot), and the
next are what few examples make of that (Schick and Schütze 2021).
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import DataError
from pipeline.tasks.classification import Classification
from pipeline.tasks.example import Example
from pipeline.tasks.heads import head_support, loading
from pipeline.tasks.heads.decoding import forgetful, is_encoder, logits_at
from pipeline.tasks.kind import Batch, Encoded, EncodeSettings, Linear, Vocabulary
from pipeline.tasks.texts.encoding import batch_of, tokens_of
from pipeline.tasks.texts.prompting import encode_prompted

if TYPE_CHECKING:
    import torch


class PromptedClassification(Classification):
    """As classification, over the words that classes are called by: each must be one token.

    The words are told at the prompt's gap, or by a decoder after its end.
    """

    name: str = "prompted_classification"
    own_head: bool = True
    linear: Linear | None = None
    evaluated_at_once: int = 32

    def words(self, tokenizer: Any, labels: Sequence[str]) -> tuple[int, ...]:
        """See PromptedKind.

        Raises:
            DataError: a class is called by a word of several tokens, or two by the same one.
        """
        ids = [tokenizer(f" {label}", add_special_tokens=False)["input_ids"] for label in labels]
        long = [f"{label!r} ({len(row)} tokens)" for label, row in zip(labels, ids, strict=True) if len(row) != 1]
        if long:
            raise DataError(
                f"{self.name} needs classes that are called by words of one token, but these are not: "
                f"{', '.join(long)}. Call them otherwise: task.data.label_names={{VALUE: WORD}}."
            )
        if len({row[0] for row in ids}) < len(ids):
            raise DataError(f"{self.name} needs a word for each class, but two of {', '.join(labels)} are one token.")
        return tuple(int(row[0]) for row in ids)

    def encode(self, examples: Sequence[Example], tokenizer: Any, settings: EncodeSettings) -> Encoded:
        """See TaskKind. What is too long is cut off the text and not off its prompt.

        Raises:
            DataError: the prompt has a gap where the tokenizer has none, or the other way round.
        """
        return encode_prompted([example.text for example in examples], tokenizer, settings)

    def collate(
        self,
        ids: Sequence[np.ndarray],
        labels: np.ndarray,
        *,
        vocabulary: Vocabulary,
        seeds: np.ndarray,
        beside: Mapping[str, np.ndarray],
    ) -> "dict[str, torch.Tensor]":
        """See TaskKind. "place", int64 [B]: where the word is told; "words", int64 [B, C]: the tokens of classes."""
        import torch

        gaps = [np.flatnonzero(row == vocabulary.mask) for row in ids]
        places = [int(gap[-1]) if len(gap) else len(row) - 1 for gap, row in zip(gaps, ids, strict=True)]
        words = torch.tensor(vocabulary.words, dtype=torch.int64).repeat(len(ids), 1)
        return batch_of(ids, labels, vocabulary.pad) | {"place": torch.tensor(places), "words": words}

    def unable(self, config: Any) -> str | None:
        """See TaskKind."""
        return head_support.predicts_words(config)

    def build(self, config: Any) -> Any:
        """See TaskKind."""
        return loading.build(_auto(config), config)

    def load(self, directory: str, config: Any) -> tuple[Any, Mapping[str, Any]]:
        """See TaskKind."""
        return loading.load(_auto(config), directory, config)

    def forward(self, model: Any, batch: Batch) -> "torch.Tensor":
        """See TaskKind. [B, C]."""

        def at_place(hidden: "torch.Tensor") -> "torch.Tensor":
            places = batch["place"][:, None, None].expand(-1, 1, hidden.shape[-1])
            return hidden.gather(1, places)[:, 0]

        return logits_at(model, at_place, **tokens_of(batch), **forgetful(model.config)).gather(1, batch["words"])

    def _vocabulary(self, tokenizer: Any, labels: tuple[str, ...]) -> Vocabulary:
        return Vocabulary.of(tokenizer, words=self.words(tokenizer, labels))


def _auto(config: Any) -> Any:
    from transformers import AutoModelForCausalLM, AutoModelForMaskedLM

    return AutoModelForMaskedLM if is_encoder(config) else AutoModelForCausalLM
