"""The Lightning module: loss, optimizer, schedule. It knows nothing of studies, tracking or sweeps."""

import math
from collections.abc import Sequence
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.utilities.types import OptimizerLRSchedulerConfig

from pipeline.config.schema import Recipe
from pipeline.tasks import TaskKind


class CellModule(pl.LightningModule):
    """One arm's network under one recipe. Batches are dictionaries of tensors with "labels" and "global_size".

    `first` steps of `total_steps` were made before.
    """

    def __init__(self, model: Any, task: TaskKind, recipe: Recipe, total_steps: int, first: int = 0) -> None:
        super().__init__()
        self.model = model
        self.task = task
        self.recipe = recipe
        self.total_steps, self.first = total_steps, first
        self.loss_sum: Any = 0.0
        self.loss_steps = 0

    def training_step(self, batch: dict[str, Any], _: int) -> torch.Tensor:
        """The mean loss over the global batch, as this rank's share of it (DDP averages over ranks)."""
        labels, size = batch["labels"], float(batch["global_size"])
        logits = self.model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
        losses: torch.Tensor = self.task.losses(logits, labels)
        loss = losses.sum() * (self.trainer.world_size / size)
        self.loss_sum = self.loss_sum + loss.detach()  # stays on the device: no wait in the step
        self.loss_steps += 1
        return loss

    def take_mean_loss(self) -> float | None:
        """The mean training loss since the last call, over the global batches; None where there was no step."""
        total, steps = self.loss_sum, self.loss_steps
        self.loss_sum, self.loss_steps = 0.0, 0
        return float(self.trainer.strategy.reduce(total, reduce_op="mean")) / steps if steps else None

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        """AdamW without decay on norms, biases and embeddings, and the recipe's schedule per step."""
        optimizer = torch.optim.AdamW(self._groups(), lr=self.recipe.lr, fused=True)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer,
            lambda step: factor(
                self.first + step, total=self.total_steps, warmup=self.recipe.warmup, decay=self.recipe.decay
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


def factor(step: int, *, total: int, warmup: float, decay: str) -> float:
    """The learning rate at `step` (from 0) as a share of its peak: linear warm-up, then linear, cosine or constant."""
    rising = max(1, math.ceil(warmup * total))
    if step < rising:
        return (step + 1) / rising
    progress = min(1.0, (step - rising) / max(1, total - rising))
    return {"linear": 1 - progress, "cosine": 0.5 * (1 + math.cos(math.pi * progress)), "constant": 1.0}[decay]
