"""What is found on this machine, without importing torch unless a GPU is there."""

import glob
import os
import platform
from functools import cache
from pathlib import Path


def cores() -> int:
    """Processor cores this process may use, at least 1."""
    return max(1, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def available_memory() -> int:
    """Bytes of memory that can be had without swapping."""
    import psutil

    return int(psutil.virtual_memory().available)


@cache
def cpu_flags() -> frozenset[str]:
    """The processor's feature flags as Linux names them; empty elsewhere."""
    info = Path("/proc/cpuinfo")
    if not info.is_file():
        return frozenset()
    for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith(("flags", "Features")):
            return frozenset(line.partition(":")[2].split())
    return frozenset()


def cpu_has_bf16() -> bool:
    """Whether bf16 matrix products run in hardware here (avx512_bf16, amx_bf16 or Arm's bf16)."""
    return bool(cpu_flags() & {"avx512_bf16", "amx_bf16", "bf16"})


@cache
def gpus() -> tuple[str, ...]:
    """Names of the CUDA devices that torch can use."""
    if not glob.glob("/dev/nvidia[0-9]*") and os.environ.get("CUDA_VISIBLE_DEVICES") is None:
        return ()
    import torch

    return tuple(torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count()))


def gpu_has_bf16() -> bool:
    """Whether every GPU here computes in bf16."""
    import torch

    return bool(gpus()) and torch.cuda.is_bf16_supported(including_emulation=False)


def describe() -> str:
    """The machine in a line: processor, cores, GPUs."""
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        models = [x for x in info.read_text(errors="replace").splitlines() if x.startswith("model name")]
        name = models[0].partition(":")[2].strip() if models else name
    return f"{name}, {cores()} cores" + (f", {len(gpus())} x {gpus()[0]}" if gpus() else ", no GPU")
