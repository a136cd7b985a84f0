"""How much memory a training will take at its peak, from counts and without running it.

What cannot be counted was measured once (docs/benchmarks.md): what a process takes beside its libraries and tensors,
how much more than the tensors of a step the heap of a process on the processor holds on to, and what a matrix product
takes there once it is prepared for a shape.
"""

import dataclasses
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.config.cell import Cell
from pipeline.data.batches import batch_schedule, evaluation_batches, largest_batch
from pipeline.data.sets import Prepared
from pipeline.data.subsets import nested_subset
from pipeline.hardware import Resolved
from pipeline.models.build import Network
from pipeline.models.memory import Footprint, footprint
from pipeline.tasks import kind
from pipeline.training.cost import counted_once
from pipeline.training.distributed.device import is_sharded, shares_memory
from pipeline.training.memory.limits import FEATURE_BATCH, PREPARED, averaged_in

_RUNTIME = 75 << 20  # bytes of a process on the processor: data, buffers, the heap's own
_WORKSPACE = 64 << 20  # of the products of a process on a GPU
_PRODUCT = 1500  # bytes for each token of a product prepared for one shape, in bf16 on the processor
_STEP, _PASS = 12, 4  # products of one shape of a batch, in training and in evaluation
_PASSING = 0.4  # of what a layer keeps in training, what passes through it in evaluation
_LOGIT = 10  # bytes of a logit as it is judged: in float32, as a logarithm, and beside the right one's
_LOGIT_BACK = 6  # of its gradient, in both precisions
_TERMS = 12  # different n-grams for each token of a text, at most
_TERM = 2_000  # bytes of them as text, with their places
_COUNTED = 600  # bytes of a token's n-grams, counted, with a copy
_FLOAT = 4  # bytes of a parameter, of its gradient and of each of its two moments


@dataclass(frozen=True, kw_only=True)
class MemoryPlan:
    """Bytes of one process of a training, by what they are for; the libraries themselves are left out."""

    runtime: float
    parameters: float
    trained: float  # parameters that have a gradient, two moments and a copy of the best so far
    activations: float
    evaluation: float
    averaging: float = 0.0  # of gradients, with the other processes
    products: float = 0.0  # prepared for the shapes of batches
    whole: float = 0.0  # of a network of which each process has a share: all of it, as it is tested at the end
    accumulates: bool = False  # gradients are there while a micro-batch is computed

    @property
    def peak(self) -> float:
        """The most at one time: as weights are loaded, in a backward pass, or as the best ones are replaced."""
        lasting = self.runtime + self.averaging + self.products + self.parameters + 2 * self.trained
        either = self.activations + self.trained if self.accumulates else max(self.activations, self.trained)
        backward = lasting + self.trained + either
        replacing = lasting + 3 * self.trained + self.evaluation
        return max(2 * self.parameters, backward, replacing, self.whole + self.evaluation)


def memory_plan(cell: Cell, prepared: Prepared, footprint: Footprint, hardware: Resolved) -> MemoryPlan:
    """The plan of `cell` on these data, for a network with the footprint `found`."""
    if hardware.accelerator == "gpu":
        footprint = dataclasses.replace(footprint, packed_to=0)
    rows = nested_subset(np.asarray(prepared.train.labels), cell.train.size, cell.train.seed)
    lengths = _clipped(cell, prepared.train.lengths[rows])
    copied = footprint.row * len(_ids(prepared, rows)) if footprint.row else 0
    sharded = is_sharded(cell, hardware)
    shares = hardware.devices if sharded else 1
    gathered = 2 * footprint.parameters / footprint.layers if sharded else 0  # a layer's, and the next one's
    trained = _FLOAT * (footprint.trained + copied - footprint.row * footprint.rows) / shares
    return MemoryPlan(
        runtime=_RUNTIME if hardware.accelerator == "cpu" else _WORKSPACE,
        parameters=_FLOAT * ((footprint.parameters + copied) / shares + gathered),
        trained=trained,
        activations=_activations(cell, lengths, footprint, hardware),
        evaluation=_evaluation(cell, prepared, footprint, hardware),
        averaging=averaged_in(int(trained), hardware.devices) if shares_memory(cell, hardware) else 0.0,
        products=_products(cell, lengths, footprint, hardware),
        whole=_FLOAT * footprint.parameters if sharded else 0.0,
        accumulates=hardware.micro_batch is not None,
    )


def footprint_of(cell: Cell, network: Network, config: Any, *, root: Path) -> Footprint:
    """The footprint of this network, of which `config` is the configuration; kept under `root/memory`."""
    precision = cell.train.precision
    form = [field.name for field in dataclasses.fields(Footprint)]  # what another version wrote is not read
    device = str(network.device.type)  # its kernels keep what they like
    return counted_once(
        Footprint, root / "memory", cell, config,
        lambda: footprint(network, kind(cell.task.kind), method=cell.method, precision=precision),
        precision, device, *form,
    )  # fmt: skip


def _ids(prepared: Prepared, rows: np.ndarray) -> np.ndarray:
    return np.unique(np.concatenate([prepared.train.item(int(row)) for row in rows]))


def _clipped(cell: Cell, lengths: np.ndarray) -> np.ndarray:
    return np.asarray(np.minimum(lengths, cell.task.max_length))


def _activations(cell: Cell, lengths: np.ndarray, footprint: Footprint, hardware: Resolved) -> float:
    """Of the longest texts, as many as one process computes at a time."""
    if cell.method.solved:
        return 0.0
    share = math.ceil(largest_batch(len(lengths), cell.train.batch) / hardware.devices)
    longest = np.sort(lengths)[-min(share, hardware.micro_batch or share) :]
    kept, on_cpu = _kept(longest, footprint), hardware.accelerator == "cpu"
    if hardware.gradient_checkpointing:  # one layer's own, which the processor has twice for a moment
        kept = footprint.between(_tokens(longest, footprint)) + (2 if on_cpu else 1) * kept / footprint.layers
    read = _LOGIT_BACK * footprint.logits * _tokens(longest, footprint)
    return footprint.fixed + (cell.method.heap if on_cpu else 1.0) * kept + read


def _evaluation(cell: Cell, prepared: Prepared, footprint: Footprint, hardware: Resolved) -> float:
    """What passes through a layer, or is read at the end, in the largest batch; a fixed base reads few at once."""
    batches = [b for s in prepared.measured(tested=cell.tested) for b in _evaluated(cell, s.lengths, hardware)]
    passing = _PASSING * max(_kept(lengths, footprint) for lengths in batches) / footprint.layers
    return max(passing, _LOGIT * footprint.logits * max(_tokens(lengths, footprint) for lengths in batches))


def _evaluated(cell: Cell, lengths: np.ndarray, hardware: Resolved) -> list[np.ndarray]:
    """The lengths of the texts of each batch of a set, ascending; of features, those of the longest texts alone."""
    lengths = _clipped(cell, lengths)
    if cell.method.solved:
        return [np.sort(lengths)[-FEATURE_BATCH[hardware.accelerator] :]]
    batches = evaluation_batches(lengths, texts=kind(cell.task.kind).evaluated_at_once)
    return [lengths[items] for items in batches]


def _products(cell: Cell, lengths: np.ndarray, footprint: Footprint, hardware: Resolved) -> float:
    """Of the shapes of the first batches, as many as a worker keeps; of a fixed base, of texts of each length."""
    if hardware.accelerator != "cpu" or cell.train.precision != "bf16":
        return 0.0
    if cell.method.solved:
        tokens, each = {FEATURE_BATCH["cpu"] * int(length) for length in lengths}, _PASS
    else:
        batches = batch_schedule(lengths, batch=cell.train.batch, examples=PREPARED * cell.train.batch, seed=0)
        tokens, each = {_tokens(lengths[batch], footprint) for batch in batches}, _STEP
    return _PRODUCT * sum(tokens) / len(tokens) * min(PREPARED, each * len(tokens))


def _tokens(lengths: np.ndarray, footprint: Footprint) -> int:
    """Tokens that a batch of texts of these lengths is computed as."""
    if footprint.packed_to:
        return math.ceil(int(lengths.sum()) / footprint.packed_to) * footprint.packed_to
    return len(lengths) * int(lengths.max())


def _kept(lengths: np.ndarray, footprint: Footprint) -> float:
    """Bytes that a batch of texts of these lengths keeps; `lengths` ascend."""
    return footprint.activations(tokens=_tokens(lengths, footprint), texts=len(lengths), length=int(lengths[-1]))


def words_plan(cell: Cell, prepared: Prepared) -> MemoryPlan:
    """The plan of a linear model on words, for an arm without a network: its n-grams, counted by texts' tokens."""
    rows = nested_subset(np.asarray(prepared.train.labels), cell.train.size, cell.train.seed)
    largest = max(int(encoded.lengths.sum()) for encoded in prepared.measured(tested=cell.tested))
    read = float(prepared.train.lengths[rows].sum())
    model = _FLOAT * 2 * len(prepared.labels) * _TERMS * read
    return MemoryPlan(
        runtime=_RUNTIME,
        parameters=_TERM * read,
        trained=model,
        activations=0.0,
        evaluation=_COUNTED * (read + largest),
    )


def words_stored(plan: MemoryPlan) -> float:
    """Bytes of what such a model leaves on disk: its weights in float32, and its n-grams."""
    return plan.trained * 4 / (2 * _FLOAT) + plan.parameters
