"""The share of a set's tokens that its tokenizer does not know: all such words look the same to a network."""

from collections.abc import Sequence
from typing import Any

import numpy as np


def unknown_share(ids: Sequence[np.ndarray], tokenizer: Any) -> float:
    """The share of unknown tokens among the tokens of texts, from 0 to 1, special tokens left out.

    0 where the tokenizer has no such token, or none but the one that begins or ends a text: it works on bytes then.

    Args:
        ids: token ids of each text, int32 [length].
        tokenizer: a Hugging Face tokenizer.
    """
    unknown = tokenizer.unk_token_id
    if unknown is None or not ids:
        return 0.0
    ends = (tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.cls_token_id, tokenizer.sep_token_id)
    if unknown in ends:
        return 0.0
    tokens = np.concatenate(ids)
    special = [token for token in tokenizer.all_special_ids if token != unknown]
    ordinary = tokens[~np.isin(tokens, special)]
    return float((ordinary == unknown).mean()) if len(ordinary) else 0.0
