"""Everything that can be checked or computed once for all cells of a study, before the first of them starts."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.config.cell import Cell
from pipeline.data.prepare import Prepared, prepare
from pipeline.data.subsets import nested_subset
from pipeline.errors import ConfigError
from pipeline.models.build import build, configuration
from pipeline.models.locate import Located
from pipeline.models.tokenizer import load_tokenizer
from pipeline.training.cost import flops_of


@dataclass(frozen=True, kw_only=True)
class Ready:
    """The prepared data's folder, sentences about it for the report, and the tokenizer's padding token."""

    data_folder: str
    pad_id: int
    sentences: tuple[str, ...]
    train_rows: int


def make_ready(cells: Sequence[Cell], located: Located, *, data_fingerprint: str, root: Path) -> Ready:
    """Prepare the data, and try every subset and every arm's network of `cells`, which share base and task.

    Raises:
        DataError: the data cannot serve these sizes.
        BaseModelError: the base cannot serve this task or these arms.
        ConfigError: texts may be longer than the base can take.
    """
    tokenizer = load_tokenizer(located.directory)
    _check_length(cells[0], tokenizer.model_max_length)
    prepared = prepare(
        cells[0].task,
        tokenizer,
        tokenizer_fingerprint=located.tokenizer,
        data_fingerprint=data_fingerprint,
        root=root,
    )
    for size, seed in {(c.train.size, c.train.seed) for c in cells}:
        nested_subset(np.asarray(prepared.train.labels), size, seed)
    for cell in {c.arm.name: c for c in cells}.values():
        _try_arm(cell, located, prepared, root)
    return Ready(
        data_folder=str(prepared.folder),
        pad_id=tokenizer.pad_token_id,
        sentences=prepared.report.sentences,
        train_rows=len(prepared.train),
    )


def _check_length(cell: Cell, longest: int) -> None:
    if cell.task.max_length > longest:
        raise ConfigError(
            [f"task.max_length must be at most {longest}, what the base takes, but got {cell.task.max_length}."]
        )


def _try_arm(cell: Cell, located: Located, prepared: Prepared, root: Path) -> None:
    build(cell, located, prepared.labels, seed=0)
    flops_of(cell, configuration(cell, located, prepared.labels), root=root)
