"""Which texts of an example a kind reads, and what a tokenizer is given of them."""

import dataclasses
from collections.abc import Iterable
from typing import Any

from pipeline.config.schema import TEXTS, TextField
from pipeline.tasks.example import Example
from pipeline.tasks.kind import TaskKind


def inputs(task: TaskKind) -> tuple[TextField, ...]:
    """The texts of an example that the kind's network is given: both of a pair, unless it is to write the second."""
    return tuple(name for name in TEXTS if name in task.reads and name != task.target)


def parts_of(task: TaskKind, example: Example) -> tuple[str, ...]:
    """The one text or two of an example that a tokenizer is given, see `TaskKind.parts`."""
    return tuple(" ".join(filter(None, (getattr(example, name) for name in part))) for part in task.parts)


def texts_of(task: TaskKind, example: Example) -> tuple[str, ...]:
    """The texts of an example that a row of predictions begins with."""
    return tuple(getattr(example, name) or "" for name in inputs(task))


def prefixed(task: TaskKind, examples: Iterable[Example], prefix: str | None) -> list[Example]:
    """The examples with the base's prefix ("query: ") before each text that a tokenizer is given."""
    if not prefix:
        return list(examples)
    first = [part[0] for part in task.parts]

    def with_prefix(example: Example) -> Example:
        texts: dict[str, Any] = {name: getattr(example, name) for name in first}
        return dataclasses.replace(example, **{n: prefix + text for n, text in texts.items() if text is not None})

    return [with_prefix(example) for example in examples]
