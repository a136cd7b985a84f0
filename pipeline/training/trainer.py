"""Lightning's Trainer for one cell, and the batches it is given."""

import math
import os
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch

from pipeline.data.batches import rank_slice
from pipeline.training.inputs import Inputs
from pipeline.training.job import Job
from pipeline.training.ranks import longest_wait


class Batches(torch.utils.data.Dataset[dict[str, Any]]):
    """The schedule as collated batches; with several ranks, this rank's rows of each."""

    def __init__(self, inputs: Inputs, schedule: list[np.ndarray], rank: int, world: int) -> None:
        self.inputs, self.schedule, self.rank, self.world = inputs, schedule, rank, world

    def __len__(self) -> int:
        return len(self.schedule)

    def __getitem__(self, step: int) -> dict[str, Any]:
        batch = self.schedule[step]
        mine = rank_slice(batch, self.rank, self.world)
        if not len(mine):  # a batch of fewer rows than ranks: this one takes part with a row that counts for nothing
            return self.inputs.collate(batch[:1]) | {"global_size": torch.tensor(math.inf)}
        return self.inputs.collate(mine) | {"global_size": torch.tensor(len(batch))}


def trainer_of(job: Job, callbacks: list[pl.Callback], steps: int) -> pl.Trainer:
    """A trainer of `steps` steps that writes, prints and measures nothing of its own accord."""
    return pl.Trainer(
        accelerator=job.hardware.accelerator,
        devices=job.hardware.devices,
        strategy=_strategy(job),
        precision="bf16-mixed" if job.cell.train.precision == "bf16" else "32-true",
        max_steps=steps,
        max_epochs=-1 if steps else 1,
        gradient_clip_val=job.cell.train.clip,
        callbacks=callbacks,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        num_sanity_val_steps=0,
    )


def _strategy(job: Job) -> Any:
    if job.hardware.devices == 1:
        return "auto"
    from pytorch_lightning.strategies import DDPStrategy

    backend = "gloo" if job.hardware.accelerator == "cpu" else "nccl"
    # no buffer changes in training
    return DDPStrategy(process_group_backend=backend, timeout=longest_wait(job), broadcast_buffers=False)


def rank() -> int:
    """This process's number among those of its cell, from 0."""
    return int(os.environ.get("RANK", "0"))


def loader(batches: Batches) -> "torch.utils.data.DataLoader[dict[str, Any]]":
    """The batches as they are, one a step."""
    return torch.utils.data.DataLoader(batches, batch_size=None, num_workers=0)
