"""Sentences of tagged words as token ids: where each word's first sub-word stands, and the number of its tag."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from pipeline.errors import DataError
from pipeline.language import Sentence, said
from pipeline.tasks.example import Example
from pipeline.tasks.kind import FILLER, Encoded, EncodeSettings
from pipeline.tasks.texts.spans import span_codes, starts_inside

_WORD = re.compile(r"[^ \t\r\n]+")  # a blank within a word is a no-break space


def words_of(text: str) -> list[str]:
    """The words of a text, which are separated by blanks."""
    return _WORD.findall(text)


def encode_words(examples: Sequence[Example], tokenizer: Any, settings: EncodeSettings) -> Encoded:
    """See TaskKind. What is too long is cut at the end of a word.

    "tags", int32 [N, M], are the numbers of the words' tags; "starts", int32 [N, M], is where a word's first sub-word
    stands, and FILLER if the word was cut off; "codes", int32 [N, C], is what each class is in a span.

    Raises:
        DataError: a sentence has more or fewer tags than words, or it is not known which characters a token stands for.
    """
    if not getattr(tokenizer, "is_fast", False):
        raise DataError("This kind needs a tokenizer that knows where its tokens stand (tokenizer.json).")
    codes = span_codes(settings.classes)
    tags = _numbers(examples, settings.classes)
    ids, starts, truncated = [], [], 0
    for row, places, cut in _read([e.text for e in examples], tokenizer, settings.max_length):
        ids.append(row)
        starts.append(places)
        truncated += cut
    beside = {"tags": _filled(tags), "starts": _filled(starts), "codes": np.tile(codes, (len(examples), 1))}
    return Encoded(ids=ids, truncated=truncated, beside=beside, sentences=_notes(examples, tags, codes))


def _numbers(examples: Sequence[Example], classes: Sequence[str]) -> list[np.ndarray]:
    """The numbers of each sentence's tags; FILLER for all words where no example has tags, as in `predict`."""
    number, tagged, rows = (
        {name: n for n, name in enumerate(classes)},
        any(e.labels for e in examples),
        list[np.ndarray](),
    )
    for example in examples:
        words = len(words_of(example.text))
        if tagged and words != len(example.labels):
            raise DataError(
                f"Every word must have one tag, but {example.text[:60]!r} has {words} words and {len(example.labels)} "
                "tags. Correct the sentence; a word must not be empty, and a tag must not be missing."
            )
        rows.append(np.array([number[tag] for tag in example.labels] if tagged else [FILLER] * words, dtype=np.int32))
    return rows


def _read(texts: list[str], tokenizer: Any, max_length: int) -> Iterator[tuple[np.ndarray, np.ndarray, bool]]:
    """Of each text its tokens, int32 [L], its words' first tokens, int32 [M], and whether words were cut off."""
    if not texts:
        return
    read = tokenizer(texts, return_offsets_mapping=True, verbose=False)
    for text, tokens, spans in zip(texts, read["input_ids"], read["offset_mapping"], strict=True):
        row, offsets = np.array(tokens, dtype=np.int32), np.array(spans, dtype=np.int64).reshape(-1, 2)
        starts = _starts(text, offsets)
        cut = len(row) > max_length
        yield *(_cut(row, offsets, starts, max_length) if cut else (row, starts)), cut


def _starts(text: str, offsets: np.ndarray) -> np.ndarray:
    """The first token of each word. A word that the tokenizer leaves out has the token before it."""
    real = np.flatnonzero(offsets[:, 1] > offsets[:, 0])
    ends, starts = offsets[real, 1], []
    for word in _WORD.finditer(text):
        at = int(np.searchsorted(ends, word.start(), side="right"))
        there = at < len(real) and offsets[real[at], 0] < word.end()
        starts.append(real[at] if there else real[at - 1] if at else 0)
    return np.array(starts, dtype=np.int32)


def _cut(row: np.ndarray, offsets: np.ndarray, starts: np.ndarray, longest: int) -> tuple[np.ndarray, np.ndarray]:
    """Without the words that do not fit; of a single word that is too long itself, its first tokens stay."""
    real = np.flatnonzero(offsets[:, 1] > offsets[:, 0])
    behind = row[real[-1] + 1 :]
    room = longest - len(behind)
    end = max((int(start) for start in starts if start <= room), default=room)
    end = room if end <= real[0] else end
    return np.concatenate([row[:end], behind]), np.where(starts < end, starts, FILLER).astype(np.int32)


def _filled(rows: Sequence[np.ndarray]) -> np.ndarray:
    """The rows, int32 [N, M], filled up to the longest."""
    filled = np.full((len(rows), max((len(row) for row in rows), default=0)), FILLER, dtype=np.int32)
    for line, row in zip(filled, rows, strict=True):
        line[: len(row)] = row
    return filled


def _notes(examples: Sequence[Example], tags: Sequence[np.ndarray], codes: np.ndarray) -> tuple[Sentence, ...]:
    """A sentence about spans that begin inside, if any does."""
    for example, row in zip(examples, tags, strict=True):
        inside = starts_inside(codes[row]) if example.labels else np.zeros(0, dtype=bool)
        if inside.any():
            word, tag = words_of(example.text)[int(inside.argmax())], example.labels[int(inside.argmax())]
            form = "Spans that begin inside ({tag} at {word}) count as spans that begin there, as in seqeval."
            return (said(form, tag=tag, word=repr(word)),)
    return ()
