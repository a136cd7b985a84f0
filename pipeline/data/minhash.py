"""Near-duplicates by MinHash and locality-sensitive hashing (Broder 1997; Leskovec et al. 2020, chapter 3).

Of two sets with the Jaccard similarity s a random order of all shingles has the same first one with probability s. Five
such orders make a band; texts that agree in one of 20 bands are compared exactly. So no pair is found that is not near,
and one of similarity s is missed with probability (1 - s^5)^20: 0.04% at 0.8, where texts begin to be near, less above.

Of each held-out text 8 bytes a shingle and 8 bytes a band are kept.
"""

from collections.abc import Iterator

import numpy as np

from pipeline.data.shingles import BATCH, Shingles

_BANDS, _ORDERS = 20, 5
_BUCKET = 32  # held-out texts of a band that a text is compared to, to bound time where many are built alike
_PAIRS = 20_000  # compared at once, to bound memory
_MULTIPLIERS = np.random.default_rng(0).integers(1 << 63, size=(_BANDS, _ORDERS), dtype=np.uint64) * np.uint64(2) + 1
_HALF = np.uint64(32)


class MinHash:
    """The shingles of the held-out texts, found by their bands.

    Args:
        held: of each held-out text.
        threshold: of the Jaccard similarity.
    """

    def __init__(self, held: Shingles, threshold: float) -> None:
        self._held, self._threshold = held, threshold
        self._rows = np.flatnonzero(held.sizes).astype(np.int32)
        bands = np.concatenate([np.zeros((0, _BANDS), dtype=np.uint32), *_bands_of(held)])
        self._order = np.argsort(bands, axis=0, kind="stable").astype(np.int32)
        self._bands = np.take_along_axis(bands, self._order, axis=0).T.copy()

    def near(self, texts: Shingles) -> np.ndarray:
        """Which texts have a near one among those held out, bool [texts]."""
        near = np.zeros(len(texts), dtype=bool)
        pairs = self._candidates(texts)
        for at in range(0, len(pairs), _PAIRS):
            one, other = pairs[at : at + _PAIRS].T
            open_still = ~near[one]
            one, other = one[open_still], other[open_still]
            sizes, others = texts.sizes[one], self._held.sizes[other]
            both = _common(texts, one, self._held, other)
            near[one[both >= self._threshold * (sizes + others - both)]] = True
        return near

    def _candidates(self, texts: Shingles) -> np.ndarray:
        """Pairs of a text and one held out, int64 [P, 2], those first that stand first in their bands."""
        rows = np.flatnonzero(texts.sizes)
        bands = _bands(texts.codes, texts.starts[rows])
        found = [np.zeros((0, 3), dtype=np.int64)]
        for at in range(_BANDS):
            first, end = (np.searchsorted(self._bands[at], bands[:, at], side=side) for side in ("left", "right"))
            counts = np.minimum(end - first, _BUCKET)
            place = _counting(counts)
            held = self._rows[self._order[np.repeat(first, counts) + place, at]]
            found.append(np.stack([place, np.repeat(rows, counts), held], axis=1))
        places, one, other = np.concatenate(found).T
        few = np.minimum(texts.sizes[one], self._held.sizes[other])
        many = np.maximum(texts.sizes[one], self._held.sizes[other])
        _, chosen = np.unique(one * np.int64(max(len(self._held), 1)) + other, return_index=True)
        chosen = chosen[(few >= self._threshold * many)[chosen]]
        chosen = chosen[np.argsort(places[chosen], kind="stable")]
        return np.stack([one[chosen], other[chosen]], axis=1)


def _bands_of(texts: Shingles) -> Iterator[np.ndarray]:
    """The bands of all texts that have shingles, uint32 [some, _BANDS]."""
    for start in range(0, len(texts), BATCH):
        starts = texts.starts[start : start + BATCH + 1]
        first = starts[:-1][np.diff(starts) > 0]
        yield _bands(texts.codes[starts[0] : starts[-1]], first - starts[0])


def _bands(codes: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """A number for each band of each text, uint32 [texts, _BANDS]; the codes of text i begin at `starts[i]`."""
    bands = np.zeros((len(starts), _BANDS), dtype=np.uint32)
    for at in range(_BANDS if len(starts) else 0):
        together = np.zeros(len(starts), dtype=np.uint64)
        for multiplier in _MULTIPLIERS[at]:  # an order of all numbers
            together = together * _MULTIPLIERS[0, 0] + np.minimum.reduceat(codes * multiplier, starts)
        bands[:, at] = together >> _HALF
    return bands


def _common(texts: Shingles, one: np.ndarray, held: Shingles, other: np.ndarray) -> np.ndarray:
    """How many shingles the texts of each pair share, int64 [P]."""
    pairs, codes = [], []
    for shingles, rows in ((texts, one), (held, other)):
        sizes = shingles.sizes[rows]
        codes.append(shingles.codes[np.repeat(shingles.starts[rows], sizes) + _counting(sizes)])
        pairs.append(np.repeat(np.arange(len(rows)), sizes))
    pair, code = np.concatenate(pairs), np.concatenate(codes)
    order = np.lexsort((code, pair))
    pair, code = pair[order], code[order]
    twice = (pair[1:] == pair[:-1]) & (code[1:] == code[:-1])
    return np.asarray(np.bincount(pair[1:][twice], minlength=len(one)))


def _counting(counts: np.ndarray) -> np.ndarray:
    """0, 1, ... for each of `counts`, one after the other."""
    ends = np.cumsum(counts)
    return np.asarray(np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - counts, counts))
