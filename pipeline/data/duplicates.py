"""Texts that stand on both sides of a split: word for word, except for case or punctuation, or nearly.

The texts of each example are compared: one, or both of a pair, which is the same in both orders. A text that differs
from another only in case or punctuation repeats it if both have the same label: "US" and "us" of two classes are two
texts.

Nearly: the Jaccard similarity of their sets of three-word shingles is at least 0.8 (Broder 1997). The search is exact:
two sets as alike as that must share one of their rarest shingles (prefix filtering, Bayardo et al. 2007), so only pairs
that do are compared.
"""

import hashlib
import itertools
import re
import unicodedata
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.data.sets import Repeats

Texts = tuple[str, ...]  # of one example
THRESHOLD = 0.8
_SHINGLE = 3
_WORDS = np.uint64(2_642_245)  # whose cube is the largest that 64 bits hold
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


@dataclass(frozen=True, kw_only=True, eq=False)
class Alike:
    """Which rows also stand in another set, bool [rows] each; no row is in two of them."""

    exact: np.ndarray
    folded: np.ndarray  # except for case or punctuation, with the same label
    near: np.ndarray
    relabelled: np.ndarray  # except for case or punctuation, with another label: no repeat of that text

    @property
    def repeated(self) -> np.ndarray:
        """Rows that repeat one of the other set, bool [rows]."""
        repeated: np.ndarray = self.exact | self.folded | self.near
        return repeated


def repeats(texts: Iterable[Texts], labels: Iterable[Hashable]) -> Repeats:
    """Counts the rows that repeat an earlier one; `labels` has one for each row, equal where none counts."""
    exact: dict[bytes, set[Hashable]] = {}
    folded: dict[bytes, set[Hashable]] = {}
    rows = of_case = relabelled = 0
    for text, label in zip(texts, labels, strict=True):
        rows += 1
        same_words, same_key = (
            exact.setdefault(_key(text, _words), set()),
            folded.setdefault(_key(text, normalise), set()),
        )
        if not same_words and same_key:
            of_case, relabelled = of_case + (label in same_key), relabelled + (label not in same_key)
        same_words.add(label)
        same_key.add(label)
    return Repeats(
        exact=rows - len(exact),
        folded=of_case,
        conflicting=sum(len(found) > 1 for found in exact.values()),
        relabelled=relabelled,
    )


def overlap(
    pool: Iterable[Texts], pool_labels: Sequence[Hashable], held: Iterable[Texts], held_labels: Sequence[Hashable]
) -> Alike:
    """Finds the texts of `pool` that also stand in `held`; labels as in `repeats`."""
    words, labels = set(), dict[bytes, set[Hashable]]()
    for text, label in zip(held, held_labels, strict=True):
        words.add(_key(text, _words))
        labels.setdefault(_key(text, normalise), set()).add(label)
    own, keys = list[bytes](), list[bytes]()
    for text in pool:
        own.append(_key(text, _words))
        keys.append(_key(text, normalise))
    exact = np.array([key in words for key in own], dtype=bool)
    known = np.array([key in labels for key in keys], dtype=bool) & ~exact
    same = np.array([label in labels.get(key, ()) for key, label in zip(keys, pool_labels, strict=True)], dtype=bool)
    first = {key: row for row, key in reversed(list(enumerate(own)))}  # equal texts are compared once
    rest = np.array([first[key] == row for row, key in enumerate(own)], dtype=bool) & ~exact & ~known
    near_rows = np.flatnonzero(rest)[_near_in_any_order(_Chosen(pool, rest), held)]
    alike = {own[row] for row in near_rows}
    near_ones = np.array([key in alike for key in own], dtype=bool)
    return Alike(exact=exact, folded=known & same, near=near_ones, relabelled=known & ~same)


def known_halves(pool: Iterable[Texts], held: Iterable[Texts]) -> np.ndarray:
    """Which pairs of `held` have a text that also stands in a pair of `pool` (normalised), bool [len(held)]."""
    known = {_key((half,), normalise) for pair in pool for half in pair}
    return np.array([any(_key((half,), normalise) in known for half in pair) for pair in held], dtype=bool)


def _words(text: str) -> str:
    """The text itself, whatever its white space and however its accents are encoded."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def _key(texts: Texts, fold: Callable[[str], str]) -> bytes:
    """A digest of the folded texts, which takes less memory than they do; of a pair, the same in both orders."""
    folded = tuple(sorted(fold(text) for text in texts))
    return hashlib.blake2b(repr(folded).encode(), digest_size=16).digest()


@dataclass(frozen=True)
class _Chosen:
    """Some of the texts, at each pass."""

    texts: Iterable[Texts]
    rows: np.ndarray  # bool [texts]

    def __iter__(self) -> Iterator[Texts]:
        return itertools.compress(self.texts, self.rows)


def _near_in_any_order(pool: Iterable[Texts], held: Iterable[Texts]) -> np.ndarray:
    known = sorted({normalise(" ".join(texts)) for texts in held})
    found = near((normalise(" ".join(texts)) for texts in pool), known)
    if any(len(texts) > 1 for texts in pool):
        found |= near((normalise(" ".join(reversed(texts))) for texts in pool), known)
    return found


def near(pool: Iterable[str], held: Sequence[str], threshold: float = THRESHOLD) -> np.ndarray:
    """Which normalised texts of `pool` have one in `held` with Jaccard similarity >= `threshold`, bool [pool].

    Texts of fewer than three words have no shingles and are never near.
    """
    shingles = _shingles(itertools.chain(pool, held))
    count = shingles.shape[0] - len(held)
    found = np.zeros(count, dtype=bool)
    if not count or not held:
        return found
    sizes = np.diff(shingles.indptr)
    rarest = _prefixes(shingles, sizes, threshold)
    pool_rows, held_rows = rarest[:count], rarest[count:]
    inverted = held_rows.T.tocsr()
    for start in range(0, count, _ROWS):
        pairs = (pool_rows[start : start + _ROWS] @ inverted).tocoo()
        left, right = pairs.row + start, pairs.col + count
        for at in range(0, len(left), _PAIRS):
            a, b = left[at : at + _PAIRS], right[at : at + _PAIRS]
            common = np.asarray(shingles[a].multiply(shingles[b]).sum(axis=1)).ravel()
            found[a[common >= threshold * (sizes[a] + sizes[b] - common)]] = True
    return found


def _shingles(texts: Iterable[str]) -> Any:
    """Sparse 0/1 matrix [texts, shingles], columns in order of rarity."""
    from scipy import sparse

    numbers: dict[str, int] = {}
    codes = [np.zeros(0, dtype=np.uint64)]
    for text in texts:
        words = [numbers.setdefault(word, len(numbers)) for word in _UNSPACED.sub(r" \1 ", text).split()]
        codes.append(np.unique(_codes(np.array(words, dtype=np.uint64))))
    ends = np.cumsum([len(of_text) for of_text in codes])
    every = np.concatenate(codes)
    del codes
    _, columns, counts = np.unique(every, return_inverse=True, return_counts=True)
    rank = np.empty(len(counts), dtype=np.int64)
    rank[np.argsort(counts, kind="stable")] = np.arange(len(counts))
    ones = np.ones(len(columns), dtype=np.int32)
    matrix = sparse.csr_matrix((ones, rank[columns], ends), shape=(len(ends) - 1, max(len(counts), 1)))
    matrix.sort_indices()
    return matrix


def _codes(words: np.ndarray) -> np.ndarray:
    """One number a shingle, exact for up to _WORDS different words."""
    if len(words) < _SHINGLE:
        return np.empty(0, dtype=np.uint64)
    codes: np.ndarray = (words[:-2] * _WORDS + words[1:-1]) * _WORDS + words[2:]
    return codes


def _prefixes(shingles: Any, sizes: np.ndarray, threshold: float) -> Any:
    """The rarest size - ceil(threshold * size) + 1 shingles of each row."""
    from scipy import sparse

    keep = np.where(sizes > 0, sizes - np.ceil(threshold * sizes - 1e-9).astype(np.int64) + 1, 0)
    place = np.arange(len(shingles.indices)) - np.repeat(shingles.indptr[:-1], sizes)
    chosen = place < np.repeat(keep, sizes)
    ends = np.concatenate([[0], np.cumsum(keep)])
    return sparse.csr_matrix((shingles.data[chosen], shingles.indices[chosen], ends), shape=shingles.shape)
