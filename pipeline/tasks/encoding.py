"""Texts as token ids, and ids as padded batches: alike for every kind that reads single texts."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch


def encode(texts: list[str], tokenizer: Any, max_length: int) -> tuple[list[np.ndarray], int]:
    """See TaskKind. A text counts as truncated when its tokens do not all fit."""
    if not texts:
        return [], 0
    encoded = tokenizer(texts, truncation=True, max_length=max_length, return_overflowing_tokens=False)
    ids = [np.asarray(row, dtype=np.int32) for row in encoded["input_ids"]]
    full = [i for i, row in enumerate(ids) if len(row) >= max_length]
    return ids, sum(_overflows(texts[i], tokenizer, max_length) for i in full)


def _overflows(text: str, tokenizer: Any, max_length: int) -> bool:
    return len(tokenizer(text, verbose=False)["input_ids"]) > max_length


def padded(ids: Sequence[np.ndarray], filler: int) -> np.ndarray:
    """The rows, int64 [B, L], filled up to the longest."""
    rows = np.full((len(ids), max(len(row) for row in ids)), filler, dtype=np.int64)
    for i, row in enumerate(ids):
        rows[i, : len(row)] = row
    return rows


def tokens_and_mask(ids: Sequence[np.ndarray], pad: int) -> "dict[str, torch.Tensor]":
    """A network's "input_ids" and "attention_mask", int64 [B, L]."""
    import torch

    mask = padded([np.ones(len(row), dtype=np.int64) for row in ids], 0)
    return {"input_ids": torch.from_numpy(padded(ids, pad)), "attention_mask": torch.from_numpy(mask)}
