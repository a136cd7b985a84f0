"""Lightning's strategy for DeepSpeed, which keeps a share of network, gradients and moments on each process."""

from typing import Any

import torch
from pytorch_lightning.strategies import DeepSpeedStrategy

from pipeline.training.distributed.ranks import longest_wait
from pipeline.training.job import Job

_BUCKET = 1 << 24  # gradients that are sent at a time


class ZeroStrategy(DeepSpeedStrategy):
    """Stage 3 of ZeRO in the precision of the other presets; also on the processor, where Lightning's own refuses."""

    def setup_environment(self) -> None:
        """As any strategy of several processes."""
        super(DeepSpeedStrategy, self).setup_environment()


def zero_strategy(job: Job, backend: str) -> ZeroStrategy:
    """The strategy for `job`, over gloo or NCCL."""
    from deepspeed.accelerator import set_accelerator
    from deepspeed.accelerator.cpu_accelerator import CPU_Accelerator

    hardware = job.hardware
    devices = None
    if hardware.accelerator == "cpu":
        set_accelerator(CPU_Accelerator())  # whatever else there is
        devices = [torch.device("cpu", index) for index in range(hardware.devices // hardware.nodes)]
    return ZeroStrategy(
        config=_config(job), process_group_backend=backend, timeout=longest_wait(job), parallel_devices=devices
    )


def _config(job: Job) -> dict[str, Any]:
    """DeepSpeed's own settings.

    No layer is fetched ahead, since validation, which does not pass through DeepSpeed's engine, comes at any step; none
    is kept for later, as memory is planned for one and the next.
    """
    bf16 = job.cell.train.precision == "bf16"
    return {
        "train_micro_batch_size_per_gpu": 1,  # of no consequence; batches are ours
        "gradient_clipping": job.cell.train.clip,
        "zero_allow_untested_optimizer": True,
        "zero_optimization": {
            "stage": 3,
            "stage3_prefetch_bucket_size": 0,
            "stage3_max_live_parameters": 0,
            "stage3_max_reuse_distance": 0,
            "stage3_param_persistence_threshold": 0,
            "reduce_bucket_size": _BUCKET,
        },
        "torch_autocast": {"enabled": bf16, "dtype": "bfloat16", "lower_precision_safe_modules": []},
    }
