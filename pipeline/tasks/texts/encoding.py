"""Texts as token ids, and ids as padded batches: alike for every kind that reads single texts."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import DataError
from pipeline.tasks.example import Example
from pipeline.tasks.kind import Batch, Encoded

if TYPE_CHECKING:
    import torch

_IDS_ALONE = dict.fromkeys(("return_attention_mask", "return_token_type_ids", "return_overflowing_tokens"), False)
OF_TOKENS = frozenset({"input_ids", "attention_mask", "token_type_ids"})  # of a batch, [B, L]


def encode(texts: Sequence[str], tokenizer: Any, max_length: int) -> Encoded:
    """See TaskKind. A text counts as truncated when its tokens do not all fit."""
    if not texts:
        return Encoded(ids=[], truncated=0)
    encoded = tokenizer(list(texts), truncation=True, max_length=max_length, **_IDS_ALONE)
    ids = [np.asarray(row, dtype=np.int32) for row in encoded["input_ids"]]
    full = [i for i, row in enumerate(ids) if len(row) >= max_length]
    return Encoded(ids=ids, truncated=sum(_overflows(texts[i], tokenizer, max_length) for i in full))


def _overflows(text: str, tokenizer: Any, max_length: int) -> bool:
    return len(tokenizer(text, verbose=False)["input_ids"]) > max_length


def encode_pairs(pairs: Sequence[tuple[str, ...]], tokenizer: Any, max_length: int) -> Encoded:
    """See TaskKind. Both texts of each pair; "second" is where the second begins, or the end if empty or not told."""
    ids, begins, truncated = [], [], 0
    for pair in pairs:
        both = tuple(filter(None, pair)) or pair[:1]
        read = tokenizer(*both, truncation="longest_first", max_length=max_length)
        row = np.asarray(read["input_ids"], dtype=np.int32)
        types = np.asarray(read.get("token_type_ids", np.zeros(len(row))))  # as whoever uses the tokenizer gets them
        ids.append(row)
        begins.append(int(types.argmax()) if types.any() else len(types))
        if len(types) >= max_length:
            truncated += len(tokenizer(*both, verbose=False)["input_ids"]) > max_length
    return Encoded(ids=ids, truncated=truncated, beside={"second": np.array(begins, dtype=np.int32)})


def encode_both(examples: Sequence[Example], tokenizer: Any, max_length: int) -> Encoded:
    """See TaskKind. Both texts of each pair, each by itself, one after the other; "second" is where the other begins.

    Of a pair each takes at most half of `max_length`; a text without another may take it all.
    """
    rows, begins, truncated = [], [], 0
    for first, second in ((example.text, example.second or "") for example in examples):
        most = max_length // 2 if second else max_length
        read = [tokenizer(first, truncation=True, max_length=most)["input_ids"]]
        read += [tokenizer(text_target=second, truncation=True, max_length=most)["input_ids"]] if second else []
        rows.append(np.array([token for ids in read for token in ids], dtype=np.int32))
        begins.append(len(read[0]))
        full = [said for said, ids in zip((first, second), read, strict=False) if len(ids) >= most]
        truncated += any(_overflows(said, tokenizer, most) for said in full)
    return Encoded(ids=rows, truncated=truncated, beside={"second": np.array(begins, dtype=np.int32)})


def encode_after(examples: Sequence[Example], tokenizer: Any, max_length: int) -> Encoded:
    """See TaskKind. Each text after the token it begins with; "bytes" are those in UTF-8 that its tokens stand for.

    Raises:
        DataError: there is no such token, or it is not known which characters a token stands for.
    """
    start = start_of(tokenizer)
    if not getattr(tokenizer, "is_fast", False):
        raise DataError("This kind needs a tokenizer that knows where its tokens stand (tokenizer.json).")
    ids, sizes, truncated = [], [], 0
    for text in (example.whole for example in examples):
        read = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
        kept = read["input_ids"][: max_length - 1]
        truncated += len(kept) < len(read["input_ids"])
        end = len(text) if len(kept) == len(read["input_ids"]) else read["offset_mapping"][len(kept) - 1][1]
        ids.append(np.array([start, *kept], dtype=np.int32))
        sizes.append(len(text[:end].encode()))
    return Encoded(ids=ids, truncated=truncated, beside={"bytes": np.array(sizes, dtype=np.int32)})


def start_of(tokenizer: Any) -> int:
    """The token that a text begins with: the one for that, or else the one that ends the text before.

    Raises:
        DataError: there is neither.
    """
    candidates = (tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.cls_token_id)
    if all(token is None for token in candidates):
        raise DataError("This kind needs a base whose tokenizer has a token for the start or the end of a text.")
    return next(int(token) for token in candidates if token is not None)


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


def read_by(model: Any, batch: Batch) -> dict[str, Any]:
    """What a network takes of a batch: whose text a token is of, where the network tells that apart."""
    told = "token_type_ids" in batch and getattr(model.config, "type_vocab_size", 0) > 1
    return tokens_of(batch) | ({"token_type_ids": batch["token_type_ids"]} if told else {})


def tokens_of(batch: Batch) -> dict[str, Any]:
    """The tokens and where they are: None where the batch says of itself that it is "whole", that is, everywhere.

    Without a mask a GPU's attention is quicker, and need not look whether all of it is there.
    """
    mask = None if batch.get("whole") else batch["attention_mask"]
    return {"input_ids": batch["input_ids"], "attention_mask": mask}


def moved(batch: Batch, model: Any) -> dict[str, Any]:
    """The batch on the device of the network."""
    device = next(model.parameters()).device
    return {name: values.to(device) for name, values in batch.items()}


def batch_of(ids: Sequence[np.ndarray], labels: np.ndarray, pad: int) -> "dict[str, torch.Tensor]":
    """What every kind's batch holds: tokens and mask, and "labels" int64 [B]."""
    import torch

    return tokens_and_mask(ids, pad) | {"labels": torch.from_numpy(np.asarray(labels, dtype=np.int64))}
