"""What is found on this machine, without importing torch unless a GPU is there."""

import glob
import math
import os
import platform
import resource
from functools import cache
from pathlib import Path

from pipeline.hardware import control_groups
from pipeline.language import Sentence, listed, said

_MANY_FILES = 1 << 16  # more than any number of workers needs


def cores() -> int:
    """Processor cores whose time this process may use, at least 1; a part of a core counts as one."""
    limit = control_groups.core_limit()
    return _cores_seen() if limit is None else max(1, min(_cores_seen(), math.ceil(limit)))


def cores_text() -> Sentence:
    """ "8 cores", and the limit of the container where there is one."""
    limit, seen = control_groups.core_limit(), _cores_seen()
    bound = limit is not None and limit < seen
    limited = said(" (a container's limit of {limit:g} on {seen})", limit=limit, seen=seen) if bound else ""
    return said("{cores} cores{limited}", cores=cores(), limited=limited)


def _cores_seen() -> int:
    return max(1, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def limit_threads() -> None:
    """Let numeric libraries that are imported later start no more threads than a container has cores' time for.

    They count cores that can be seen; a number of threads that the user has set stands.
    """
    if cores() < _cores_seen():
        os.environ.setdefault("OMP_NUM_THREADS", str(cores()))


def total_memory() -> int:
    """Bytes of memory of the machine, or of the container where it is limited."""
    import psutil

    total, limit = int(psutil.virtual_memory().total), control_groups.memory_limit()
    return total if limit is None else min(total, limit)


def available_memory() -> int:
    """Bytes of memory that can be had without swapping, within the container's limit where there is one."""
    import psutil

    free, left = int(psutil.virtual_memory().available), control_groups.memory_left()
    return free if left is None else min(free, left)


def open_files() -> int:
    """How many files a process here may have open at once, sockets and pipes included (`ulimit -Hn`)."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return _MANY_FILES if hard == resource.RLIM_INFINITY else min(hard, _MANY_FILES)


def allow_open_files() -> None:
    """Let this process and those that it starts have as many files open as the system allows them."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (open_files(), hard))


def free_memory(accelerator: str) -> int:
    """Bytes that a training can have: of the first GPU's memory, or of the machine's."""
    if accelerator != "gpu":
        return available_memory()
    import torch

    return int(torch.cuda.mem_get_info(0)[0])


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


def gpus_of(slot: int, devices: int) -> str:
    """CUDA_VISIBLE_DEVICES of one of several cells of so many devices; more cells than GPUs share them in turn."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES") or ",".join(str(i) for i in range(len(gpus())))
    names = visible.split(",")
    first = slot % max(1, len(names) // devices) * devices
    return ",".join(names[first : first + devices])


def has_bf16(accelerator: str) -> bool:
    """Whether the processor, or every GPU here, computes in bf16."""
    return gpu_has_bf16() if accelerator == "gpu" else cpu_has_bf16()


def gpu_has_bf16() -> bool:
    """Whether every GPU here computes in bf16."""
    import torch

    return bool(gpus()) and torch.cuda.is_bf16_supported(including_emulation=False)


def describe() -> Sentence:
    """The machine in a line: processor, cores, GPUs."""
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        models = [x for x in info.read_text(errors="replace").splitlines() if x.startswith("model name")]
        name = models[0].partition(":")[2].strip() if models else name
    graphics = said("{number} x {gpu}", number=len(gpus()), gpu=gpus()[0]) if gpus() else said("no GPU")
    return listed((name, cores_text(), graphics))
