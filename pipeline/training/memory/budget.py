"""Whether trainings fit into the memory there is and, where one does not, what would make it fit."""

import dataclasses
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.config.cell import Cell
from pipeline.data.sets import Prepared
from pipeline.errors import ConfigError
from pipeline.hardware import Resolved, machine
from pipeline.models.build import build, configuration
from pipeline.models.checkpoints.locate import Located
from pipeline.models.memory import Footprint
from pipeline.tasks import Vocabulary
from pipeline.training.cost import flops_of
from pipeline.training.distributed.device import device_of
from pipeline.training.memory.plan import MemoryPlan, footprint_of, memory_plan, words_plan, words_stored

GIB = 1 << 30
_CONTEXT = 600 << 20  # bytes that CUDA itself takes of a GPU for each process
_FLOAT = 4  # bytes
_FEW = 8  # texts at a time, below which it is quicker to keep the batch and compute layers again


@dataclass(frozen=True, kw_only=True)
class Planned:
    """The memory of one arm at one size, in each of its processes."""

    arm: str
    size: int | str
    plan: MemoryPlan
    micro_batch: int | None
    gradient_checkpointing: bool
    stored: int  # bytes of the weights that a finished cell keeps: what does not come from the base

    @property
    def sentence(self) -> str:
        """What it comes to, and what for."""
        plan = self.plan
        parts = {
            "parameters": plan.parameters,
            "gradients": plan.trained,
            "optimizer": 2 * plan.trained,
            "best weights": plan.trained,
            "activations": plan.activations,
        }
        most = ", ".join(f"{name} {gib(size)}" for name, size in parts.items() if size >= plan.peak / 50)
        return f"{self.arm} at n={self.size} needs {gib(plan.peak)} of memory ({most}){self._chosen}"

    @property
    def amount(self) -> str:
        """What it comes to."""
        return f"{gib(self.plan.peak)}{self._chosen}"

    @property
    def settings(self) -> str:
        """What asks for fewer texts at a time, or for layers computed again."""
        asked = {
            f"hardware.micro_batch={self.micro_batch}": self.micro_batch,
            "hardware.gradient_checkpointing=true": self.gradient_checkpointing,
        }
        return " ".join(setting for setting, given in asked.items() if given)

    @property
    def _chosen(self) -> str:
        micro = f", {self.micro_batch} texts at a time" if self.micro_batch else ""
        return micro + (", layers computed again" if self.gradient_checkpointing else "")


@dataclass(frozen=True, kw_only=True)
class MemoryBudget:
    """The memory that trainings on one base, data and hardware find; `free` bytes for each process of one cell."""

    located: Located
    prepared: Prepared
    hardware: Resolved
    vocabulary: Vocabulary
    root: Path
    free: float
    _found: dict[tuple[str, ...], Footprint] = field(default_factory=dict)

    def planned(self, cell: Cell) -> Planned:
        """The memory of the cell's arm at its size.

        Raises:
            BaseModelError: the base cannot serve this arm.
            ConfigError: it is more than is free; says what would fit. Or its layers cannot be computed again.
        """
        if (
            self.hardware.gradient_checkpointing
            and not cell.method.solved
            and not self._footprint(cell).checkpoints_gradients
        ):
            raise ConfigError(
                [f"hardware.gradient_checkpointing=true is not for base {cell.base.name!r}: its architecture cannot "
                 "compute layers again. Leave it out; hardware.micro_batch=8 needs less memory too."]
            )  # fmt: skip
        planned = self._on(cell, self.hardware)
        if planned.plan.peak <= self.free or self.hardware.elsewhere:
            return planned
        spread = None if cell.method.solved else self._spread(cell)
        if spread and cell.train.fit_memory:
            return spread
        same = (
            [f"train.fit_memory=true ({spread.settings}: {gib(spread.plan.peak)}, the same result)"] if spread else []
        )
        fitting = ", ".join([*same, *self._fitting(cell)])
        advice = f"It would fit with {fitting}." if fitting else "Nothing that was tried fits: take a smaller base."
        raise ConfigError([f"{planned.sentence}, but {gib(self.free)} are free. {advice}"])

    def at_once(self, planned: Iterable[Planned]) -> int:
        """How many cells find room at the same time, if all are as large as the largest."""
        most = max(each.plan.peak for each in planned)
        if self.hardware.accelerator != "gpu":
            return max(1, int(self.free / most))
        here = max(1, int(self.free / (most + _CONTEXT)))
        return max(1, here * (len(machine.gpus()) // self.hardware.devices))

    def _on(self, cell: Cell, hardware: Resolved) -> Planned:
        return Planned(
            arm=cell.arm.name,
            size=cell.train.size,
            plan=self._plan(cell, hardware),
            micro_batch=hardware.micro_batch,
            gradient_checkpointing=hardware.gradient_checkpointing,
            stored=self._stored(cell),
        )

    def _stored(self, cell: Cell) -> int:
        if cell.method.reads == "words":
            return round(words_stored(words_plan(cell, self.prepared)))
        return _FLOAT * self._footprint(cell).trained

    def _plan(self, cell: Cell, hardware: Resolved) -> MemoryPlan:
        if cell.method.reads == "words":
            return words_plan(cell, self.prepared)
        return memory_plan(cell, self.prepared, self._footprint(cell), hardware)

    def _spread(self, cell: Cell) -> Planned | None:
        """The quickest way to the same result that fits: fewer texts at a time, then layers computed again as well."""
        share = math.ceil(cell.train.batch / self.hardware.devices)
        ways: list[tuple[int | None, bool]] = [(size, False) for size in _halves(share, least=_FEW)]
        if self._footprint(cell).checkpoints_gradients:
            ways += [(size, True) for size in (self.hardware.micro_batch, *_halves(share, least=1))]
        for size, again in ways:
            planned = self._on(cell, dataclasses.replace(self.hardware, micro_batch=size, gradient_checkpointing=again))
            if planned.plan.peak <= self.free:
                return planned
        return None

    def _footprint(self, cell: Cell) -> Footprint:
        """Of the cell's network, which is built; that shows that it can be. The first one is tried out."""
        key = (cell.arm.name, cell.arm.method, cell.train.precision)
        if key not in self._found:
            network = build(cell, self.located, self.prepared.labels, seed=0)
            if not self.hardware.elsewhere and not self.hardware.sharded:
                network.model.to(device_of(self.hardware))
            if not self._found:
                from pipeline.training.setup.first_passes import try_out  # which needs torch

                try_out(cell, network, self.prepared, self.vocabulary)
            config = configuration(cell, self.located, self.prepared.labels)
            flops_of(cell, config, root=self.root)
            self._found[key] = footprint_of(cell, network, config, root=self.root)
        return self._found[key]

    def _fitting(self, cell: Cell) -> Iterator[str]:
        """Settings under which the cell would fit, with what it would take then."""
        for ways in _smaller(cell, bf16=machine.has_bf16(self.hardware.accelerator)):
            plans = ((words, self._on(other, self.hardware).plan) for words, other in ways)
            yield from [f"{words} ({gib(plan.peak)})" for words, plan in plans if plan.peak <= self.free][:1]


def memory_budget(
    located: Located, prepared: Prepared, vocabulary: Vocabulary, hardware: Resolved, root: Path
) -> MemoryBudget:
    """What is free now. Processes of one cell share the processor's memory, and have a GPU each."""
    free = machine.free_memory("cpu" if hardware.elsewhere else hardware.accelerator)
    sharing = hardware.devices // hardware.nodes if hardware.accelerator == "cpu" else 1
    return MemoryBudget(
        located=located,
        prepared=prepared,
        vocabulary=vocabulary,
        hardware=hardware,
        root=root,
        free=free / sharing,
    )


def gib(size: float) -> str:
    """ "1.25 GiB"."""
    return f"{size / GIB:.2f} GiB"


def _smaller(cell: Cell, *, bf16: bool) -> Iterator[list[tuple[str, Cell]]]:
    """Ways to make a cell smaller: lists, the best first, of which one is enough.

    Args:
        bf16: whether the device computes in it.
    """
    train, task, arm = cell.train, cell.task, cell.arm
    yield [
        (f"train.batch={size}", dataclasses.replace(cell, train=dataclasses.replace(train, batch=size)))
        for size in _halves(train.batch, least=1)
    ]
    yield [
        (f"task.max_length={length}", dataclasses.replace(cell, task=dataclasses.replace(task, max_length=length)))
        for length in _halves(task.max_length, least=8)
    ]
    if bf16 and train.precision == "fp32":
        yield [("train.precision=bf16", dataclasses.replace(cell, train=dataclasses.replace(train, precision="bf16")))]
    if arm.start == "pretrained":
        for name, method in cell.method.lighter:
            yield [(f"arm={name}", dataclasses.replace(cell, arm=dataclasses.replace(arm, method=method)))]


def _halves(value: int, *, least: int) -> list[int]:
    """Half of it, a quarter, and so on."""
    return [value >> i for i in range(1, value.bit_length()) if value >> i >= least]
