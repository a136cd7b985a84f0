"""What is written against what stands in the reference, by sacrebleu: counts of each text, and scores from them.

Scores of a set come from the sums of its texts' counts, so that a set can be drawn again without being read again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.tasks.kind import Encoded

if TYPE_CHECKING:
    import torch

_ORDERS, _WORDS = 6, 4  # n-grams of characters up to six, of words up to four: sacrebleu's defaults
_SAMPLED = 1000  # references that what is reachable is measured on
_CHRF = 3 * _ORDERS  # of each order: n-grams written, in the reference, in both
STATISTICS = _CHRF + 2 + 2 * _WORDS  # and BLEU's: lengths, then n-grams in both and written of each order


@dataclass(frozen=True, kw_only=True)
class Judge:
    """Has the network write for texts of one set, whose references it holds, and counts what is right."""

    tokenizer: Any
    references: tuple[str, ...]

    def __call__(self, model: Any, batch: Any, items: np.ndarray) -> "torch.Tensor":
        """Of the texts `items` [B] in `batch`, float32 [B, STATISTICS]."""
        import torch

        from pipeline.tasks.heads.encoder_decoder import split
        from pipeline.tasks.writing import written

        parts = split(batch)
        assert parts.source_mask is not None
        said = written(model, self.tokenizer, parts.source, parts.source_mask)
        counted = counts(said, [self.references[int(item)] for item in items])
        return torch.from_numpy(counted).to(parts.source.device)


def counts(said: Sequence[str], references: Sequence[str]) -> np.ndarray:
    """Of each text, float32 [N, STATISTICS]."""
    statistics = [metric._extract_corpus_statistics(list(said), [list(references)]) for metric in _metrics()]
    return np.concatenate([np.asarray(each, dtype=np.float32) for each in statistics], axis=1)


def reachable(encoded: Encoded, tokenizer: Any, references: Sequence[str]) -> float | None:
    """The mean chrF of the first references as the tokenizer writes them, or None where there are none.

    It is below 1 where that lowers case or drops accents.
    """
    some = [i for i, reference in enumerate(references) if reference][:_SAMPLED]
    if not some:
        return None
    own = [encoded.ids[i][encoded.beside["second"][i] :] for i in some]
    said = tokenizer.batch_decode(own, skip_special_tokens=True)
    return float(sentence_scores(counts(said, [references[i] for i in some])).mean())


def sentence_scores(statistics: np.ndarray) -> np.ndarray:
    """The chrF of each text, float32 [N], from 0 to 1."""
    chrf, _ = _metrics()
    return np.array([_share(chrf, row[:_CHRF]) for row in statistics], dtype=np.float32)


def chrf_of_sums(sums: np.ndarray) -> np.ndarray:
    """The chrF of sets, [...], from 0 to 1, by the sums [..., STATISTICS] of their texts' counts."""
    return np.apply_along_axis(lambda one: _share(_metrics()[0], one[:_CHRF]), -1, sums)


def bleu_of_sums(sums: np.ndarray) -> np.ndarray:
    """Their BLEU, likewise."""
    return np.apply_along_axis(lambda one: _share(_metrics()[1], one[_CHRF:]), -1, sums)


def _share(metric: Any, sums: np.ndarray) -> float:
    return float(metric._compute_score_from_stats([round(n) for n in sums]).score) / 100


@lru_cache
def _metrics() -> tuple[Any, Any]:
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF

    return CHRF(), BLEU(force=True)  # texts that look tokenized are no reason for a warning
