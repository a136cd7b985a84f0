"""One file per task kind. A new kind is one file here, named in KINDS, that passes tests/contracts."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from pipeline.config.schema import FIELDS, TEXTS, Data, Field, Task
from pipeline.errors import ConfigError, nearest
from pipeline.tasks.causal_language_modelling import CausalLanguageModelling
from pipeline.tasks.classification import Classification, ClassOutputs
from pipeline.tasks.example import Example
from pipeline.tasks.kind import (
    FILLER,
    Batch,
    Encoded,
    EncodeSettings,
    Exercise,
    KnowingKind,
    Known,
    LinearKind,
    Outputs,
    PromptedKind,
    SetJudge,
    SummedKind,
    TaskKind,
    TextModel,
    Vocabulary,
    WordwiseKind,
    WritingKind,
)
from pipeline.tasks.masked_language_modelling import MaskedLanguageModelling
from pipeline.tasks.multi_label_classification import MultiLabelClassification
from pipeline.tasks.pair_classification import PairClassification
from pipeline.tasks.parts import inputs, parts_of, prefixed
from pipeline.tasks.prompted_classification import PromptedClassification
from pipeline.tasks.similarity import Similarity
from pipeline.tasks.token_classification import TokenClassification
from pipeline.tasks.translation import Translation

if TYPE_CHECKING:
    import torch

_ALL: tuple[TaskKind, ...] = (
    Classification(),
    MultiLabelClassification(),
    PairClassification(),
    PromptedClassification(),
    Similarity(),
    MaskedLanguageModelling(),
    CausalLanguageModelling(),
    Translation(),
    TokenClassification(),
)
KINDS = {each.name: each for each in _ALL}
LINEAR = tuple(name for name, each in KINDS.items() if each.linear is not None)


def kind(name: str) -> TaskKind:
    """The task kind called `name`.

    Raises:
        ConfigError: there is none; the message names the nearest.
    """
    if name not in KINDS:
        raise ConfigError([f"task.kind must be a task kind, but got {name!r}. {nearest(name, KINDS)}"])
    return KINDS[name]


def linear_kind(name: str) -> LinearKind | None:
    """The task kind called `name` if a linear model can be solved for it; else None.

    That is, its networks end in a linear layer on one vector a text or, with `linear` None, it answers for each word.
    """
    task = kind(name)
    return cast(LinearKind, task) if task.linear is not None or isinstance(task, WordwiseKind) else None


def unsolvable(arm: str, method: str, name: str) -> str:
    """Why an arm whose method solves a linear model cannot serve the task kind called `name`, and which ones it can."""
    return (
        f"Arm {arm!r} (arm.method={method}) solves a linear model on one vector a text, which {name} has not. "
        f"It can do {', '.join(LINEAR)}. Leave the arm out."
    )


def kind_of(task: Task) -> TaskKind:
    """The kind of `task`, which must offer the metric it asks for and be given the columns it needs.

    Raises:
        ConfigError: there is no such kind, it does not have the metric, or it needs other columns.
    """
    task_kind = kind(task.kind)
    if task.metric not in task_kind.metrics:
        hint = nearest(task.metric, task_kind.metrics)
        raise ConfigError([f"task.metric must be a metric of {task_kind.name}, but got {task.metric!r}. {hint}"])
    _check_columns(task, task_kind)
    return task_kind


def _check_columns(task: Task, task_kind: TaskKind) -> None:
    sets = {"task.data": task.data} | {f"task.out_of_domain.{name}": data for name, data in task.out_of_domain.items()}
    wrong = [
        f"{where}.{name} must be {'a column' if name in task_kind.reads else 'null'} for {task_kind.name}, "
        f"but got {column!r}."
        for where, data in sets.items()
        for name, column in columns(data).items()
        if (column is not None) != (name in task_kind.reads)
    ]
    prompted = isinstance(task_kind, PromptedKind)
    if (task.prompt is not None) != prompted:
        wrong.append(
            f"task.prompt must be {'a text with {text} in it' if prompted else 'null'} for {task_kind.name}, "
            f"but got {task.prompt!r}."
        )
    if wrong:
        raise ConfigError(wrong)


def columns(data: Data) -> dict[Field, str | None]:
    """The column that `data` names for each field of an example."""
    return {name: getattr(data, name) for name in FIELDS}


def vocabulary_of(task: TaskKind, tokenizer: Any, labels: Sequence[str]) -> Vocabulary:
    """The tokens that batches of the kind are made with.

    Raises:
        DataError: the tokenizer has no word for a class, where the kind needs one.
    """
    return Vocabulary.of(tokenizer, task.words(tokenizer, labels) if isinstance(task, PromptedKind) else ())


def probe(task: TaskKind, length: int) -> "dict[str, torch.Tensor]":
    """A batch of one example of `length` tokens, to count on what a network does with it."""
    ids, none = np.full(length, 5, dtype=np.int32), np.zeros(1, dtype=np.int32)
    known = 0 if task.target == "labels" else length // 2  # a class, or a place in the text
    beside = dict.fromkeys(task.beside, np.full(1, known, dtype=np.int32))
    seeds = np.zeros(1, dtype=np.uint64)
    return task.collate([ids], none, vocabulary=Vocabulary(pad=0, mask=5, words=(5, 6)), seeds=seeds, beside=beside)


__all__ = [
    "FIELDS",
    "FILLER",
    "KINDS",
    "LINEAR",
    "TEXTS",
    "Batch",
    "ClassOutputs",
    "EncodeSettings",
    "Encoded",
    "Example",
    "Exercise",
    "Field",
    "KnowingKind",
    "Known",
    "LinearKind",
    "Outputs",
    "PromptedKind",
    "SetJudge",
    "SummedKind",
    "TaskKind",
    "TextModel",
    "Vocabulary",
    "WordwiseKind",
    "WritingKind",
    "columns",
    "inputs",
    "kind",
    "kind_of",
    "linear_kind",
    "parts_of",
    "prefixed",
    "probe",
    "unsolvable",
    "vocabulary_of",
]  # fmt: skip
