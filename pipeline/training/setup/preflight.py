"""Everything that can be checked or computed once for all cells of a study, before the first of them starts."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np

from pipeline.audits import AUDITS
from pipeline.config.cell import Cell
from pipeline.data.prepare import Prepared, prepare
from pipeline.data.subsets import nested_subset
from pipeline.errors import ConfigError, UnfitAuditError
from pipeline.hardware import Resolved
from pipeline.language import Sentence
from pipeline.models.checkpoints.locate import Located
from pipeline.models.tokenizer import load_tokenizer
from pipeline.tasks import Vocabulary, WritingKind, kind, vocabulary_of
from pipeline.training.memory.budget import Planned, memory_budget
from pipeline.training.setup.probes import TextReader


@dataclass(frozen=True, kw_only=True)
class Preflight:
    """The prepared data's folder, sentences about it for report and terminal, its tokenizer's tokens, memory needed."""

    data_folder: str
    vocabulary: Vocabulary
    sentences: tuple[Sentence, ...]
    look: tuple[Sentence, ...]  # those of them that are shown before the first cell
    train_rows: int
    memory: tuple[Planned, ...]  # of each arm at each size
    at_once: int  # cells for whose memory there is room

    def fitted(self, cell: Cell, hardware: Resolved) -> Resolved:
        """The hardware as the cell uses it to fit into memory."""
        for planned in self.memory:
            if (planned.arm, planned.size) == (cell.arm.name, cell.train.size):
                return dataclasses.replace(
                    hardware, micro_batch=planned.micro_batch, gradient_checkpointing=planned.gradient_checkpointing
                )
        return hardware


def preflight(
    cells: Sequence[Cell],
    located: Located,
    *,
    data_fingerprint: str,
    hardware: Resolved,
    root: Path,
    evaluated: Mapping[str, str] = MappingProxyType({}),
    audits: Sequence[str] = (),
) -> Preflight:
    """Prepare the data, and try every subset and every arm's network of `cells`, which share base and task.

    Args:
        cells: one at least.
        located: their base.
        data_fingerprint: of what they are trained, validated and tested on.
        hardware: where they run.
        root: where results go.
        evaluated: by name, the fingerprints of sets that tested cells are evaluated on.
        audits: that they are examined by.

    Raises:
        DataError: the data cannot serve these sizes.
        BaseModelError: the base cannot serve this task or these arms.
        ConfigError: texts may be longer than the base can take, a training needs more memory than is free, or an audit
            does not fit the texts or the tokenizer.
    """
    _check_writes_whole(cells[0], hardware)
    prepared, vocabulary = _data(cells, located, data_fingerprint, evaluated, root, audits)
    for size, seed in {(c.train.size, c.train.seed) for c in cells}:
        nested_subset(np.asarray(prepared.train.labels), size, seed)
    budget = memory_budget(located, prepared, vocabulary, hardware, root)
    one_each = {(c.arm.name, c.train.size): c for c in cells}
    memory = tuple(budget.planned(cell) for cell in one_each.values())
    return Preflight(
        data_folder=str(prepared.folder),
        vocabulary=vocabulary,
        sentences=prepared.report.sentences,
        look=prepared.report.look,
        train_rows=len(prepared.train),
        memory=memory,
        at_once=budget.at_once(memory),
    )


def preflight_of_evaluation(
    cells: Sequence[Cell],
    located: Located,
    *,
    data_fingerprint: str,
    evaluated: Mapping[str, str],
    root: Path,
    audits: Sequence[str] = (),
) -> Preflight:
    """The same for finished cells, of which no memory is planned: they take less than when they were trained."""
    prepared, vocabulary = _data(cells, located, data_fingerprint, evaluated, root, audits)
    return Preflight(
        data_folder=str(prepared.folder),
        vocabulary=vocabulary,
        sentences=prepared.report.sentences,
        look=prepared.report.look,
        train_rows=len(prepared.train),
        memory=(),
        at_once=len(cells),
    )


def _data(
    cells: Sequence[Cell],
    located: Located,
    fingerprint: str,
    evaluated: Mapping[str, str],
    root: Path,
    audits: Sequence[str],
) -> tuple[Prepared, Vocabulary]:
    tokenizer, task = load_tokenizer(located.directory), cells[0].task
    _check_length(cells[0], tokenizer.model_max_length)
    prepared = prepare(
        task,
        tokenizer,
        tokenizer_fingerprint=located.tokenizer,
        data_fingerprint=fingerprint,
        root=root,
        prefix=cells[0].base.prefix,
        evaluated=evaluated if any(cell.tested for cell in cells) else {},
    )
    if any(cell.tested for cell in cells):
        _check_audits(audits, TextReader(cell=cells[0], tokenizer=tokenizer, prepared=prepared))
    return prepared, vocabulary_of(kind(task.kind), tokenizer, prepared.labels)


def _check_audits(audits: Sequence[str], reader: TextReader) -> None:
    wrong = {
        name: f"The audit {name} cannot examine cells on {reader.cell.base.name}: {why} Leave it out of study.audits "
        "and of claims."
        for name in audits
        if (why := AUDITS[name].unfit(reader))
    }
    if wrong:
        raise UnfitAuditError(wrong)


def _check_writes_whole(cell: Cell, hardware: Resolved) -> None:
    if hardware.sharded and isinstance(kind(cell.task.kind), WritingKind):
        why = "no process has a whole network to write with. Use hardware=ddp"
        raise ConfigError([f"hardware.strategy={hardware.strategy} cannot do {cell.task.kind}: {why}."])


def _check_length(cell: Cell, longest: int) -> None:
    if cell.task.max_length > longest:
        raise ConfigError(
            [f"task.max_length must be at most {longest}, what the base takes, but got {cell.task.max_length}."]
        )
