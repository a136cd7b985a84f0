"""Metrics that follow from sums over a set's texts: of all of them as one text, and correlations.

A set is drawn again by weighting its texts' statistics, without any of them being read again.
"""

from collections.abc import Callable

import numpy as np

from pipeline.analysis.metrics import f1_of_sums, pearson_of_sums
from pipeline.tasks.texts.text_metrics import bleu_of_sums, chrf_of_sums

BITS = 1 / np.log(2)  # in a nat
_AT_ONCE = 250  # draws of a set: each has a weight for every text


def _bits_per_byte(sums: np.ndarray) -> np.ndarray:
    return np.asarray(sums[..., 0] * BITS / np.maximum(sums[..., 2], 1))


def _perplexity(sums: np.ndarray) -> np.ndarray:
    return np.asarray(np.exp(sums[..., 0] / np.maximum(sums[..., 1], 1)))


def _token_accuracy(sums: np.ndarray) -> np.ndarray:
    return np.asarray(sums[..., 0] / np.maximum(sums[..., 1], 1))


def _span_f1(sums: np.ndarray) -> np.ndarray:
    return f1_of_sums(sums[..., 2:])


# Each takes sums [..., K] of what its kind's `statistics` are, and gives [...].
OF_SUMS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "corpus_chrf": chrf_of_sums,
    "corpus_bleu": bleu_of_sums,
    "corpus_bits_per_byte": _bits_per_byte,
    "corpus_perplexity": _perplexity,
    "pearson": pearson_of_sums,
    "micro_f1": f1_of_sums,
    "token_accuracy": _token_accuracy,
    "span_f1": _span_f1,
}


def of_set(metric: str, statistics: np.ndarray) -> float:
    """The metric of the texts with these statistics, [N, K]."""
    return float(of_draws(metric, statistics, np.ones((1, len(statistics))))[0])


def of_draws(metric: str, statistics: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The metric [B] under each of B draws of the texts: statistics [N, K], and how often each is drawn, [B, N]."""
    summands = statistics.astype(np.float64)
    parts = [weights[start : start + _AT_ONCE] for start in range(0, len(weights), _AT_ONCE)]
    return np.concatenate([OF_SUMS[metric](part.astype(np.float64) @ summands) for part in parts])
