"""The three-word shingles of texts (Broder 1997), each as a number of 64 bits that is the same in every process."""

import hashlib
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

BATCH = 4096  # texts whose words are Python objects at a time
_SHINGLE = 3
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # odd: different words stay different
_UNSPACED = re.compile(r"([\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff])")  # scripts written without spaces


@dataclass(frozen=True, kw_only=True, eq=False)
class Shingles:
    """The different shingles of each text, one text after the other.

    `codes` are uint64 [S], ascending within a text; those of text i are `codes[starts[i]:starts[i + 1]]`. Two different
    shingles share a number with a probability of 2^-64. A text of fewer than three words has none.
    """

    codes: np.ndarray
    starts: np.ndarray  # int64 [texts + 1]

    @classmethod
    def of(cls, texts: Iterable[str]) -> "Shingles":
        """Those of all of the texts, which are held in memory a batch at a time."""
        batches = list(cls.batches(texts))
        sizes = np.concatenate([np.zeros(1, dtype=np.int64), *(batch.sizes for batch in batches)])
        codes = np.concatenate([np.zeros(0, dtype=np.uint64), *(batch.codes for batch in batches)])
        return cls(codes=codes, starts=np.cumsum(sizes))

    @classmethod
    def batches(cls, texts: Iterable[str]) -> Iterator["Shingles"]:
        """Those of some thousand texts at a time."""
        every = iter(texts)
        while some := list(itertools.islice(every, BATCH)):
            yield _shingles(some)

    @property
    def sizes(self) -> np.ndarray:
        """How many each text has, int64 [texts]."""
        return np.diff(self.starts)

    @property
    def rows(self) -> np.ndarray:
        """The text of each shingle, int64 [S]."""
        return np.repeat(np.arange(len(self)), self.sizes)

    def __len__(self) -> int:
        return len(self.starts) - 1


def _shingles(texts: Sequence[str]) -> Shingles:
    numbers, lengths = _words(texts)
    owner = np.repeat(np.arange(len(texts)), lengths)
    codes = numbers
    for _ in range(_SHINGLE - 1):
        codes, numbers = codes[:-1] * _MULTIPLIER + numbers[1:], numbers[1:]
    whole = owner[: len(codes)] == owner[len(owner) - len(codes) :]
    rows, codes = owner[: len(codes)][whole], codes[whole]
    starts = np.searchsorted(rows, np.arange(len(texts) + 1))
    for start, end in itertools.pairwise(starts.tolist()):  # ten times as quick as one sort by two keys
        codes[start:end].sort()
    different = np.ones(len(rows), dtype=bool)
    different[1:] = (rows[1:] != rows[:-1]) | (codes[1:] != codes[:-1])
    sizes = np.bincount(rows[different], minlength=len(texts))
    return Shingles(codes=codes[different], starts=np.concatenate([[0], np.cumsum(sizes)]))


def _words(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """A number for each word, uint64 [words], and the number of words of each text, int64 [texts]."""
    import pyarrow as pa
    import pyarrow.compute as pc

    spaced = [text if text.isascii() else _UNSPACED.sub(r" \1 ", text).strip() for text in texts]
    split = pc.utf8_split_whitespace(pa.array(spaced, pa.large_string()))
    words = split.values.dictionary_encode()
    numbers = np.array([_number(word) for word in words.dictionary.to_pylist()], dtype=np.uint64)
    return numbers[words.indices.to_numpy()], split.value_lengths().to_numpy()


def _number(word: str) -> int:
    return int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "little")
