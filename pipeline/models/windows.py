"""What a linear model counts of each word of a sentence: the word itself, its neighbours, its affixes and its shape."""

import itertools
from collections.abc import Iterable, Iterator

from pipeline.tasks.texts.tagged_words import words_of

_NEIGHBOURS = 2  # on each side
_PREFIXES, _SUFFIXES = (1, 2, 3), (1, 2, 3, 4)  # characters
_NONE = "|"  # before a sentence and behind it


def windows(texts: Iterable[str]) -> Iterator[str]:
    """Of each word of each text its features, with blanks between them."""
    for text in texts:
        words = words_of(text)
        padded = [*[_NONE] * _NEIGHBOURS, *words, *[_NONE] * _NEIGHBOURS]
        for at, word in enumerate(words):
            yield " ".join([*_neighbours(padded[at : at + 2 * _NEIGHBOURS + 1]), *_of_word(word)])


def _neighbours(words: list[str]) -> list[str]:
    return [f"{place - _NEIGHBOURS:+d}={word.casefold()}" for place, word in enumerate(words)]


def _of_word(word: str) -> list[str]:
    lower = word.casefold()
    prefixes = [f"prefix={lower[:size]}" for size in _PREFIXES if size < len(lower)]
    suffixes = [f"suffix={lower[-size:]}" for size in _SUFFIXES if size < len(lower)]
    return [*prefixes, *suffixes, f"shape={_shape(word)}"]


def _shape(word: str) -> str:
    """Xx for Ana, dd.d for 10.5: kinds of characters, repeats left out."""
    kinds = ("X" if c.isupper() else "x" if c.isalpha() else "d" if c.isdigit() else c for c in word)
    return "".join(kind for kind, _ in itertools.groupby(kinds))
