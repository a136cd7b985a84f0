"""Texts that are nearly the same as one of a held-out set.

Nearly: the Jaccard similarity of their sets of three-word shingles is at least 0.8 (Broder 1997). The search is exact:
two sets as alike as that must share one of their rarest shingles (prefix filtering, Bayardo et al. 2007), so only pairs
that do are compared. Only the held-out texts are kept in memory. A shingle that none of them has is the rarest of all
and has no partner, so a text with many such shingles is done with before it is compared.
"""

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

THRESHOLD = 0.8
_SHINGLE = 3
_WORDS = np.uint64(2_642_245)  # whose cube is the largest that 64 bits hold
_TEXTS, _PAIRS = 4096, 200_000  # texts and pairs compared at once, to bound memory
_UNSPACED = re.compile(r"([\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff])")  # scripts written without spaces


class NearDuplicates:
    """The shingles of the held-out texts, to which others are compared.

    Args:
        held: normalised texts. Those of fewer than three words have no shingles, and nothing is near them.
    """

    def __init__(self, held: Sequence[str], threshold: float = THRESHOLD) -> None:
        from scipy import sparse

        self.threshold, self.numbers = threshold, dict[str, int]()
        rows, codes = _shingles(held, self.numbers)
        self.sizes = np.bincount(rows, minlength=len(held))
        self.known, columns, counts = np.unique(codes, return_inverse=True, return_counts=True)
        self.rank = np.empty(len(counts), dtype=np.int64)
        self.rank[np.argsort(counts, kind="stable")] = np.arange(len(counts))
        ones = np.ones(len(columns), dtype=np.int32)
        shape = (len(held), max(len(counts), 1))
        self.shingles = sparse.csr_matrix((ones, (rows, self.rank[columns])), shape=shape)
        self.shingles.sort_indices()
        self.by_prefix = _first(self.shingles, self._prefix(self.sizes)).T.tocsr()

    def of(self, texts: Iterable[str]) -> np.ndarray:
        """Which normalised texts have a near one among those held out, bool [texts]."""
        batches = [np.zeros(0, dtype=bool)]
        every = iter(texts)
        while some := list(itertools.islice(every, _TEXTS)):
            batches.append(self._of(some))
        return np.concatenate(batches)

    def _of(self, texts: Sequence[str]) -> np.ndarray:
        from scipy import sparse

        near = np.zeros(len(texts), dtype=bool)
        if not len(self.known):
            return near
        rows, codes = _shingles(texts, {}, self.numbers)
        sizes = np.bincount(rows, minlength=len(texts))
        at = np.searchsorted(self.known, codes).clip(max=len(self.known) - 1)
        shared = self.known[at] == codes
        ones = np.ones(int(shared.sum()), dtype=np.int32)
        shape = (len(texts), self.shingles.shape[1])
        common = sparse.csr_matrix((ones, (rows[shared], self.rank[at[shared]])), shape=shape)
        common.sort_indices()
        without_partner = sizes - np.diff(common.indptr)  # the rarest, and so the first, of each text
        prefixes = _first(common, np.maximum(self._prefix(sizes) - without_partner, 0))
        for one, other in self._candidates(prefixes):
            both = np.asarray(common[one].multiply(self.shingles[other]).sum(axis=1)).ravel()
            near[one[both >= self.threshold * (sizes[one] + self.sizes[other] - both)]] = True
        return near

    def _candidates(self, prefixes: Any) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Pairs of a text and one held out that share a shingle of their prefixes, as positions."""
        for start in range(0, prefixes.shape[0], 64):
            pairs = (prefixes[start : start + 64] @ self.by_prefix).tocoo()
            for at in range(0, pairs.nnz, _PAIRS):
                yield pairs.row[at : at + _PAIRS] + start, pairs.col[at : at + _PAIRS]

    def _prefix(self, sizes: np.ndarray) -> np.ndarray:
        """How many of its rarest shingles a set of each size is looked up by: size - ceil(threshold * size) + 1."""
        return np.where(sizes > 0, sizes - np.ceil(self.threshold * sizes - 1e-9).astype(np.int64) + 1, 0)


def _shingles(
    texts: Sequence[str], numbers: dict[str, int], known: Mapping[str, int] = MappingProxyType({})
) -> tuple[np.ndarray, np.ndarray]:
    """The different shingles of each text: the text's position and a number for the shingle, by position.

    Numbers are exact for up to _WORDS different words.

    Args:
        numbers: those of words so far; words that `known` lacks are added.
        known: numbers of words, which stay as they are.
    """
    every, lengths, start = list[int](), list[int](), len(known)
    for text in texts:
        words = (text if text.isascii() else _UNSPACED.sub(r" \1 ", text)).split()
        lengths.append(len(words))
        for word in words:
            number = known.get(word)
            every.append(numbers.setdefault(word, start + len(numbers)) if number is None else number)
    ids, owner = np.array(every, dtype=np.uint64), np.repeat(np.arange(len(texts)), lengths)
    if len(ids) < _SHINGLE:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.uint64)
    codes = (ids[:-2] * _WORDS + ids[1:-1]) * _WORDS + ids[2:]
    whole = owner[:-2] == owner[2:]
    rows, codes = owner[:-2][whole], codes[whole]
    order = np.lexsort((codes, rows))
    rows, codes = rows[order], codes[order]
    different = np.ones(len(rows), dtype=bool)
    different[1:] = (rows[1:] != rows[:-1]) | (codes[1:] != codes[:-1])
    return rows[different], codes[different]


def _first(matrix: Any, counts: np.ndarray) -> Any:
    """The first `counts` entries of each row."""
    from scipy import sparse

    sizes = np.diff(matrix.indptr)
    place = np.arange(len(matrix.indices)) - np.repeat(matrix.indptr[:-1], sizes)
    chosen = place < np.repeat(counts, sizes)
    ends = np.concatenate([[0], np.cumsum(np.minimum(counts, sizes))])
    return sparse.csr_matrix((matrix.data[chosen], matrix.indices[chosen], ends), shape=matrix.shape)
