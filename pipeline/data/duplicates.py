"""Texts that stand on both sides of a split: word for word after normalisation, or nearly.

Nearly: the Jaccard similarity of their sets of three-word shingles is at least 0.8 (Broder 1997). The search is exact:
two sets as alike as that must share one of their rarest shingles (prefix filtering, Bayardo et al. 2007), so only pairs
that do are compared.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

import numpy as np

THRESHOLD = 0.8
_SHINGLE = 3
_ROWS, _PAIRS = 64, 200_000  # rows and pairs compared at once, to bound memory
_UNSPACED = re.compile(r"([\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff])")  # scripts written without spaces


class _Folding(dict[int, str]):
    """Punctuation, separators and control characters to a space; anything else stays."""

    def __missing__(self, code: int) -> str:
        self[code] = " " if unicodedata.category(chr(code))[0] in "PZC" else chr(code)
        return self[code]


_FOLDING = _Folding()


def normalise(text: str) -> str:
    """The text with case, punctuation and white space folded (Unicode NFKC); as it is where nothing else remains."""
    folded = unicodedata.normalize("NFKC", text).casefold().translate(_FOLDING)
    return " ".join(folded.split()) or text.strip()


def repeats(texts: Sequence[str], labels: np.ndarray) -> tuple[int, int]:
    """How many rows repeat an earlier text, and how many texts occur with different labels (all normalised)."""
    classes: dict[str, set[int]] = {}
    for text, label in zip(texts, labels.tolist(), strict=True):
        classes.setdefault(normalise(text), set()).add(label)
    return len(texts) - len(classes), sum(len(c) > 1 for c in classes.values())


def overlap(pool: Sequence[str], held: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Which texts of `pool` also stand in `held`: bool [len(pool)], exact and near (not exact) ones."""
    pool_keys, held_keys = [normalise(t) for t in pool], {normalise(t) for t in held}
    exact = np.array([k in held_keys for k in pool_keys], dtype=bool)
    rest = list(dict.fromkeys(k for k, found in zip(pool_keys, exact, strict=True) if not found))
    alike = {k for k, found in zip(rest, near(rest, sorted(held_keys)), strict=True) if found}
    return exact, np.array([k in alike for k in pool_keys], dtype=bool)


def near(pool: Sequence[str], held: Sequence[str], threshold: float = THRESHOLD) -> np.ndarray:
    """Which normalised texts of `pool` have one in `held` with Jaccard similarity >= `threshold`, bool [len(pool)].

    Texts of fewer than three words have no shingles and are never near.
    """
    found = np.zeros(len(pool), dtype=bool)
    if not pool or not held:
        return found
    shingles = _shingles([*pool, *held])
    sizes = np.diff(shingles.indptr)
    rarest = _prefixes(shingles, sizes, threshold)
    pool_rows, held_rows = rarest[: len(pool)], rarest[len(pool) :]
    inverted = held_rows.T.tocsr()
    for start in range(0, len(pool), _ROWS):
        pairs = (pool_rows[start : start + _ROWS] @ inverted).tocoo()
        left, right = pairs.row + start, pairs.col + len(pool)
        for at in range(0, len(left), _PAIRS):
            a, b = left[at : at + _PAIRS], right[at : at + _PAIRS]
            common = np.asarray(shingles[a].multiply(shingles[b]).sum(axis=1)).ravel()
            found[a[common >= threshold * (sizes[a] + sizes[b] - common)]] = True
    return found


def _shingles(texts: Sequence[str]) -> Any:
    """Sparse 0/1 matrix [texts, shingles], columns in order of rarity."""
    from scipy import sparse

    numbers: dict[str, int] = {}
    words = [
        np.array([numbers.setdefault(w, len(numbers)) for w in _UNSPACED.sub(r" \1 ", t).split()], dtype=np.uint64)
        for t in texts
    ]
    base = np.uint64(len(numbers) + 1)
    codes = [np.unique(_codes(w, base)) for w in words]
    _, columns, counts = np.unique(np.concatenate(codes), return_inverse=True, return_counts=True)
    rank = np.empty(len(counts), dtype=np.int64)
    rank[np.argsort(counts, kind="stable")] = np.arange(len(counts))
    ends = np.cumsum([0, *(len(c) for c in codes)])
    ones = np.ones(len(columns), dtype=np.int32)
    matrix = sparse.csr_matrix((ones, rank[columns], ends), shape=(len(texts), max(len(counts), 1)))
    matrix.sort_indices()
    return matrix


def _codes(words: np.ndarray, base: np.uint64) -> np.ndarray:
    """One number a shingle, exact for up to 2.6 million different words."""
    if len(words) < _SHINGLE:
        return np.empty(0, dtype=np.uint64)
    codes: np.ndarray = (words[:-2] * base + words[1:-1]) * base + words[2:]
    return codes


def _prefixes(shingles: Any, sizes: np.ndarray, threshold: float) -> Any:
    """The rarest size - ceil(threshold * size) + 1 shingles of each row."""
    from scipy import sparse

    keep = np.where(sizes > 0, sizes - np.ceil(threshold * sizes - 1e-9).astype(np.int64) + 1, 0)
    place = np.arange(len(shingles.indices)) - np.repeat(shingles.indptr[:-1], sizes)
    chosen = place < np.repeat(keep, sizes)
    ends = np.concatenate([[0], np.cumsum(keep)])
    return sparse.csr_matrix((shingles.data[chosen], shingles.indices[chosen], ends), shape=shingles.shape)
