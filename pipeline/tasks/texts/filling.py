"""Texts with gaps to be filled, and how well a network knows the words around them."""

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.tasks.kind import Batch
from pipeline.tasks.texts.encoding import moved

if TYPE_CHECKING:
    import torch

GAPS = ("[MASK]", "<mask>")  # however the base's own tokenizer writes it
_BLANK = re.compile(r"(?<!\w)_{2,}(?!\w)")  # as a person writes it: "O céu está __."
AT_ONCE = 64  # copies of a text


def read_with_gaps(text: str, tokenizer: Any, max_length: int) -> Any:
    """What the tokenizer makes of the text, int64 [1, L], its gaps as the tokenizer writes them."""
    for mark in GAPS:
        text = text.replace(mark, tokenizer.mask_token)
    text = _BLANK.sub(lambda _: tokenizer.mask_token, text)
    return tokenizer(text, truncation=True, max_length=max_length, return_tensors="pt")


def nats_of_words(
    forward: "Callable[[Any, Batch], torch.Tensor]", model: Any, tokenizer: Any, text: str, max_length: int
) -> np.ndarray:
    """Of each token of the text itself its surprise where it is left out, float32 [T]; exp of the mean: perplexity.

    With a token the rest of its word is left out too, which would give it away where a word is cut into many pieces, as
    those of a language are that the tokenizer was not made for (Kauf and Ivanova 2023). Gaps stay gaps.
    """
    import torch

    read = read_with_gaps(text, tokenizer, max_length)
    ids, places = read["input_ids"][0], _own(read["input_ids"][0], tokenizer)
    words = read.word_ids(0) if tokenizer.is_fast else list(range(len(ids)))
    nats = [np.zeros(0, dtype=np.float32)]
    for some in (places[i : i + AT_ONCE] for i in range(0, len(places), AT_ONCE)):
        copies = torch.stack([_without(ids, place, words, tokenizer.mask_token_id) for place in some])
        at = torch.tensor(some)[:, None]
        mask = torch.ones_like(copies)
        batch = moved({"input_ids": copies, "attention_mask": mask, "places": at}, model)
        told = forward(model, batch)[:, 0].float().log_softmax(dim=-1)
        nats.append(-told.gather(1, moved({"right": ids[at]}, model)["right"])[:, 0].cpu().numpy())
    return np.concatenate(nats)


def _own(ids: "torch.Tensor", tokenizer: Any) -> list[int]:
    """Where tokens are that say something: neither special nor gaps nor unknown."""
    special = frozenset(tokenizer.all_special_ids)
    return [place for place, token in enumerate(ids.tolist()) if token not in special]


def _without(ids: "torch.Tensor", place: int, words: list[int | None], mask: int) -> "torch.Tensor":
    left = ids.clone()
    for other in _rest_of_word(place, words):
        left[other] = mask
    return left


def _rest_of_word(place: int, words: list[int | None]) -> Iterator[int]:
    yield place
    yield from (other for other in range(place + 1, len(words)) if words[other] == words[place] is not None)
