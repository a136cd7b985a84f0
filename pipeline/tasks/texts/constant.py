"""What can be answered without reading a text: the token frequencies of the training texts, and the best label set."""

from collections.abc import Sequence

import numpy as np

from pipeline.analysis.metrics import f1_of_sums


class Unigram:
    """Tokens are as likely as they are frequent in `rows`, with one added to each count (Laplace)."""

    def __init__(self, rows: Sequence[np.ndarray]) -> None:
        counts = np.bincount(np.concatenate(rows)) if rows else np.zeros(0)
        self._likely = int(counts.argmax()) if len(counts) else -1
        self._nats = np.log(counts.sum() + len(counts) + 1) - np.log(np.append(counts, 0) + 1)

    def nats(self, tokens: np.ndarray) -> np.ndarray:
        """Of each token, float64 [T]; those that `rows` do not hold share one place."""
        return np.asarray(self._nats[np.minimum(tokens, len(self._nats) - 1)])

    def hits(self, tokens: np.ndarray) -> np.ndarray:
        """Which of the tokens are the most frequent one, bool [T]."""
        return np.asarray(tokens == self._likely)


def frequent_labels(right: np.ndarray, *, overall: bool) -> np.ndarray:
    """The set of most frequent labels with the best F1 on texts whose labels are `right`, bool [N, C]; bool [C].

    Args:
        right: which labels each text has.
        overall: whether F1 is over all labels of all texts, instead of a mean over texts.
    """
    order = np.argsort(-right.sum(axis=0), kind="stable")
    known = np.zeros((len(right), 1), dtype=np.int64)
    hits = np.concatenate([known, np.cumsum(right[:, order], axis=1)], axis=1)  # of the first k labels, [N, C + 1]
    sizes = right.sum(axis=1)[:, None] + np.arange(right.shape[1] + 1)
    sums = np.stack([hits, sizes], axis=-1)
    f1 = f1_of_sums(sums.sum(axis=0)) if overall else f1_of_sums(sums).mean(axis=0)
    told = np.zeros(right.shape[1], dtype=bool)
    told[order[: int(f1.argmax())]] = True
    return told
