"""What is counted of tagged sentences: words and spans that are right, by the logits of their words."""

from typing import TYPE_CHECKING

import numpy as np

from pipeline.analysis.metrics import UNDECIDED
from pipeline.tasks.kind import Batch
from pipeline.tasks.texts.spans import OUTSIDE, shared_spans

if TYPE_CHECKING:
    import torch


def in_sentences(logits: "torch.Tensor", batch: Batch) -> "tuple[torch.Tensor, torch.Tensor]":
    """The logits of a batch's words by sentence, and which words they are of.

    Args:
        logits: [B, M, C] of a network, or [T, C] of a linear model, which reads every word: one row each.
        batch: with "tags" and "starts", int64 [B, M].

    Returns:
        [B, M, C], and bool [B, M].
    """
    if logits.dim() == 3:
        return logits, batch["starts"] >= 0
    words = batch["tags"] >= 0
    filled = logits.new_zeros((*words.shape, logits.shape[-1]))
    filled[words] = logits
    return filled, words


def likeliest(logits: "torch.Tensor") -> "torch.Tensor":
    """The likeliest class of each word, int64 [..., M], by logits [..., M, C]; UNDECIDED at a tie."""
    import torch

    greatest = logits.amax(dim=-1, keepdim=True)
    return torch.where((logits == greatest).sum(dim=-1) == 1, logits.argmax(dim=-1), UNDECIDED)


def counts_of(predicted: "torch.Tensor", batch: Batch) -> "torch.Tensor":
    """Counts each sentence's words tagged right, words, spans in both taggings, and spans in one and the other.

    Args:
        predicted: classes of words, int64 [B, M]; UNDECIDED where there is none.
        batch: with "tags", int64 [B, M], and "codes", int64 [B, C].

    Returns:
        float32 [B, 4].
    """
    import torch

    tags, codes = batch["tags"], batch["codes"]
    words = tags >= 0
    predicted = torch.where(words, predicted, UNDECIDED)
    gold_codes, predicted_codes = (
        torch.where(classes < 0, OUTSIDE, codes.gather(1, classes.clamp_min(0))) for classes in (tags, predicted)
    )
    shared, spans = shared_spans(gold_codes, predicted_codes)
    right = (predicted == tags) & words
    return torch.stack([right.sum(dim=1), words.sum(dim=1), shared, spans], dim=1).float()


def constant_loss(train: np.ndarray, held: np.ndarray, classes: int) -> float:
    """The loss if every word of `held` gets the tags' shares in `train`, with one added to each count.

    Args:
        train: numbers of tags, int [N, M], below 0 behind shorter sentences.
        held: likewise.
        classes: how many there are.
    """
    counts = np.bincount(train[train >= 0], minlength=classes) + 1
    nats = np.where(held >= 0, -np.log(counts / counts.sum())[held], 0.0)
    return float((nats.sum(axis=1) / np.maximum((held >= 0).sum(axis=1), 1)).mean())
