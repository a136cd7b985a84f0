"""Spans of tagged words (BIO and BIOES), as seqeval defines them, and how many of them two taggings share.

A tag "B-x" begins a span of type x, "I-x" goes on with it, "E-x" ends it and "S-x" is one of a single word; "O" stands
outside. I-x or E-x begins a span, too, if no span of its type is open before it. A tag of another form, such as a part
of speech, is a span of a single word.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch

OUTSIDE = 0
_ROLES = 4
_ROLE = {"B": 0, "I": 1, "E": 2, "S": 3}  # those from _CLOSES on end their span
_CLOSES, _SINGLE = 2, 3


def span_codes(tags: Sequence[str]) -> np.ndarray:
    """What each tag is in a span, int32 [C]: OUTSIDE, or its type's number (from 1 on) times 4 plus its role."""
    parts = [(_ROLE[tag[0]], tag[2:]) if tag[:1] in _ROLE and tag[1:2] == "-" else (_SINGLE, tag) for tag in tags]
    number = {name: n for n, name in enumerate(dict.fromkeys(name for _, name in parts), start=1)}
    codes = [_ROLES * number[name] + role for role, name in parts]
    return np.array([OUTSIDE if tag == "O" else code for tag, code in zip(tags, codes, strict=True)], dtype=np.int32)


def starts_inside(codes: np.ndarray) -> np.ndarray:
    """Which of a sentence's words, by their codes int [M], begin a span with I or E; bool [M]."""
    import torch

    begins = span_begins(torch.from_numpy(codes.astype(np.int64))[None])[0].numpy()
    role = codes % _ROLES
    return np.asarray(begins & (role > 0) & (role < _SINGLE))


def span_begins(codes: "torch.Tensor") -> "torch.Tensor":
    """Where spans begin, bool [B, M], by the codes of words, int64 [B, M]."""
    import torch

    before = torch.nn.functional.pad(codes, (1, 0), value=OUTSIDE)[:, :-1]
    role = codes % _ROLES
    itself = (role == _ROLE["B"]) | (role == _SINGLE)
    apart = (before // _ROLES != codes // _ROLES) | (before % _ROLES >= _CLOSES)
    return (codes != OUTSIDE) & (itself | apart)


def shared_spans(gold: "torch.Tensor", predicted: "torch.Tensor") -> "tuple[torch.Tensor, torch.Tensor]":
    """How many spans of each sentence are in both taggings, and how many there are in one and the other together.

    A span is in both if its first word, its last word and its type are.

    Args:
        gold: codes of words, int64 [B, M].
        predicted: likewise.

    Returns:
        int64 [B] each.
    """
    begins, others = span_begins(gold), span_begins(predicted)
    same = (gold // _ROLES == predicted // _ROLES) & (_last(gold, begins) == _last(predicted, others))
    return (begins & others & same).sum(dim=1), begins.sum(dim=1) + others.sum(dim=1)


def _last(codes: "torch.Tensor", begins: "torch.Tensor") -> "torch.Tensor":
    """The last word of the span that each word belongs to, int64 [B, M]."""
    import torch

    length = codes.shape[1]
    places = torch.arange(length, device=codes.device).expand_as(codes)
    goes_on = (codes != OUTSIDE) & ~begins
    new = torch.where(goes_on, length, places)
    following = torch.nn.functional.pad(new, (0, 1), value=length)[:, 1:]
    return following.flip(1).cummin(dim=1).values.flip(1) - 1
