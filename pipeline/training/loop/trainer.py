"""Lightning's Trainer for one cell, and the batches it is given."""

import math
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from lightning_fabric.plugins.environments import LightningEnvironment  # type: ignore[attr-defined]
from pytorch_lightning.strategies import DDPStrategy, ModelParallelStrategy

from pipeline.data.batches import rank_slice
from pipeline.hardware import Resolved
from pipeline.training.distributed.deepspeed import zero_strategy
from pipeline.training.distributed.device import is_sharded, shares_memory
from pipeline.training.distributed.ranks import longest_wait
from pipeline.training.distributed.shared_memory import SharedMemoryDDP
from pipeline.training.job import Job
from pipeline.training.setup.inputs import Inputs

# MB of gradients that DDP sends at a time. While a processor sends it cannot compute, so there is nothing to gain by
# sending the first ones early; and processes wait for each other once a step instead of once a bucket.
_ALL_AT_ONCE = 1e6


class Batches(torch.utils.data.Dataset[dict[str, Any]]):
    """The schedule as collated batches; with several ranks, this rank's rows of each.

    `seeds` has a seed for each batch, of what the task draws for its rows. For a GPU, a batch says whether it is whole,
    that is, without padding, which the GPU would have to be waited for to learn.
    """

    def __init__(
        self, inputs: Inputs, schedule: list[np.ndarray], *, rank: int, world: int, gpu: bool, seeds: list[int]
    ) -> None:
        self.inputs, self.schedule, self.seeds = inputs, schedule, seeds
        self.rank, self.world, self.gpu = rank, world, gpu

    def __len__(self) -> int:
        return len(self.schedule)

    def __getitem__(self, step: int) -> dict[str, Any]:
        batch = self.schedule[step]
        mine = rank_slice(batch, self.rank, self.world)
        if not len(mine):  # a batch of fewer rows than ranks: this one takes part with a row that counts for nothing
            return self._collate(batch[:1], step) | {"global_size": math.inf}
        return self._collate(mine, step) | {"global_size": float(len(batch))}

    def _collate(self, items: np.ndarray, step: int) -> dict[str, Any]:
        batch = self.inputs.collate(items, self.seeds[step])
        return batch | {"whole": bool(batch["attention_mask"].all())} if self.gpu else batch


def trainer_of(job: Job, callbacks: list[pl.Callback], steps: int) -> pl.Trainer:
    """A trainer of `steps` steps that writes, prints and measures nothing of its own accord."""
    return pl.Trainer(
        accelerator=job.hardware.accelerator,
        devices=job.hardware.devices // job.hardware.nodes,
        num_nodes=job.hardware.nodes,
        plugins=[LightningEnvironment()],  # whatever else started this process: SLURM, torchrun
        strategy=_strategy(job),
        precision=_precision(job),
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
    hardware = job.hardware
    if _by_deepspeed(job):
        return zero_strategy(job, _backend(hardware))
    if is_sharded(job.cell, hardware):
        return ModelParallelStrategy(
            data_parallel_size=hardware.devices,
            tensor_parallel_size=1,
            process_group_backend=_backend(hardware),
            timeout=longest_wait(job),
        )
    if hardware.devices == 1:
        return "auto"
    return (SharedMemoryDDP if shares_memory(job.cell, hardware) else DDPStrategy)(
        process_group_backend=_backend(hardware),
        timeout=longest_wait(job),
        broadcast_buffers=False,  # none changes in training
        gradient_as_bucket_view=True,  # sums stay where they are made, instead of being copied back
        bucket_cap_mb=_ALL_AT_ONCE if hardware.accelerator == "cpu" else None,
    )


def _by_deepspeed(job: Job) -> bool:
    return is_sharded(job.cell, job.hardware) and job.hardware.strategy == "deepspeed"


def _precision(job: Job) -> Any:
    if _by_deepspeed(job):
        return "32-true"  # of what it keeps; how it computes, its own settings say
    return "bf16-mixed" if job.cell.train.precision == "bf16" else "32-true"


def _backend(hardware: Resolved) -> str:
    return "gloo" if hardware.accelerator == "cpu" else "nccl"


def loader(batches: Batches) -> "torch.utils.data.DataLoader[dict[str, Any]]":
    """The batches as they are, one a step; from pinned memory a GPU fetches them while it computes."""
    return torch.utils.data.DataLoader(batches, batch_size=None, num_workers=0, pin_memory=batches.gpu)
