"""A linear model on counted words: its features of prepared sets, and what stands in for a network when it is asked."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.data.sets import EncodedSet, Prepared
from pipeline.data.store import examples_of
from pipeline.errors import StorageError
from pipeline.models.logistic_regression import LinearModel
from pipeline.models.words import Texts, WordCounter
from pipeline.tasks import Example, TaskKind, WordwiseKind, parts_of


@dataclass(frozen=True, kw_only=True)
class WordFeatures:
    """Words of the texts of encoded sets, by what the train subset knows."""

    task: TaskKind
    counter: WordCounter
    width: int  # features of a text

    def of(self, encoded: EncodedSet, rows: np.ndarray | None = None) -> Any:
        """A sparse matrix [N, F] of a set, or of some rows of it."""
        whole = examples_of(encoded)
        return self.counter(_texts(self.task, whole if rows is None else whole.take(rows)))


def word_features(task: TaskKind, prepared: Prepared, rows: np.ndarray) -> WordFeatures:
    """Those that know what is counted in the train subset `rows`, see `WordCounter.of`."""
    read = _texts(task, examples_of(prepared.train).take(rows))
    counter = WordCounter.of(read, wordwise=isinstance(task, WordwiseKind))
    return WordFeatures(task=task, counter=counter, width=counter(read[:1]).shape[1])


@dataclass(frozen=True, kw_only=True)
class WordModel:
    """Reads texts itself, where a network is handed tokens."""

    task: TaskKind
    counter: WordCounter
    model: LinearModel

    @property
    def stored_bytes(self) -> int:
        """The size of its weights as they are stored, in float32."""
        return 4 * (self.model.weights.size + self.model.bias.size)

    def read(self, examples: Sequence[Example]) -> np.ndarray:
        """The logits of examples, float64 [N, C]."""
        return self.model.logits(self.counter(_texts(self.task, examples)))

    @classmethod
    def load(cls, weights: Path, task: TaskKind) -> "WordModel":
        """The one that a cell of a task of this kind stored in the folder `weights`.

        Raises:
            StorageError: it is not whole.
        """
        from safetensors.numpy import load_file

        counter, stored = WordCounter.load(weights), load_file(weights / "trained.safetensors")
        if set(stored) != {"weights", "bias"}:
            raise StorageError(f"{weights} does not hold a linear model. Delete the cell's folder to train it again.")
        model = LinearModel(weights=stored["weights"].astype(np.float64), bias=stored["bias"].astype(np.float64))
        return cls(task=task, counter=counter, model=model)


def _texts(task: TaskKind, examples: Iterable[Example]) -> list[Texts]:
    return [parts_of(task, example) for example in examples]
