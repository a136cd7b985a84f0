"""What each character adds to a logit of a linear model on counted words: exact, since the logit is a sum."""

import re
from collections.abc import Iterator, Sequence

import numpy as np

from pipeline.models.words import PARTS, WordCounter

Spans = Sequence[tuple[int, int]]  # of characters, one for each that an n-gram covers
Occurrence = tuple[str, Spans]


def of_characters(counter: WordCounter, weights: np.ndarray, text: str) -> np.ndarray:
    """Weight times feature of every n-gram, in equal parts for all characters of all its occurrences.

    Args:
        counter: of single texts.
        weights: of one output, float64 [F].
        text: one text.

    Returns:
        Float64 [len(text)]; their sum is the output less its bias.
    """
    features = counter([(text,)])
    summands = dict(zip(features.indices.tolist(), (features.data * weights[features.indices]).tolist(), strict=True))
    by_character, start = np.zeros(len(text)), 0
    for part in PARTS:
        terms = counter.vocabulary.parts[part].terms
        numbers = {term: start + number for number, term in enumerate(terms)}
        start += len(terms)
        places: dict[int, list[int]] = {}
        for term, spans in _OCCURRENCES[part](text.lower()):
            if numbers.get(term) in summands:
                places.setdefault(numbers[term], []).extend(i for s, e in spans for i in range(s, min(e, len(text))))
        for number, own in places.items():
            np.add.at(by_character, own, summands[number] / max(1, len(own)))
    return by_character


def _words(text: str) -> Iterator[Occurrence]:
    """Words, and pairs of neighbouring ones."""
    read = [(match.group(), match.span()) for match in re.finditer(r"\b\w+\b", text)]
    lowest, highest = PARTS["words"]["ngram_range"]
    for size in range(lowest, highest + 1):
        for first in range(len(read) - size + 1):
            some = read[first : first + size]
            yield " ".join(word for word, _ in some), [span for _, span in some]


def _characters(text: str) -> Iterator[Occurrence]:
    """Characters of words with a space on either side, as scikit-learn's char_wb takes them."""
    lowest, highest = PARTS["characters"]["ngram_range"]
    for match in re.finditer(r"\S+", text):
        padded, begins = f" {match.group()} ", match.start() - 1
        for size in range(lowest, highest + 1):
            for first in range(max(1, len(padded) - size + 1)):
                term = padded[first : first + size]
                start, end = begins + first, begins + first + len(term)
                yield term, [(max(start, match.start()), min(end, match.end()))]
            if size >= len(padded):  # a short word is counted once
                break


_OCCURRENCES = {"words": _words, "characters": _characters}
