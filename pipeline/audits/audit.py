"""What an audit is given, and what it gives."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from pipeline.config.cell import Cell
from pipeline.data.sets import EncodedSet
from pipeline.records import Direction
from pipeline.tasks import Example, TaskKind

if TYPE_CHECKING:
    from pipeline.models.few_bits import Bits


class Reader(Protocol):
    """What is known before any cell is trained: the task's sets, and how texts are read."""

    @property
    def sets(self) -> Mapping[str, EncodedSet]:
        """The task's sets by name: train, validation, test, and those that are only evaluated."""
        ...

    @property
    def tokenizer(self) -> Any:
        """The base's tokenizer, of Hugging Face's kind."""
        ...

    def probe(self, name: str, examples: Sequence[Example]) -> EncodedSet:
        """Examples that an audit makes itself, encoded as the cell reads texts; `name` tells them from other sets."""
        ...


@dataclass(frozen=True, kw_only=True)
class Predictor:
    """A trained cell that answers raw texts, as `predict` has it answer them: from text to text.

    Args:
        weight_bytes: of all weights that it needs, the base's among them.
        on_gpu: whether it computes on a GPU.
        ready: with what this gives, examples are answered all at once, in the cell's precision. Nothing is loaded then.
    """

    weight_bytes: int
    on_gpu: bool
    ready: Callable[[], AbstractContextManager[Callable[[Sequence[Example]], object]]]


class Subject(Reader, Protocol):
    """A trained cell whose network is at hand: in the worker that has trained it, or restored from its weights."""

    @property
    def cell(self) -> Cell:
        """Its settings."""
        ...

    @property
    def task(self) -> TaskKind:
        """The kind of its task."""
        ...

    @property
    def rows(self) -> np.ndarray:
        """The rows of the set `train` that it was trained on, int [N]."""
        ...

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes, in the order of the network's outputs."""
        ...

    def outputs(self, encoded: EncodedSet, rows: np.ndarray | None = None) -> Any:
        """The task kind's per-example outputs.

        Args:
            encoded: one of `sets`, or a probe.
            rows: some of its items, int [N]; None for all.
        """
        ...

    @property
    def stored_bytes(self) -> int:
        """Bytes of the weights that it adds to its base, in float32."""
        ...

    def in_bits(self, encoded: EncodedSet, bits: "Bits") -> tuple[Any, int]:
        """Its outputs on a set when these weights are rounded to so many bits, and the bytes that they take then."""
        ...

    @property
    def predictor(self) -> Predictor:
        """It, answering raw texts instead of sets."""
        ...

    def attributions(self, text: str, label: int) -> np.ndarray:
        """How much each character of a text adds to the logit of a class above the mean of all: float64 [len(text)].

        Where a network reads the text they are integrated gradients, of a linear model on words its own summands.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class AuditReport:
    """What an audit found of one cell.

    Args:
        numbers: finite, of all items together.
        columns: what is known of each item.
        items: float32 [N, columns], in an order that is the same for every cell of a task.
    """

    numbers: Mapping[str, float]
    columns: tuple[str, ...]
    items: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Measure:
    """What claims compare of an audit: the mean of one of its columns over its items, or a metric made of them.

    Args:
        column: its name.
        called: what people call that mean, in the middle of a sentence; of a time, what takes it ("answer one text").
        worse: which way is the drawback.
        share: whether it is spoken of in percentage points.
        of: whose items they are: those of the test set, or also of each set that is only evaluated, which may come in
            groups; or the audit's own, which are independent.
        metric: the metric of a task's kind that it is, which may be no mean; None for all else.
        timed: whether it is the logarithm to base 2 of a time. That is another one each time it is measured, and tells
            nothing of what the cell has learned.
    """

    column: str
    called: str
    worse: Direction
    share: bool = True
    of: Literal["test", "every_set", "its_own"] = "its_own"
    metric: str | None = None
    timed: bool = False


@dataclass(frozen=True)
class Examination:
    """An audit of cells on one set: the test set, or one that is only evaluated."""

    audit: str
    dataset: str = "test"

    def __str__(self) -> str:
        return self.audit if self.dataset == "test" else f"{self.audit} on {self.dataset}"


class Audit(Protocol):
    """Examines trained cells without training; it is never part of a training's identity."""

    name: str
    measure: Measure
    version: int  # raised by hand when what it finds changes
    standing: bool  # whether it is run on every cell that it can examine: it takes no longer than reading outputs

    def unable(self, task: TaskKind) -> str | None:
        """Why cells of this kind cannot be examined; None if they can."""
        ...

    def unfit(self, reader: Reader) -> str | None:
        """Why these texts or this tokenizer do not allow it, asked before any cell is trained; None if they do."""
        ...

    def examine(self, subject: Subject, dataset: str = "test") -> AuditReport:
        """Examine one cell, in its precision. The network stays as it is.

        Args:
            subject: the cell.
            dataset: the set; only audits whose items are those of every set are given another one than the test set.
        """
        ...
