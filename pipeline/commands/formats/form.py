"""What every format of an export offers."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from pipeline.commands.steps.trained import Trained
from pipeline.report.about import About
from pipeline.report.usage import Use
from pipeline.tasks import Example, kind, parts_of, prefixed


@dataclass(frozen=True, kw_only=True)
class Reading:
    """An exported classifier's answers. `by` names the libraries that gave them; `logits` is float [N, C]."""

    by: str
    logits: np.ndarray


class Readable(Protocol):
    """A saved classifier that can be asked."""

    def read(self, folder: Path, examples: Sequence[Example]) -> Reading:
        """The logits of examples as the saved classifier gives them, without any code of ours in its network.

        Args:
            folder: where `save` wrote it.
            examples: their texts, without the prefix of the base.
        """
        ...


class Format(Readable, Protocol):
    """A directory that a trained cell can be exported as."""

    def save(self, folder: Path) -> None:
        """Write everything but the model card into `folder`."""
        ...

    def use(self, about: About) -> Use:
        """How to use it without Headstart."""
        ...


def save_tokenizer(trained: Trained, folder: Path) -> Any:
    """Save the base's tokenizer so that it truncates and pads as in training, and return it."""
    tokenizer = trained.tokenizer()
    tokenizer.model_max_length = trained.cell.task.max_length
    tokenizer.padding_side = "right"
    tokenizer.save_pretrained(folder)
    return tokenizer


def texts_of(trained: Trained, examples: Sequence[Example], prefix: str) -> list[tuple[str, ...]]:
    """The one text or two of each example that a tokenizer is given, with a prefix before each."""
    task = kind(trained.cell.task.kind)
    return [parts_of(task, example) for example in prefixed(task, examples, prefix)]


def is_sigmoid(trained: Trained) -> bool:
    """Whether each output of the cell's classifier is read by itself."""
    return kind(trained.cell.task.kind).linear == "sigmoid"
