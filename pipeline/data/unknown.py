"""The share of a set's tokens that its tokenizer does not know: all such words look the same to a network."""

from typing import Any

import numpy as np


class UnknownTokens:
    """Counts the unknown tokens among the tokens of texts, special tokens left out.

    There are none where the tokenizer has no token for them, or none but the one that begins or ends a text: it works
    on bytes then.

    Args:
        tokenizer: a Hugging Face tokenizer.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer, self._token = tokenizer, _unknown_token(tokenizer)
        self._unknown = self._ordinary = 0

    def count(self, tokens: np.ndarray) -> None:
        """Count more tokens, int32 [T]."""
        if self._token is not None:
            special = [token for token in self._tokenizer.all_special_ids if token != self._token]
            self._ordinary += int((~np.isin(tokens, special)).sum())
            self._unknown += int((tokens == self._token).sum())

    @property
    def share(self) -> float:
        """Of all that were counted, from 0 to 1."""
        return self._unknown / self._ordinary if self._ordinary else 0.0


def _unknown_token(tokenizer: Any) -> int | None:
    if tokenizer.unk_token_id is None:
        return None
    ends = (tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.cls_token_id, tokenizer.sep_token_id)
    return None if tokenizer.unk_token_id in ends else int(tokenizer.unk_token_id)
