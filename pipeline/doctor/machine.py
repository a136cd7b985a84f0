"""What the machine offers, and what a training would make of it."""

import glob
import shutil
import tempfile
from pathlib import Path

from pipeline.config.schema import Config
from pipeline.doctor.check import Check
from pipeline.errors import ConfigError, StorageError
from pipeline.files import flock
from pipeline.hardware import machine, resolve

LEAST_DISK_BYTES = 2 * 2**30  # the quickstart study with its best weights, twice over
LEAST_MEMORY_BYTES = 2 * 2**30  # one worker with torch, a small base and its batch


def hardware_checks() -> list[Check]:
    """Processor, memory, bf16 and GPUs."""
    section = "Hardware"
    bf16 = "in hardware" if machine.cpu_has_bf16() else "not in hardware: fp32 is faster here"
    return [
        Check(section=section, name="Machine", value=machine.describe()),
        _memory(section),
        Check(section=section, name="bf16 on the processor", value=bf16),
        _torch(section),
    ]


def choice_checks(config: Config) -> list[Check]:
    """Accelerator, workers, threads and precision, each with its reason."""
    section = "Chosen here"
    try:
        resolved = resolve(config.hardware, precision=config.train.precision, workers=config.executor.workers)
    except ConfigError as error:
        problem = " ".join(error.violations)
        return [
            Check(section=section, name=config.hardware.name, value="none", problem=problem, remedy="hardware=auto")
        ]
    parts = [reason.partition(": ") for reason in resolved.reasons]
    return [Check(section=section, name=head, value=why) for head, _, why in parts]


def storage_checks(root: Path) -> list[Check]:
    """Whether results can be written under `root` and whether there is room for them."""
    return [_writable(root), _room(root)]


def _memory(section: str) -> Check:
    free = machine.available_memory()
    value = f"{_gib(machine.total_memory())}, {_gib(free)} free"
    if free >= LEAST_MEMORY_BYTES:
        return Check(section=section, name="Memory", value=value)
    problem = f"a worker needs about {_gib(LEAST_MEMORY_BYTES)} of memory"
    return Check(
        section=section, name="Memory", value=value, problem=problem, remedy="close programs, or executor.workers=1"
    )


def _torch(section: str) -> Check:
    try:
        import torch
    except (ImportError, OSError) as error:
        problem = f"torch cannot be imported: {str(error).splitlines()[0]}"
        return Check(
            section=section, name="torch", value="broken", problem=problem, remedy="remove .venv and run `make setup`"
        )
    build = f"CUDA {torch.version.cuda}" if torch.version.cuda else "CPU"
    value = f"{build} build, {torch.cuda.device_count()} GPUs usable"
    if glob.glob("/dev/nvidia[0-9]*") and not torch.cuda.is_available():
        problem = "a GPU is there, but this build of torch cannot use it"
        remedy = "make setup TORCH=cuda; if that is what is installed, update the driver"
        return Check(section=section, name="torch", value=value, problem=problem, remedy=remedy)
    return Check(section=section, name="torch", value=value)


def _writable(root: Path) -> Check:
    name, value = "Results", str(root)
    try:
        with tempfile.TemporaryFile(dir=_nearest_folder(root)) as file:
            flock(file.fileno(), root / "lock")
        return Check(section="Storage", name=name, value=f"{value} can be written")
    except StorageError as error:
        remedy = "paths.root=FOLDER on a file system with locks"
        return Check(section="Storage", name=name, value=value, problem=str(error), remedy=remedy)
    except OSError as error:
        problem = f"nothing can be written to {root}: {error.strerror or error}"
        return Check(section="Storage", name=name, value=value, problem=problem, remedy="paths.root=FOLDER")


def _room(root: Path) -> Check:
    free = shutil.disk_usage(_nearest_folder(root)).free
    if free >= LEAST_DISK_BYTES:
        return Check(section="Storage", name="Free disk", value=_gib(free))
    problem = f"a small study needs about {_gib(LEAST_DISK_BYTES)}"
    remedy = "free some space, choose paths.root=FOLDER on another disk, or train.keep=none"
    return Check(section="Storage", name="Free disk", value=_gib(free), problem=problem, remedy=remedy)


def _nearest_folder(path: Path) -> Path:
    """The path itself or the first of its parents that exists: what does not exist yet has to be made there."""
    path = path.absolute()
    return next(p for p in (path, *path.parents) if p.exists())


def _gib(count: int) -> str:
    return f"{count / 2**30:.1f} GiB"
