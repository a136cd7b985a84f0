"""What audits are given, with a planted answer in place of a network."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pipeline.data.example_table import ExampleTable
from pipeline.data.sets import EncodedSet
from pipeline.tasks import Classification, Example

Answer = Callable[[str], float]  # a text to the probability of the second class


def encoded(name: str, texts: Sequence[str], *, groups: Sequence[int] | None = None) -> EncodedSet:
    """A set of texts without tokens."""
    count = len(texts)
    return EncodedSet(
        name=name,
        role="in_domain",
        ids=np.zeros(count, dtype=np.int32),
        offsets=np.arange(count + 1),
        labels=np.zeros(count, dtype=np.int32),
        groups=np.arange(count) if groups is None else np.asarray(groups),
        truncated=0,
        unknown=0.0,
        fingerprint=name,
        examples=ExampleTable.of([Example(text=text) for text in texts]),
    )


class Planted:
    """A cell that answers as `answer` says; of the rest it has a test set."""

    def __init__(self, answer: Answer, test: Sequence[str]) -> None:
        self.answer, self.sets = answer, {"test": encoded("test", test)}
        self.cell: Any = None
        self.tokenizer: Any = None
        self.task, self.labels = Classification(), ("bad", "good")

    def probe(self, name: str, examples: Sequence[Example]) -> EncodedSet:
        """The examples as a set."""
        return encoded(name, [example.text for example in examples])

    def outputs(self, asked: EncodedSet, rows: np.ndarray | None = None) -> Any:
        """What is answered to each text."""
        assert asked.examples is not None
        second = np.array([self.answer(example.text) for example in asked.examples])
        logits = np.log(np.stack([1 - second, second], axis=1))
        return self.task.outputs(logits.astype(np.float32), np.zeros(len(second), dtype=np.int64))

    def attributions(self, text: str, label: int) -> np.ndarray:
        """Nothing is attributed."""
        return np.zeros(len(text))
