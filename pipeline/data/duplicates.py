"""Texts that stand on both sides of a split: word for word, except for case or punctuation, or nearly.

The texts of each example are compared: one, or all of several, which are the same in any order. A text that differs
from another only in case or punctuation repeats it if both have the same label: "US" and "us" of two classes are two
texts.
"""

import itertools
import unicodedata
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.data.near_duplicates import NearDuplicates
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

    @property
    def repeated(self) -> np.ndarray:
        """Rows that repeat one of the other set, bool [rows]."""
        repeated: np.ndarray = self.exact | self.folded | self.near
        return repeated


@dataclass(frozen=True, kw_only=True, eq=False)
class _Keys:
    """Of each row's texts a number, equal where they are the same word for word, and where they are when folded.

    64 bits each, [rows]: among ten million texts the odds that two unlike ones share a number are one in 400,000.
    """

    exact: np.ndarray
    folded: np.ndarray

    @classmethod
    def of(cls, texts: Iterable[Texts]) -> "_Keys":
        pairs = ((_key(one, _words), _key(one, normalise)) for one in texts)
        keys = np.fromiter(itertools.chain.from_iterable(pairs), dtype=np.int64).reshape(-1, 2)
        return cls(exact=keys[:, 0].copy(), folded=keys[:, 1].copy())


def repeats(texts: Iterable[Texts], labels: Sequence[Hashable]) -> Repeats:
    """Counts the rows that repeat an earlier one; `labels` has one for each row, equal where none counts."""
    keys, classes = _Keys.of(texts), _numbers(labels)
    new, new_folded = _first_of(keys.exact), _first_of(keys.folded)
    same_label = ~_first_of(_joined(keys.folded, classes))
    of_case = new & ~new_folded
    words = _joined(keys.exact, classes)
    labels_of = np.bincount(np.unique(keys.exact, return_inverse=True)[1], weights=_first_of(words))
    return Repeats(
        exact=int((~new).sum()),
        folded=int((of_case & same_label).sum()),
        conflicting=int((labels_of > 1).sum()),
        relabelled=int((of_case & ~same_label).sum()),
    )


def overlap(
    pool: Iterable[Texts], pool_labels: Sequence[Hashable], held: Iterable[Texts], held_labels: Sequence[Hashable]
) -> Alike:
    """Finds the texts of `pool` that also stand in `held`; labels as in `repeats`."""
    own, other = _Keys.of(pool), _Keys.of(held)
    labels = _numbers([*pool_labels, *held_labels])
    mine, theirs = np.split(labels, [len(own.exact)])
    exact = np.isin(own.exact, other.exact)
    known = np.isin(own.folded, other.folded) & ~exact
    joined = _joined(np.concatenate([own.folded, other.folded]), np.concatenate([mine, theirs]))
    same = np.isin(joined[: len(mine)], joined[len(mine) :])
    rest = _first_of(own.exact) & ~exact & ~known  # equal texts are compared once
    near = np.zeros(len(rest), dtype=bool)
    near[rest] = _near_in_any_order(_Chosen(pool, rest), held)
    near = np.isin(own.exact, own.exact[near])
    return Alike(exact=exact, folded=known & same, near=near, relabelled=known & ~same)


def _numbers(labels: Sequence[Hashable]) -> np.ndarray:
    """Equal numbers for equal labels, [rows]."""
    numbers = dict[Hashable, int]()
    return np.fromiter((numbers.setdefault(label, len(numbers)) for label in labels), dtype=np.int64, count=len(labels))


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


def _near_in_any_order(pool: Iterable[Texts], held: Iterable[Texts]) -> np.ndarray:
    near = NearDuplicates(sorted({normalise(" ".join(texts)) for texts in held}))
    repeated = near.of(normalise(" ".join(texts)) for texts in pool)
    if any(len(texts) > 1 for texts in itertools.islice(pool, 1)):  # all rows have as many
        repeated |= near.of(normalise(" ".join(reversed(texts))) for texts in pool)
    return repeated
