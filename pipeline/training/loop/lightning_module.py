"""The Lightning module: loss, optimizer, schedule. It knows nothing of studies, tracking or sweeps."""

import itertools
import math
import sys
from collections.abc import Callable, Sequence
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.utilities.types import OptimizerLRSchedulerConfig

from pipeline.config.schema import Decay, Recipe
from pipeline.errors import CrampedError, MemoryRanOutError
from pipeline.models.distributed.sharding import add_gradients, shard
from pipeline.tasks import TaskKind
from pipeline.tasks.texts.encoding import OF_TOKENS


class CellModule(pl.LightningModule):
    """One arm's network under one recipe.

    Batches are dictionaries of tensors with "labels", and "global_size", which is a number: to read it from a tensor,
    the processor would have to wait for the GPU.

    `first` steps of `total_steps` were made before. With `micro_batch`, so many texts are computed at a time.
    Where memory runs out there are fewer: `micro_batch` is then what was found to fit. With `sharded`, every process
    keeps its share of `model`.
    """

    def __init__(
        self,
        model: Any,
        task: TaskKind,
        recipe: Recipe,
        total_steps: int,
        first: int = 0,
        micro_batch: int | None = None,
        sharded: bool = False,
    ) -> None:
        super().__init__()
        self.model = model
        self.task = task
        self.recipe = recipe
        self.total_steps, self.first, self.micro_batch = total_steps, first, micro_batch
        self.sharded = sharded
        self.in_order: list[torch.nn.Parameter] = []  # as the optimizer counts them
        self.rows = 0  # of the batch in hand
        self.loss_sum: Any = 0.0
        self.loss_steps = 0

    def configure_model(self) -> None:
        """Spread the network, where it is to be; called once the processes have found each other."""
        if self.sharded:
            assert self.device_mesh is not None
            shard(self.model, self.device_mesh["data_parallel"])

    def training_step(self, batch: dict[str, Any], _: int) -> torch.Tensor:
        """The mean loss over the global batch, as this rank's share of it (DDP averages over ranks).

        Of several micro-batches all but the last have had their backward pass when this returns.
        """
        self.rows = len(batch["labels"])
        *before, last = parts(batch, self._parts(batch))
        if self.micro_batch is not None:
            self.trainer.optimizers[0].zero_grad()
        for part in before:
            loss = self._loss(part)
            with torch.autocast(loss.device.type, enabled=False):  # as Lightning's own backward pass
                self.trainer.strategy.backward(loss, None)
            add_gradients(self.trainer.optimizers[0])
        self.loss_steps += 1
        return self._loss(last)

    def _parts(self, batch: dict[str, Any]) -> int:
        """How many a process's share of the batch comes in: as many in each, since they may have to meet in each."""
        size = batch["global_size"]
        share = math.ceil(size / self.trainer.world_size) if math.isfinite(size) else 1
        return math.ceil(share / self.micro_batch) if self.micro_batch else 1

    def _loss(self, batch: dict[str, Any]) -> torch.Tensor:
        losses = self.task.losses(self.task.forward(self.model, batch), batch)
        loss: torch.Tensor = losses.sum() * (self.trainer.world_size / batch["global_size"])
        self.loss_sum = self.loss_sum + loss.detach()  # stays on the device: no wait in the step
        return loss

    def optimizer_step(
        self, epoch: int, batch_idx: int, optimizer: Any, optimizer_closure: Callable[[], Any] | None = None
    ) -> None:
        """One step, whose passes are made again with half as many texts at a time as long as memory runs out in them.

        Raises:
            MemoryRanOutError: not even one text at a time fits.
            CrampedError: fewer at a time might, but this is one of several processes.
        """
        losses = self.loss_sum, self.loss_steps

        def passes() -> Any:
            while (loss := self._unless_memory_runs_out(optimizer_closure)) is None:
                self.loss_sum, self.loss_steps = losses
                self.micro_batch = half(self.micro_batch or self.rows)
                optimizer.zero_grad()
                torch.cuda.empty_cache()
                print(f"Out of memory: going on with {self.micro_batch} texts at a time.", file=sys.stderr, flush=True)
            return loss

        optimizer.step(closure=passes)

    def _unless_memory_runs_out(self, passes: Any) -> Any:
        """Their loss; of several processes the others are in the middle of theirs, and all have to begin again."""
        try:
            return passes()
        except torch.OutOfMemoryError as error:
            if self.trainer.world_size > 1:
                fewer = half(self.micro_batch or self.rows)
                raise CrampedError(f"Out of memory: beginning again with {fewer} texts at a time.") from error
            return None

    def optimizer_zero_grad(self, epoch: int, batch_idx: int, optimizer: torch.optim.Optimizer) -> None:
        """Lightning's call comes after the forward pass, when gradients of earlier micro-batches are there to stay."""
        if self.micro_batch is None:
            optimizer.zero_grad()

    def take_mean_loss(self) -> float | None:
        """The mean training loss since the last call, over the global batches; None where there was no step."""
        total, steps = self.loss_sum, self.loss_steps
        self.loss_sum, self.loss_steps = 0.0, 0
        return float(self.trainer.strategy.reduce(total, reduce_op="mean")) / steps if steps else None

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        """AdamW without decay on norms, biases and embeddings, and the recipe's schedule per step."""
        groups = self._groups()
        self.in_order = [p for group in groups for p in group["params"]]
        optimizer = torch.optim.AdamW(groups, lr=self.recipe.lr, fused=True)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer,
            lambda step: factor(
                self.first + step,
                total=self.total_steps,
                warmup=self.recipe.warmup,
                decay=self.recipe.decay,
                cooldown=self.recipe.cooldown,
            ),
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def configure_gradient_clipping(
        self, optimizer: Any, gradient_clip_val: float | None = None, gradient_clip_algorithm: str | None = None
    ) -> None:
        """Clip the global norm. Lightning's own refuses fused optimizers, though without a scaler it could."""
        if gradient_clip_val:
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), gradient_clip_val)

    def _groups(self) -> list[dict[str, Any]]:
        trained = [p for p in self.model.parameters() if p.requires_grad]
        tables = {m.weight for m in self.model.modules() if isinstance(m, torch.nn.Embedding)}
        decayed = [p for p in trained if p.ndim >= 2 and p not in tables]
        plain = [p for p in trained if p.ndim < 2 or p in tables]
        groups: Sequence[tuple[list[Any], float]] = ((decayed, self.recipe.weight_decay), (plain, 0.0))
        return [{"params": params, "weight_decay": decay} for params, decay in groups if params]


def parts(batch: dict[str, Any], count: int) -> list[dict[str, Any]]:
    """The batch in so many parts of one size, each without columns that are padding in all of its rows.

    Where there are more parts than rows, the rest are a row that counts for nothing.
    """
    rows = len(batch["labels"])
    if count == 1:
        return [batch]
    bounds = [rows * i // count for i in range(count + 1)]
    return [
        _rows(batch, start, end) if end > start else _rows(batch, 0, 1) | {"global_size": math.inf}
        for start, end in itertools.pairwise(bounds)
    ]


def half(texts: int) -> int:
    """Half as many texts at a time.

    Raises:
        MemoryRanOutError: it is one already.
    """
    if texts == 1:
        raise MemoryRanOutError(
            "The GPU has too little memory for one text at a time. Use hardware.gradient_checkpointing=true, a shorter "
            "task.max_length, or a smaller base; what is done so far is kept, and goes on from there."
        )
    return (texts + 1) // 2


def _rows(batch: dict[str, Any], start: int, end: int) -> dict[str, Any]:
    whole = batch.get("whole", False)
    length = batch["input_ids"].shape[1] if whole else int(batch["attention_mask"][start:end].sum(dim=1).max())
    part = {name: values[start:end] if torch.is_tensor(values) else values for name, values in batch.items()}
    return part | {name: part[name][:, :length] for name in OF_TOKENS & part.keys()}


def factor(step: int, *, total: int, warmup: float, decay: Decay, cooldown: float) -> float:
    """The learning rate at `step` (from 0) as a share of its peak.

    A linear warm-up, then a linear or cosine decay to 0, or a constant rate; warmup_stable_decay is constant until a
    linear decay over the last `cooldown` of the steps (Hägele et al. 2024).
    """
    rising = max(1, math.ceil(warmup * total))
    if step < rising:
        return (step + 1) / rising
    progress = min(1.0, (step - rising) / max(1, total - rising))
    if decay == "warmup_stable_decay":
        return min(1.0, (total - step) / max(1, math.ceil(cooldown * total)))
    return {"linear": 1 - progress, "cosine": 0.5 * (1 + math.cos(math.pi * progress)), "constant": 1.0}[decay]
