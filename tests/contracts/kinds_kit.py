"""A task of each kind, its cell and its batches, on the tiny bases."""

import dataclasses
from typing import Any

import numpy as np

from pipeline.config.schema import Data, Task
from pipeline.models.checkpoints.locate import Located
from pipeline.tasks import FIELDS, PromptedKind, TaskKind, Vocabulary
from pipeline.tasks.texts.spans import span_codes
from tests.models.tiny_bases import LABELS, base_in, cell_for, tiny_tokenizer

PROMPT = "{text} it was [MASK]"
PLAIN = Data()


def cell(task: TaskKind, located: Located, arm: str = "pretrained") -> Any:
    """A cell of the kind."""
    plain = cell_for(arm, base_in(located.directory))
    data = columns(task, plain.task.data)
    return dataclasses.replace(plain, task=task_of(task, data=data, max_length=plain.task.max_length))


def columns(task: TaskKind, data: Data = PLAIN) -> Data:
    """`data` with the columns that the kind needs."""
    read = {name: name if name in task.reads else None for name in FIELDS if name != "text"}
    return dataclasses.replace(data, **read)


def task_of(kind: TaskKind, **given: Any) -> Task:
    """A task of the kind, with what it needs."""
    data = given.pop("data", columns(kind))
    prompt = PROMPT if isinstance(kind, PromptedKind) else None
    return Task(name="some", kind=kind.name, metric=kind.metrics[0], data=data, prompt=prompt, **given)


def batch_of(task: TaskKind, ids: list[np.ndarray], *, pad: int = 0, seed: int = 0) -> dict[str, Any]:
    """The rows as a batch, each with a seed of its own."""
    labels = np.arange(len(ids)) % len(LABELS)
    seeds = np.arange(seed, seed + len(ids), dtype=np.uint64)
    beside = {name: np.full(len(ids), 2, dtype=np.int32) for name in task.beside}
    if "codes" in beside:  # of each class, what it is in a span; words are read at a position that all texts have
        beside |= {"codes": np.tile(span_codes(LABELS), (len(ids), 1)), "starts": np.ones(len(ids), dtype=np.int32)}
    vocabulary = Vocabulary(pad=pad, mask=tiny_tokenizer().mask_token_id, words=(6, 7, 8))
    return task.collate(ids, labels, vocabulary=vocabulary, seeds=seeds, beside=beside)
