"""The callback that saves a training where it stands, and puts a saved one back."""

import signal
import time
from collections.abc import Callable
from typing import Any

import pytorch_lightning as pl
import torch

from pipeline.config.checkpoint_interval import Pace
from pipeline.models.distributed.sharding import moments, whole, write, write_moments
from pipeline.storage.checkpoints import FORMAT, Checkpoint, CheckpointStore, Standing
from pipeline.training.loop.evaluation_callback import EvaluationCallback, Pruned
from pipeline.training.loop.lightning_module import CellModule

Leaving = Callable[[], bool]  # whether this process is to end


class Left(Exception):  # noqa: N818 - it is no error
    """The training was terminated from outside, and has saved where it stands. Raised on every rank."""


class CheckpointCallback(pl.Callback):
    """Comes after the trajectory, so that what is measured at a step is saved with it."""

    def __init__(
        self,
        store: CheckpointStore,
        trajectory: EvaluationCallback,
        *,
        pace: Pace,
        leaving: Leaving,
        pausing: bool,
        saved: Checkpoint | None,
        last: int,
    ) -> None:
        self.store, self.trajectory, self.pace, self.leaving = store, trajectory, pace, leaving
        self.pausing, self.saved, self.last = pausing, saved, last
        self._saved_at, self._saved_step = time.monotonic(), saved.standing.step if saved else 0
        self._on_sigterm = signal.getsignal(signal.SIGTERM)

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Weights and moments as they were saved."""
        signal.signal(signal.SIGTERM, self._on_sigterm)  # Lightning's own starts a collective in the middle of a step
        if self.saved is None:
            return
        assert isinstance(pl_module, CellModule)
        for name, parameter in _trained(pl_module):
            write(parameter, self.saved.tensors[f"model.{name}"])
        if self.saved.standing.loss_steps:
            pl_module.loss_steps = self.saved.standing.loss_steps
            pl_module.loss_sum = self.saved.tensors["loss_sum"].to(pl_module.device)
        optimizer_state: list[dict[str, torch.Tensor]] = [{} for _ in pl_module.in_order]
        for name, tensor in self.saved.part("optimizer").items():
            index, _, key = name.partition(".")
            optimizer_state[int(index)][key] = tensor
        write_moments(trainer.optimizers[0], pl_module.in_order, optimizer_state)

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """The random numbers go on where they were: after the data loader has drawn its own, before the first step."""
        if self.saved is not None and batch_idx == 0:
            _set_randomness(self.saved, trainer)

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Save where it is due, or where one of the ranks is to end."""
        step = self.trajectory.step_of(trainer)
        if step >= self.last or trainer.should_stop:
            return
        passed = time.monotonic() - self._saved_at
        due = self.pace.due(seconds=passed, steps=step - self._saved_step)
        leaving, due = _any_rank(trainer, self.leaving(), due)
        if leaving or due:
            self._save(trainer, pl_module, step)
        if leaving:
            raise Left(f"after {step} steps")

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """Save where a training pauses, on every rank; one that has made no step since it was saved is saved."""
        if self.pausing and isinstance(exception, Pruned) and trainer.global_step:
            self._save(trainer, pl_module, self.trajectory.step_of(trainer))

    def _save(self, trainer: pl.Trainer, module: pl.LightningModule, step: int) -> None:
        assert isinstance(module, CellModule)
        tensors = _state(trainer, module) | self.trajectory.tensors() | _randomness(trainer)
        if trainer.is_global_zero:
            standing = self._standing(module, step, trainer.world_size)
            self.store.save(Checkpoint(standing=standing, tensors=tensors))
        self._saved_at, self._saved_step = time.monotonic(), step

    def _standing(self, module: CellModule, step: int, world: int) -> Standing:
        trajectory = self.trajectory
        return Standing(
            cell_id=self.store.cell_id,
            format=FORMAT,
            step=step,
            points=tuple(trajectory.points),
            seconds=tuple(trajectory.seconds),
            training_seconds=trajectory.training_seconds_now(),
            evaluation_seconds=trajectory.evaluation_seconds,
            best_step=trajectory.best_step,
            waited=trajectory.waited,
            loss_steps=module.loss_steps,
            world=world,
        )


def _trained(module: pl.LightningModule) -> list[tuple[str, torch.nn.Parameter]]:
    assert isinstance(module, CellModule)
    return [(name, p) for name, p in module.model.named_parameters() if p.requires_grad]


def _state(trainer: pl.Trainer, module: CellModule) -> dict[str, torch.Tensor]:
    """On every rank, since each may have a share of it only."""
    tensors = {f"model.{name}": whole(p).cpu() for name, p in _trained(module)}
    for index, values in enumerate(moments(trainer.optimizers[0], module.in_order)):
        tensors |= {f"optimizer.{index}.{key}": value.cpu() for key, value in values.items()}
    if module.loss_steps:  # as every rank takes it up again: of all of them
        tensors["loss_sum"] = trainer.strategy.reduce(module.loss_sum.clone(), reduce_op="mean").cpu()
    return tensors


def _any_rank(trainer: pl.Trainer, *said: bool) -> list[bool]:
    """Which of these any rank says. Asked after each step, so in one exchange and without Lightning's barriers."""
    if trainer.world_size == 1:
        return list(said)
    heard = torch.tensor(said, dtype=torch.uint8, device=trainer.strategy.root_device)
    torch.distributed.all_reduce(heard, torch.distributed.ReduceOp.MAX)
    return [bool(each) for each in heard.tolist()]


def _randomness(trainer: pl.Trainer) -> dict[str, torch.Tensor]:
    """The generators' states of every rank, on every rank."""
    devices = [torch.get_rng_state()]
    if trainer.strategy.root_device.type == "cuda":
        devices.append(torch.cuda.get_rng_state())
    states_of: dict[str, torch.Tensor] = {}
    for kind, state in zip(("cpu", "cuda"), devices, strict=False):
        states = [state]
        if trainer.world_size > 1:
            states = [torch.empty_like(state) for _ in range(trainer.world_size)]
            torch.distributed.all_gather_object(states, state)
        states_of |= {f"random.{kind}.{rank}": s for rank, s in enumerate(states)}
    return states_of


def _set_randomness(saved: Checkpoint, trainer: pl.Trainer) -> None:
    """Each rank's own. With another number of ranks there is none to go on with, and dropout is drawn anew."""
    if saved.standing.world != trainer.world_size:
        torch.manual_seed(torch.initial_seed() + saved.standing.step)
        return
    torch.set_rng_state(saved.tensors[f"random.cpu.{trainer.global_rank}"])
    if f"random.cuda.{trainer.global_rank}" in saved.tensors:
        torch.cuda.set_rng_state(saved.tensors[f"random.cuda.{trainer.global_rank}"])
