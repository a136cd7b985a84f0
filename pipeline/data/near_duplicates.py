"""Texts that are nearly the same as one of a held-out set.

Nearly: the Jaccard similarity of their sets of three-word shingles is at least 0.8 (Broder 1997). Only what is known of
the held-out texts is kept in memory. Up to EXACT of them the search is exact; more are hashed, see `minhash.py`.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from pipeline.data.minhash import MinHash
from pipeline.data.shingles import Shingles

THRESHOLD = 0.8
EXACT = 50_000  # held-out texts
_PAIRS = 200_000  # compared at once, to bound memory


class NearDuplicates:
    """The shingles of the held-out texts, to which others are compared.

    Args:
        held: normalised texts. Those of fewer than three words have no shingles, and nothing is near them.
        threshold: of the Jaccard similarity.
        exact: up to so many different texts the search is exact.
    """

    def __init__(self, held: Iterable[str], threshold: float = THRESHOLD, exact: int = EXACT) -> None:
        shingles = Shingles.of(_different(held))
        self.hashed = len(shingles) > exact
        self._search = MinHash(shingles, threshold) if self.hashed else PrefixFilter(shingles, threshold)

    def of(self, texts: Iterable[str]) -> np.ndarray:
        """Which normalised texts have a near one among those held out, bool [texts]."""
        return near_any(texts, [self])[:, 0]

    def near(self, texts: Shingles) -> np.ndarray:
        """The same of texts whose shingles are known."""
        return self._search.near(texts)


def near_any(texts: Iterable[str], sets: Sequence[NearDuplicates]) -> np.ndarray:
    """Which normalised texts have a near one in each of these held-out sets, bool [texts, sets]."""
    batches = [np.zeros((0, len(sets)), dtype=bool)]
    batches += [np.stack([held.near(some) for held in sets], axis=1) for some in Shingles.batches(texts)]
    return np.concatenate(batches)


class PrefixFilter:
    """The exact search: two sets that are near must share one of their rarest shingles (Bayardo et al. 2007).

    So only pairs that do are compared. A shingle that no held-out text has is the rarest of all and has no partner, so
    a text with many such shingles is done with before it is compared.

    Args:
        held: of each held-out text.
        threshold: of the Jaccard similarity.
    """

    def __init__(self, held: Shingles, threshold: float) -> None:
        from scipy import sparse

        self.threshold, self.sizes = threshold, held.sizes
        self.known, columns, counts = np.unique(held.codes, return_inverse=True, return_counts=True)
        self.rank = np.empty(len(counts), dtype=np.int64)
        self.rank[np.argsort(counts, kind="stable")] = np.arange(len(counts))
        ones = np.ones(len(columns), dtype=np.int32)
        shape = (len(held), max(len(counts), 1))
        self.shingles = sparse.csr_matrix((ones, self.rank[columns], held.starts), shape=shape)
        self.shingles.sort_indices()
        self.by_prefix = _first(self.shingles, self._prefix(self.sizes)).T.tocsr()

    def near(self, texts: Shingles) -> np.ndarray:
        """Which texts have a near one among those held out, bool [texts]."""
        from scipy import sparse

        near = np.zeros(len(texts), dtype=bool)
        if not len(self.known):
            return near
        sizes, rows = texts.sizes, texts.rows
        at = np.searchsorted(self.known, texts.codes).clip(max=len(self.known) - 1)
        shared = self.known[at] == texts.codes
        able = np.bincount(rows[shared], minlength=len(texts)) >= self.threshold * sizes - 1e-9
        shared &= able[rows]  # of a text that is near another, that share is the other's
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
        rows = np.flatnonzero(np.diff(prefixes.indptr))
        for start in range(0, len(rows), 64):
            some = rows[start : start + 64]
            pairs = (prefixes[some] @ self.by_prefix).tocoo()
            for at in range(0, pairs.nnz, _PAIRS):
                yield some[pairs.row[at : at + _PAIRS]], pairs.col[at : at + _PAIRS]

    def _prefix(self, sizes: np.ndarray) -> np.ndarray:
        """How many of its rarest shingles a set of each size is looked up by: size - ceil(threshold * size) + 1."""
        return np.where(sizes > 0, sizes - np.ceil(self.threshold * sizes - 1e-9).astype(np.int64) + 1, 0)


def _different(texts: Iterable[str]) -> Iterator[str]:
    """Each text once."""
    seen = set[int]()  # their hashes, which take less room than they
    for text in texts:
        key = hash(text)
        if key not in seen:
            seen.add(key)
            yield text


def _first(matrix: Any, counts: np.ndarray) -> Any:
    """The first `counts` entries of each row."""
    from scipy import sparse

    sizes = np.diff(matrix.indptr)
    place = np.arange(len(matrix.indices)) - np.repeat(matrix.indptr[:-1], sizes)
    chosen = place < np.repeat(counts, sizes)
    ends = np.concatenate([[0], np.cumsum(np.minimum(counts, sizes))])
    return sparse.csr_matrix((matrix.data[chosen], matrix.indices[chosen], ends), shape=matrix.shape)
