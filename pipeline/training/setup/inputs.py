"""Collated inputs of an encoded set."""

from typing import Any, Protocol

import numpy as np

from pipeline.data.sets import EncodedSet
from pipeline.tasks import SetJudge, TaskKind, Vocabulary


class Inputs(Protocol):
    """Anything that can be collated into a batch."""

    lengths: np.ndarray  # int [N], tokens
    labels: np.ndarray  # int32 [N]

    def __len__(self) -> int: ...

    def collate(self, items: np.ndarray, seed: int = 0) -> dict[str, Any]:
        """The batch of these rows; `seed` decides, together with each row, what is drawn for it."""
        ...

    def judged(self, model: Any, batch: dict[str, Any], items: np.ndarray) -> dict[str, Any]:
        """The batch of these rows, with what is known of them only once the network has written, if it is to."""
        ...

    def ids(self) -> np.ndarray:
        """Every id that can stand in a batch's input_ids, once."""
        ...


class TokenInputs:
    """Token ids of an encoded set, optionally of some of its rows."""

    def __init__(
        self,
        encoded: EncodedSet,
        task: TaskKind,
        vocabulary: Vocabulary,
        rows: np.ndarray | None = None,
        judge: SetJudge | None = None,
    ) -> None:
        self.encoded, self.task, self.vocabulary, self.judge = encoded, task, vocabulary, judge
        self.rows = np.arange(len(encoded)) if rows is None else rows
        self.lengths = np.asarray(encoded.lengths)[self.rows]
        self.labels = np.asarray(encoded.labels)[self.rows]

    def __len__(self) -> int:
        return len(self.rows)

    def collate(self, items: np.ndarray, seed: int = 0) -> dict[str, Any]:
        """See Inputs."""
        ids = [self.encoded.item(int(self.rows[i])) for i in items]
        rows = self.rows[items]
        return self.task.collate(
            ids,
            self.labels[items],
            vocabulary=self.vocabulary,
            seeds=np.uint64(seed) + rows.astype(np.uint64),
            beside={name: np.asarray(numbers[rows]) for name, numbers in self.encoded.beside.items()},
        )

    def judged(self, model: Any, batch: dict[str, Any], items: np.ndarray) -> dict[str, Any]:
        """See Inputs."""
        return batch if self.judge is None else batch | {"written": self.judge(model, batch, self.rows[items])}

    def ids(self) -> np.ndarray:
        """See Inputs."""
        pad, mask = self.vocabulary.pad, self.vocabulary.mask
        put_in = [pad] if self.task.target == "label" or mask is None else [pad, mask]
        return np.unique(np.concatenate([put_in, *(self.encoded.item(int(row)) for row in self.rows)]))
