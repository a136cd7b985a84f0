"""Classification of pairs of texts: whether one answers, follows from or says the same as the other."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.config.schema import Field, TextField
from pipeline.tasks.classification import Classification
from pipeline.tasks.example import Example
from pipeline.tasks.kind import Encoded, EncodeSettings, Vocabulary
from pipeline.tasks.parts import parts_of
from pipeline.tasks.texts.encoding import batch_of, encode_pairs

if TYPE_CHECKING:
    import torch


class PairClassification(Classification):
    """As classification, of two texts with the tokenizer's separator between them; the longer is cut short first."""

    name: str = "pair_classification"
    reads: frozenset[Field] = frozenset({"text", "second", "label"})
    parts: tuple[tuple[TextField, ...], ...] = (("text",), ("second",))
    predicted: tuple[str, ...] = ("second", "label", "probability")
    beside: tuple[str, ...] = ("second",)

    def encode(self, examples: Sequence[Example], tokenizer: Any, settings: EncodeSettings) -> Encoded:
        """See TaskKind. "second" is the position at which the tokenizer says that the second text begins."""
        return encode_pairs([parts_of(self, example) for example in examples], tokenizer, settings.max_length)

    def collate(
        self,
        ids: Sequence[np.ndarray],
        labels: np.ndarray,
        *,
        vocabulary: Vocabulary,
        seeds: np.ndarray,
        beside: Mapping[str, np.ndarray],
    ) -> "dict[str, torch.Tensor]":
        """See TaskKind. "token_type_ids", int64 [B, L]: 1 for the tokens of the second text."""
        import torch

        batch = batch_of(ids, labels, vocabulary.pad)
        begin = torch.from_numpy(np.asarray(beside["second"], dtype=np.int64))[:, None]
        after = torch.arange(batch["input_ids"].shape[1])[None] >= begin
        return batch | {"token_type_ids": (after & batch["attention_mask"].bool()).long()}
