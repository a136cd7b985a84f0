"""Opacity: whether what attributions say of an answer is what the answer rests on."""

import re
from collections.abc import Sequence

import numpy as np

from pipeline.audits.audit import AuditReport, Measure, Reader, Subject
from pipeline.audits.kinds import not_single_texts
from pipeline.data.sets import EncodedSet
from pipeline.data.store import examples_of
from pipeline.errors import DataError
from pipeline.tasks import Example, TaskKind

CHUNKS = 6  # of a text at most: 64 texts are read for the bounds of one
TEXTS, _CANDIDATES = 40, 400  # the shortest ones of so many of the test set
NOTHING = "."  # stands for a text without any of its chunks
_CONSTANT = 1e-9  # between the bounds, below which no removal changes the answer
Span = tuple[int, int]


class Opacity:
    """Faithfulness of attributions by normalised AOPC (Edin et al. 2024), on short texts of the test set.

    Chunks of words are removed from the text, those with the highest attribution first. AOPC is how much the
    probability of the answer has fallen then, on average over all steps. It is normalised by the least and the most of
    all orders, found by reading every subset of the chunks.
    """

    name: str = "opacity"
    measure: Measure = Measure(column="faithfulness", called="faithfulness of attributions", worse="lower")
    version: int = 1
    standing: bool = False

    def unable(self, task: TaskKind) -> str | None:
        """See Audit."""
        return not_single_texts(task)

    def unfit(self, reader: Reader) -> str | None:
        """See Audit."""
        if not getattr(reader.tokenizer, "is_fast", False):
            return "its tokenizer does not tell where tokens stand in a text (tokenizer.json)."
        texts = len(sample(reader.sets["test"]))
        return None if texts > 1 else f"the test set needs two texts of two words or more, but has {texts}."

    def examine(self, subject: Subject, dataset: str = "test") -> AuditReport:
        """See Audit."""
        test = subject.sets[dataset]
        rows = sample(test)
        texts = [examples_of(test)[int(row)].text for row in rows]
        spans = [chunks_of(text) for text in texts]
        parts = [subsets(text, own) for text, own in zip(texts, spans, strict=True)]
        outputs = subject.outputs(subject.probe("opacity", [Example(text=text) for part in parts for text in part]))
        ends = np.cumsum([len(part) for part in parts])
        items = []
        for row, text, own, read in zip(
            rows, texts, spans, np.split(outputs.probabilities.astype(np.float64), ends[:-1]), strict=True
        ):
            label = int(read[-1].argmax())
            characters = subject.attributions(text, label)
            by_chunk = np.array([characters[start:end].sum() for start, end in own])
            aopc, least, most = bounded(read[:, label], np.argsort(-by_chunk, kind="stable"))
            faithful = (aopc - least) / (most - least) if most - least > _CONSTANT else 1.0
            padded = np.pad(by_chunk, (0, CHUNKS - len(by_chunk)))
            items.append([faithful, aopc, least, most, row, label, len(own), *padded])
        table = np.array(items, dtype=np.float32)
        numbers = dict(zip(COLUMNS[:4], table[:, :4].mean(axis=0, dtype=np.float64).tolist(), strict=True))
        return AuditReport(numbers=numbers, columns=COLUMNS, items=table)


# The row is that of the test set; each chunk has its attribution, 0 behind the last one.
COLUMNS = (
    "faithfulness", "aopc", "least_aopc", "most_aopc", "row", "answer", "chunks",
    *(f"chunk_{number}" for number in range(1, CHUNKS + 1)),
)  # fmt: skip


def sample(test: EncodedSet) -> np.ndarray:
    """Rows of a test set, int64 [N]: the same for every cell, one of a group at most, each of two words or more."""
    _, first = np.unique(np.asarray(test.groups), return_index=True)
    some = np.sort(np.random.default_rng(0).permutation(first)[:_CANDIDATES])
    words = np.array([len(example.text.split()) for example in examples_of(test).take(some)])
    fit, counted = some[words > 1], words[words > 1]
    return np.asarray(np.sort(fit[np.argsort(counted, kind="stable")[:TEXTS]]))


def chunks_of(text: str) -> list[Span]:
    """Where up to CHUNKS runs of neighbouring words of a text stand, as even as they can be.

    Raises:
        DataError: there is no word in it.
    """
    words = [match.span() for match in re.finditer(r"\S+", text)]
    if not words:
        raise DataError(f"A text that answers are attributed to must have a word in it, but got {text!r}.")
    parts = np.array_split(np.arange(len(words)), min(CHUNKS, len(words)))
    return [(words[part[0]][0], words[part[-1]][1]) for part in parts]


def subsets(text: str, chunks: Sequence[Span]) -> list[str]:
    """The text with each subset of its chunks: chunk i is in those whose number has bit i."""
    kept = [
        " ".join(text[start:end] for i, (start, end) in enumerate(chunks) if number >> i & 1)
        for number in range(2 ** len(chunks))
    ]
    return [NOTHING, *kept[1:-1], text]


def bounded(probabilities: np.ndarray, order: np.ndarray) -> tuple[float, float, float]:
    """AOPC when chunks are removed in this order, and the least and the most of all orders.

    Args:
        probabilities: of the answer, for every subset that is kept, float64 [2^C].
        order: the chunks, int [C], the first to be removed first.
    """
    count = len(order)
    falls = probabilities[-1] - probabilities
    least, most = falls.copy(), falls.copy()  # of the sums from a subset to the empty one
    for number in range(1, len(falls)):
        smaller = [number & ~(1 << i) for i in range(count) if number >> i & 1]
        least[number] += least[smaller].min()
        most[number] += most[smaller].max()
    kept, total = len(falls) - 1, 0.0
    for chunk in order:
        kept &= ~(1 << int(chunk))
        total += falls[kept]
    return total / count, float(least[-1]) / count, float(most[-1]) / count
