"""Texts that stand on both sides of a split: word for word, except for case or punctuation, or nearly.

The texts of each example are compared: one, or all of several, which are the same in any order. A text that differs
from another only in case or punctuation repeats it if both have the same label: "US" and "us" of two classes are two
texts.
"""

import itertools
import unicodedata
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.data.near_duplicates import NearDuplicates, near_any
from pipeline.data.sets import Repeats

Texts = tuple[str, ...]  # of one example


class _Folding(dict[int, str]):
    """Punctuation, separators and control characters to a space; anything else stays."""

    def __missing__(self, code: int) -> str:
        self[code] = " " if unicodedata.category(chr(code))[0] in "PZC" else chr(code)
        return self[code]


_FOLDING = _Folding()


def normalise(text: str) -> str:
    """The text with case, punctuation and white space folded (Unicode NFKC); as it is where nothing else remains."""
    folded = (text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()).translate(_FOLDING)
    return " ".join(folded.split()) or text.strip()


@dataclass(frozen=True, kw_only=True, eq=False)
class Alike:
    """Which rows also stand in another set, bool [rows] each; no row is in two of them."""

    exact: np.ndarray
    folded: np.ndarray  # except for case or punctuation, with the same label
    near: np.ndarray
    relabelled: np.ndarray  # except for case or punctuation, with another label: no repeat of that text
    hashed: bool = False  # whether near ones were searched by hashing, which may miss some

    @property
    def repeated(self) -> np.ndarray:
        """Rows that repeat one of the other set, bool [rows]."""
        repeated: np.ndarray = self.exact | self.folded | self.near
        return repeated


def keys_of(texts: Iterable[Texts]) -> np.ndarray:
    """For each row's texts two numbers: equal where they are the same word for word, and where they are when folded.

    int64 [rows, 2], which hold in this process alone: among ten million texts the odds that two unlike ones share a
    number are one in 400,000.
    """
    pairs = ((_key(one, _words), _key(one, normalise)) for one in texts)
    return np.fromiter(itertools.chain.from_iterable(pairs), dtype=np.int64).reshape(-1, 2)


def repeats(keys: np.ndarray, labels: Sequence[Hashable]) -> Repeats:
    """Counts the rows that repeat an earlier one.

    Args:
        keys: of each row, see `keys_of`.
        labels: one for each row, equal where none counts.
    """
    (exact, folded), (classes,) = keys.T, _numbers(labels)
    new, new_folded = _first_of(exact), _first_of(folded)
    same_label = ~_first_of(_joined(folded, classes))
    of_case = new & ~new_folded
    words = _joined(exact, classes)
    labels_of = np.bincount(np.unique(exact, return_inverse=True)[1], weights=_first_of(words))
    return Repeats(
        exact=int((~new).sum()),
        folded=int((of_case & same_label).sum()),
        conflicting=int((labels_of > 1).sum()),
        relabelled=int((of_case & ~same_label).sum()),
    )


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """The texts of rows, read at each pass, and their labels, as in `repeats`."""

    texts: Iterable[Texts]
    labels: Sequence[Hashable]
    keys: np.ndarray  # see `keys_of`


def overlaps(pool: Labelled, sets: Sequence[Labelled]) -> list[Alike]:
    """Finds the texts of `pool` that also stand in other sets, for each of these."""
    exact = pool.keys[:, 0]
    new, same = _first_of(exact), [_same(pool, held) for held in sets]
    rest = [new & ~(alike.exact | alike.folded | alike.relabelled) for alike in same]  # equal texts are compared once
    asked = np.any(rest, axis=0)
    searches = [NearDuplicates(_joint(held.texts)) for held in sets]
    near = np.zeros((len(new), len(sets)), dtype=bool)
    near[asked] = _near_in_any_order(_Chosen(pool.texts, asked), searches)
    return [
        replace(alike, near=np.isin(exact, exact[near[:, at] & rest[at]]), hashed=searches[at].hashed)
        for at, alike in enumerate(same)
    ]


def _same(pool: Labelled, held: Labelled) -> Alike:
    """The rows whose texts also stand in another set word for word, or except for case or punctuation."""
    own, other = pool.keys.T, held.keys.T
    exact = np.isin(own[0], other[0])
    known = np.isin(own[1], other[1]) & ~exact
    labels = np.concatenate(_numbers(pool.labels, held.labels))
    mine, theirs = np.split(_joined(np.concatenate([own[1], other[1]]), labels), [len(exact)])
    same = np.isin(mine, theirs)
    return Alike(exact=exact, folded=known & same, near=np.zeros_like(exact), relabelled=known & ~same)


def _numbers(*labels: Sequence[Hashable]) -> list[np.ndarray]:
    """Equal numbers for equal labels, [rows] for each sequence."""
    numbers = dict[Hashable, int]()
    return [
        np.fromiter((numbers.setdefault(one, len(numbers)) for one in some), dtype=np.int64, count=len(some))
        for some in labels
    ]


def _joined(keys: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Numbers that are equal where both are."""
    _, inverse = np.unique(keys, return_inverse=True)
    return np.asarray(inverse * (labels.max(initial=0) + 1) + labels)


def _first_of(keys: np.ndarray) -> np.ndarray:
    """Which rows are the first with their key, bool [rows]."""
    first = np.zeros(len(keys), dtype=bool)
    first[np.unique(keys, return_index=True)[1]] = True
    return first


def known_halves(pool: Iterable[Texts], held: Iterable[Texts]) -> np.ndarray:
    """Which rows of `held` have a text that also stands in a row of `pool` (normalised), bool [len(held)]."""
    known = {_key((half,), normalise) for pair in pool for half in pair}
    return np.array([any(_key((half,), normalise) in known for half in pair) for pair in held], dtype=bool)


def _words(text: str) -> str:
    """The text itself, whatever its white space and however its accents are encoded."""
    return " ".join((text if text.isascii() else unicodedata.normalize("NFC", text)).split())


def _key(texts: Texts, fold: Callable[[str], str]) -> int:
    """A number of 64 bits for the folded texts, the same in any order. It holds in this process alone."""
    return hash(fold(texts[0]) if len(texts) == 1 else tuple(sorted(map(fold, texts))))


@dataclass(frozen=True)
class _Chosen:
    """Some of the texts, at each pass."""

    texts: Iterable[Texts]
    rows: np.ndarray  # bool [texts]

    def __iter__(self) -> Iterator[Texts]:
        return itertools.compress(self.texts, self.rows)


def _near_in_any_order(pool: Iterable[Texts], sets: Sequence[NearDuplicates]) -> np.ndarray:
    """Which rows are near one of each set, bool [rows, sets]."""
    near = near_any(_joint(pool), sets)
    if any(len(texts) > 1 for texts in itertools.islice(pool, 1)):  # all rows have as many
        near |= near_any(_joint(texts[::-1] for texts in pool), sets)
    return near


def _joint(rows: Iterable[Texts]) -> Iterator[str]:
    return (normalise(" ".join(texts)) for texts in rows)
