"""Texts put into a prompt, "{text} It was [MASK].", of which none is lost where a text is too long."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline.errors import DataError
from pipeline.tasks.kind import Encoded, EncodeSettings

TEXT, GAP = "{text}", "[MASK]"


def encode_prompted(texts: Sequence[str], tokenizer: Any, settings: EncodeSettings) -> Encoded:
    """Each text within the prompt, of which nothing is truncated; without a prompt the texts as they are.

    Raises:
        DataError: the prompt has a gap where the tokenizer has none, or the other way round.
    """
    most, written = settings.max_length, _written(settings.prompt, tokenizer)
    kept = [_shortened(text, written, tokenizer, most) for text in texts]
    ids = [np.array(_tokens(written.replace(TEXT, text), tokenizer)[:most], dtype=np.int32) for text in kept]
    return Encoded(ids=ids, truncated=sum(short != text for short, text in zip(kept, texts, strict=True)))


def _written(prompt: str | None, tokenizer: Any) -> str:
    """The prompt with the gap as the tokenizer writes it."""
    mask = tokenizer.mask_token
    if prompt is None:
        return TEXT
    if (GAP in prompt) != (mask is not None):
        rule = f"must have a gap, written as {GAP}," if mask else f"must have no gap ({GAP})"
        why = "an encoder" if mask else "a decoder, which goes on after its end"
        raise DataError(f"task.prompt {rule} for this base, {why}, but it is {prompt!r}.")
    return prompt.replace(GAP, mask) if mask else prompt


def _tokens(text: str, tokenizer: Any) -> list[int]:
    """A decoder's text must not end with a token for its end."""
    ids: list[int] = tokenizer(text, add_special_tokens=tokenizer.mask_token is not None, verbose=False)["input_ids"]
    return ids


def _shortened(text: str, written: str, tokenizer: Any, max_length: int) -> str:
    """The text without as many tokens at its end as are too many."""
    while text and (more := len(_tokens(written.replace(TEXT, text), tokenizer)) - max_length) > 0:
        places = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)["offset_mapping"]
        text = text[: places[-more - 1][1]] if more < len(places) else ""
    return text
