"""Puts a cell's network together with what it reads: tokens or, where the base stays fixed, features."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.config.cell import Cell
from pipeline.data.sets import EncodedSet, Prepared
from pipeline.data.store import texts
from pipeline.errors import StorageError
from pipeline.models.build import Network, build, configuration
from pipeline.models.flops import Flops
from pipeline.models.locate import Located
from pipeline.models.tokenizer import load_tokenizer
from pipeline.tasks import SetJudge, TaskKind, Vocabulary, WritingKind
from pipeline.training.class_means import start_from_class_means
from pipeline.training.cost import flops_of, resident_bytes
from pipeline.training.device import device_of, is_sharded
from pipeline.training.features import replace_base
from pipeline.training.inputs import FeatureInputs, Inputs, TokenInputs
from pipeline.training.job import Job, seed_for
from pipeline.training.memory_plan import footprint_of, memory_plan
from pipeline.training.results import ResultStore
from pipeline.training.start_line import dropout_of


@dataclass(frozen=True, kw_only=True)
class CellInputs:
    """Every set of a cell, as inputs of its network: tokens, or features where the base is fixed."""

    task: TaskKind
    vocabulary: Vocabulary
    prepared: Prepared
    base: Path
    first_rows: dict[str, int] | None

    def of(self, encoded: EncodedSet, rows: np.ndarray | None = None) -> Inputs:
        """Inputs of a set, or of some of its rows."""
        tokens = TokenInputs(encoded, self.task, self.vocabulary, rows, self._judge(encoded))
        return tokens if self.first_rows is None else FeatureInputs(tokens, self.first_rows[encoded.name])

    def _judge(self, encoded: EncodedSet) -> SetJudge | None:
        if not isinstance(self.task, WritingKind):
            return None
        return self.task.judge(load_tokenizer(self.base), texts(self.prepared, encoded.name))


@dataclass(frozen=True, kw_only=True)
class Assembled:
    """A network on the start line, its inputs, and what was counted of it before a base gave way to its features."""

    network: Network
    inputs: CellInputs
    dropout: float
    flops: Flops
    spent: float  # FLOPs before the first step
    hidden_parameters: int  # of a base whose features stand in for it
    libraries_bytes: int  # of memory, before there was a network
    planned_memory_bytes: int  # beside them


def assemble(job: Job, prepared: Prepared, task: TaskKind, rows: np.ndarray) -> Assembled:
    """The network of `job`'s cell; `rows` are those of its train subset.

    Raises:
        BaseModelError: the base is gone or has changed.
        StorageError: so is the training that the cell goes on from.
    """
    cell, located, root = job.cell, _located(job), Path(job.root)
    libraries = resident_bytes()
    before, spent = _before(job)
    network = build(cell, located, prepared.labels, seed=seed_for(cell.train.seed, "init"), pretrained=before)
    if not is_sharded(job.cell, job.hardware):
        network.model.to(device_of(job.hardware))
    network.model.config.pad_token_id = job.vocabulary.pad
    dropout = dropout_of(network.model)
    config = configuration(cell, located, prepared.labels)
    flops, found = flops_of(cell, config, root=root), footprint_of(cell, network, config, root=root)
    planned = memory_plan(cell, prepared, found, job.hardware)
    first_rows = None
    if cell.arm.trained == "head":
        first_rows = replace_base(
            network, prepared, task, rows=_read_by(cell, prepared, rows), vocabulary=job.vocabulary,
            base=job.base_fingerprint, precision=cell.train.precision, root=root,
        )  # fmt: skip
    inputs = CellInputs(
        task=task, vocabulary=job.vocabulary, prepared=prepared, base=located.directory, first_rows=first_rows
    )
    if cell.arm.head == "class_means":
        train = inputs.of(prepared.train, rows)
        classes, precision = len(prepared.labels), cell.train.precision
        start_from_class_means(network, train, task, classes=classes, precision=precision)
        spent += sum(flops.inference(1, int(length)) for length in train.lengths)
    return Assembled(
        network=network,
        inputs=inputs,
        dropout=dropout,
        flops=flops,
        spent=spent,
        hidden_parameters=found.parameters - sum(p.numel() for p in network.model.parameters()),
        libraries_bytes=libraries if job.hardware.accelerator == "cpu" else 0,
        planned_memory_bytes=round(planned.peak),
    )


def _read_by(cell: Cell, prepared: Prepared, rows: np.ndarray) -> dict[str, np.ndarray]:
    """Which rows of each set the cell reads."""
    measured = prepared.measured(tested=cell.tested)
    return {prepared.train.name: rows} | {encoded.name: np.arange(len(encoded)) for encoded in measured}


def _before(job: Job) -> tuple[Path | None, float]:
    """The weights of the training that the cell goes on from, and the FLOPs it took."""
    if job.pretraining is None:
        return None, 0.0
    store = ResultStore(Path(job.root))
    weights = store.weights(job.pretraining)
    if weights is None:
        raise StorageError(
            f"The weights of {job.pretraining}, the pretraining that this cell goes on from, are gone. "
            f"Delete {store.folder(job.pretraining)} and run the same command again."
        )
    return weights, store.result(job.pretraining).cost.flops


def _located(job: Job) -> Located:
    return Located(
        directory=Path(job.base_directory), weights=job.base_fingerprint, tokenizer=job.tokenizer_fingerprint
    )
