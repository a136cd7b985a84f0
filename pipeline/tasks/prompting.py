"""Texts put into a prompt, "{text} It was [MASK].", of which none is lost where a text is too long."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline.config.schema import Task
from pipeline.errors import DataError
from pipeline.tasks.kind import PAIR, Encoded, joined, labels_after

TEXT, GAP = "{text}", "[MASK]"


def as_read(task: Task, texts: Sequence[str], classes: Sequence[str] = (), prefix: str | None = None) -> list[str]:
    """The texts as the task's kind encodes them: with its prompt after each, or the numbers of the labels it has.

    Args:
        classes: of which texts have several; without them the texts are taken for texts alone.
        prefix: what the base wants to see before every text, both texts of a pair included.
    """
    if prefix:
        texts = [_prefixed(text, prefix, both=task.data.second is not None) for text in texts]
    if task.prompt is not None:
        return [joined(text.replace(PAIR, " "), task.prompt) for text in texts]
    if task.data.labels is None:
        return list(texts)
    return _numbered(texts, classes) if classes else [text.replace(PAIR, " ") for text in texts]


def _prefixed(text: str, prefix: str, *, both: bool) -> str:
    first, *rest = text.split(PAIR)
    return PAIR.join([prefix + first, *(prefix + other if both and i == 0 else other for i, other in enumerate(rest))])


def _numbered(texts: Sequence[str], classes: Sequence[str]) -> list[str]:
    """Texts with the numbers of their labels, "a text\x1f0 3", instead of the labels, "a text\x1fgrim\x1elong"."""
    number = {name: str(i) for i, name in enumerate(classes)}
    return [joined(text.partition(PAIR)[0], " ".join(number[name] for name in labels_after(text))) for text in texts]


def encode_prompted(texts: list[str], tokenizer: Any, max_length: int) -> Encoded:
    """See TaskKind. Each text comes with its prompt, see `as_read`; one without any is encoded as it is.

    Raises:
        DataError: the prompt has a gap where the tokenizer has none, or the other way round.
    """
    ids, truncated = [], 0
    for text, _, prompt in (each.partition(PAIR) for each in texts):
        written = _written(prompt or TEXT, tokenizer, asked=bool(prompt))
        kept = _shortened(text, written, tokenizer, max_length)
        truncated += kept != text
        ids.append(np.array(_tokens(written.replace(TEXT, kept), tokenizer)[:max_length], dtype=np.int32))
    return Encoded(ids=ids, truncated=truncated)


def _written(prompt: str, tokenizer: Any, *, asked: bool) -> str:
    """The prompt with the gap as the tokenizer writes it."""
    mask = tokenizer.mask_token
    if asked and (GAP in prompt) != (mask is not None):
        rule = f"must have a gap, written as {GAP}," if mask else f"must have no gap ({GAP})"
        why = "an encoder" if mask else "a decoder, which goes on after its end"
        raise DataError(f"task.prompt {rule} for this base, {why}, but it is {prompt!r}.")
    return prompt.replace(GAP, mask) if mask else prompt


def _tokens(text: str, tokenizer: Any) -> list[int]:
    """A decoder's text must not end with a token for its end."""
    found: list[int] = tokenizer(text, add_special_tokens=tokenizer.mask_token is not None, verbose=False)["input_ids"]
    return found


def _shortened(text: str, written: str, tokenizer: Any, max_length: int) -> str:
    """The text without as many tokens at its end as are too many."""
    while text and (more := len(_tokens(written.replace(TEXT, text), tokenizer)) - max_length) > 0:
        places = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)["offset_mapping"]
        text = text[: places[-more - 1][1]] if more < len(places) else ""
    return text
