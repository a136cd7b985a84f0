"""Puts a cell's network together with what it reads: tokens or, where the base stays fixed, features."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.data.sets import EncodedSet, Prepared
from pipeline.data.store import examples_of
from pipeline.errors import StorageError
from pipeline.models.build import Network, build, configuration, last_linear
from pipeline.models.checkpoints.locate import require_unchanged
from pipeline.models.flops import Flops
from pipeline.models.tokenizer import load_tokenizer
from pipeline.storage.results import ResultStore
from pipeline.tasks import SetJudge, TaskKind, Vocabulary, WritingKind, linear_kind
from pipeline.training.cost import flops_of, resident_bytes
from pipeline.training.distributed.device import device_of, is_sharded
from pipeline.training.job import Job, seed_for
from pipeline.training.memory.plan import footprint_of, memory_plan
from pipeline.training.setup.features import reader_of
from pipeline.training.setup.heads import calibrated, class_means, put_in_place, remembered, solve_head
from pipeline.training.setup.inputs import TokenInputs
from pipeline.training.setup.start_line import dropout_of


@dataclass(frozen=True, kw_only=True)
class CellInputs:
    """Every set of a cell, as inputs of its network."""

    task: TaskKind
    vocabulary: Vocabulary
    prepared: Prepared
    base: Path

    def of(self, encoded: EncodedSet, rows: np.ndarray | None = None) -> TokenInputs:
        """Inputs of a set, or of some of its rows."""
        return TokenInputs(encoded, self.task, self.vocabulary, rows, self._judge(encoded))

    def _judge(self, encoded: EncodedSet) -> SetJudge | None:
        if not isinstance(self.task, WritingKind):
            return None
        return self.task.judge(load_tokenizer(self.base), examples_of(encoded))


@dataclass(frozen=True, kw_only=True)
class Assembled:
    """A network on the start line, its inputs, and what was counted of it."""

    network: Network
    inputs: CellInputs
    dropout: float
    flops: Flops
    spent: float  # FLOPs before the first step
    libraries_bytes: int  # of memory, before there was a network
    planned_memory_bytes: int  # beside them


def assemble(job: Job, prepared: Prepared, task: TaskKind, rows: np.ndarray) -> Assembled:
    """The network of `job`'s cell; `rows` are those of its train subset.

    Raises:
        BaseModelError: the base is gone or has changed.
        StorageError: so is the training that the cell goes on from.
    """
    cell, located, root = job.cell, job.located(), Path(job.root)
    libraries = resident_bytes()
    require_unchanged(located, cell.base)
    before, spent = _before(job)
    network = build(cell, located, prepared.labels, seed=seed_for(cell.train.seed, "init"), pretrained=before)
    if not is_sharded(job.cell, job.hardware):
        network.model.to(device_of(job.hardware))
    network.model.config.pad_token_id = job.vocabulary.pad
    dropout = dropout_of(network.model)
    config = configuration(cell, located, prepared.labels)
    flops, footprint = flops_of(cell, config, root=root), footprint_of(cell, network, config, root=root)
    planned = memory_plan(cell, prepared, footprint, job.hardware)
    inputs = CellInputs(task=task, vocabulary=job.vocabulary, prepared=prepared, base=located.directory)
    if not cell.method.solved:
        spent += set_head(job, network, inputs, rows, flops)
    return Assembled(
        network=network,
        inputs=inputs,
        dropout=dropout,
        flops=flops,
        spent=spent,
        libraries_bytes=libraries if job.hardware.accelerator == "cpu" else 0,
        planned_memory_bytes=round(planned.peak),
    )


def set_head(job: Job, network: Network, inputs: CellInputs, rows: np.ndarray, flops: Flops) -> float:
    """Set the head as the arm begins with it, and return the FLOPs that it took."""
    cell, prepared, asked = job.cell, inputs.prepared, job.cell.arm.head
    task = linear_kind(cell.task.kind)
    if asked == "fresh":
        return 0.0
    if task is None:  # a language model's own head is none to be solved
        return 0.0
    read = remembered(reader_of(job, network, prepared).of)
    seen = forward_flops(flops, prepared.train.lengths[rows])
    if asked == "class_means":
        labels = np.asarray(prepared.train.labels)[rows]
        put_in_place(network, class_means(read(prepared.train, rows), labels, len(prepared.labels)))
        return seen
    bias = last_linear(network.model, network.base_prefix).bias is not None
    solved = solve_head(cell, task, prepared, rows, read=read, inputs=inputs.of, bias=bias)
    held = prepared.validation
    put_in_place(network, calibrated(solved.model, task, inputs.of(held), read(held, None)))
    return seen + forward_flops(flops, prepared.validation.lengths) + solved.flops


def forward_flops(flops: Flops, lengths: np.ndarray) -> float:
    """FLOPs of one forward pass over texts of these lengths."""
    return float(sum(flops.inference(1, int(length)) for length in lengths))


def _before(job: Job) -> tuple[Path | None, float]:
    """The weights of the training that the cell goes on from, and the FLOPs it took."""
    if job.pretraining is None:
        return None, 0.0
    store = ResultStore(Path(job.root))
    weights = store.intact_weights(job.pretraining)
    if weights is None:
        raise StorageError(
            f"The weights of {job.pretraining}, the pretraining that this cell goes on from, are gone. "
            f"Delete {store.folder(job.pretraining)} and run the same command again."
        )
    return weights, store.result(job.pretraining).cost.flops
