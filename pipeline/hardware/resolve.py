"""From a hardware preset to accelerator, threads, workers and precision, with the reasons."""

import dataclasses
import importlib.util
from dataclasses import dataclass

from pipeline.config.schema import Hardware, Precision
from pipeline.errors import ConfigError
from pipeline.hardware import machine
from pipeline.hardware.launched import Launched, launched

WORKER_BYTES = 2 << 30  # what a worker with a small encoder needs at its peak
FILES_OF_A_WORKER, OTHER_FILES = 4, 100  # that are open in the coordinator at once, at most
THREADS_ELSEWHERE = {"cpu": 1, "gpu": 4}  # of a process on a cluster, whose machines are not known
ON_ONE_GPU = 4  # cells that share one: a small base leaves most of it idle, and each start of a cell all of it


@dataclass(frozen=True, kw_only=True)
class Resolved:
    """What a preset became on this machine. `threads` are a process's; `devices` a cell's, on `nodes` machines."""

    accelerator: str
    devices: int
    strategy: str
    nodes: int
    threads: int
    workers: int
    precision: Precision
    timeout_minutes: float
    micro_batch: int | None
    gradient_checkpointing: bool
    compile: bool
    deterministic: bool
    elsewhere: bool  # on machines of a cluster: what is here says nothing of them
    reasons: tuple[str, ...]

    @property
    def sharded(self) -> bool:
        """Whether each process keeps a share of a network that is trained, and no more."""
        return self.strategy in ("fsdp", "deepspeed")


def resolve(hardware: Hardware, *, precision: Precision, workers: int | None, elsewhere: bool = False) -> Resolved:
    """Decide once, in the coordinator, before identities are computed.

    Args:
        hardware: the preset.
        precision: train.precision: auto, fp32 or bf16.
        workers: executor.workers; None lets the machine decide.
        elsewhere: cells run on machines of a cluster, which are taken to have what is asked for.

    Raises:
        ConfigError: a GPU, a device, a precision or a package is asked for that is not there.
    """
    _require_package(hardware)
    place = _launched(hardware)
    if place:
        hardware = dataclasses.replace(hardware, devices=place.here)
    accelerator, why_accelerator = _accelerator(hardware, elsewhere=elsewhere)
    if hardware.compile and accelerator == "cpu":
        raise ConfigError(["hardware.compile=true is for GPUs, and cells are computed on the processor: leave it out."])
    chosen, why_precision = _precision(precision, accelerator, elsewhere=elsewhere)
    if elsewhere:
        count, why_workers = workers or 1, "workers: as many cells at a time as the cluster has room for"
        threads = hardware.threads or THREADS_ELSEWHERE[accelerator]
        why_threads = f"threads={threads} per process: {'asked for' if hardware.threads else 'the default there'}"
    else:
        count, why_workers = _workers(hardware, accelerator, workers)
        if place:
            count, why_workers = 1, "workers=1: under torchrun one cell comes after the other"
        threads, why_threads = _threads(hardware, count * hardware.devices)
    return Resolved(
        accelerator=accelerator,
        devices=place.world if place else hardware.devices,
        nodes=place.nodes if place else 1,
        strategy=hardware.strategy,
        threads=threads,
        workers=count,
        precision=chosen,
        timeout_minutes=hardware.timeout_minutes,
        micro_batch=hardware.micro_batch,
        gradient_checkpointing=hardware.gradient_checkpointing,
        compile=hardware.compile,
        deterministic=hardware.deterministic,
        elsewhere=elsewhere,
        reasons=(why_accelerator, why_workers, why_threads, why_precision),
    )


def at_most(hardware: Resolved, workers: int) -> Resolved:
    """The same with at most so many workers, for which there is memory; they share the threads of those left out."""
    if hardware.workers <= workers or hardware.elsewhere:
        return hardware
    threads = max(hardware.threads, machine.cores() // (workers * hardware.devices))
    reason = f"workers={workers}: there is memory for no more at once"
    return dataclasses.replace(hardware, workers=workers, threads=threads, reasons=(*hardware.reasons, reason))


def _require_package(hardware: Hardware) -> None:
    if hardware.strategy == "deepspeed" and not importlib.util.find_spec("deepspeed"):
        raise ConfigError(
            ["hardware.strategy=deepspeed needs the package deepspeed, which is not installed. Install it: "
             "pip install -c constraints.txt '.[deepspeed]'. hardware.strategy=fsdp does the same without it."]
        )  # fmt: skip


def _launched(hardware: Hardware) -> Launched | None:
    """Where torchrun has put this process; the preset must know of it."""
    place = launched()
    if place and hardware.launcher != "torchrun":
        raise ConfigError(
            [f"Under torchrun, hardware={hardware.name} cannot be used: take hardware=multinode_torchrun."]
        )
    if place and hardware.devices > 1:
        raise ConfigError([f"Under torchrun, --nproc-per-node takes the place of hardware.devices={hardware.devices}."])
    if hardware.launcher == "torchrun" and not place:
        raise ConfigError(
            [f"hardware={hardware.name} must be started by torchrun, on each machine: torchrun --nnodes=2 "
             "--nproc-per-node=1 --rdzv-backend=c10d --rdzv-endpoint=HOST:29500 -m pipeline study ... "
             "(docs/hardware.md)."]
        )  # fmt: skip
    return place


def _accelerator(hardware: Hardware, *, elsewhere: bool) -> tuple[str, str]:
    if elsewhere:
        chosen = "gpu" if hardware.accelerator == "gpu" else "cpu"
        why = "asked for" if hardware.accelerator != "auto" else "nothing else was asked for; hardware=gpu for GPUs"
        return chosen, f"accelerator={chosen}: {why}"
    gpus = len(machine.gpus()) if hardware.accelerator != "cpu" else 0
    if hardware.accelerator == "gpu" and gpus < hardware.devices:
        instead = "hardware.accelerator=cpu" if hardware.launcher == "torchrun" else "hardware=cpu"
        raise ConfigError(
            [f"hardware={hardware.name} needs {hardware.devices} GPUs, but {gpus} were found. Use {instead}."]
        )
    if hardware.accelerator == "cpu":
        return "cpu", "accelerator=cpu: asked for"
    if gpus < hardware.devices:
        return "cpu", "accelerator=cpu: " + (
            f"{gpus} GPUs for {hardware.devices} devices" if gpus else "no GPU was found"
        )
    return "gpu", f"accelerator=gpu: found {', '.join(machine.gpus())}"


def _workers(hardware: Hardware, accelerator: str, asked: int | None) -> tuple[int, str]:
    if asked:
        return asked, f"workers={asked}: asked for"
    count, why = _places(hardware.devices, accelerator)
    fitting = max(1, machine.available_memory() // (WORKER_BYTES * hardware.devices))
    if fitting < count:
        count, why = fitting, f"memory for no more, at {WORKER_BYTES >> 30} GiB a process"
    watched = max(1, (machine.open_files() - OTHER_FILES) // (FILES_OF_A_WORKER * hardware.devices))
    if watched < count:
        count, why = watched, f"no more than {machine.open_files()} files may be open at once (ulimit -n)"
    return count, f"workers={count}: {why}"


def _places(devices: int, accelerator: str) -> tuple[int, str]:
    """How many cells of so many devices find a place here, and why."""
    cores, gpus = machine.cores(), len(machine.gpus())
    if accelerator != "gpu":
        why = f"{machine.cores_text()} / {devices} each; several small trainings beat one wide one"
        return max(1, cores // devices), why
    if devices > 1:
        return max(1, gpus // devices), f"{gpus} GPUs / {devices} each"
    each = max(1, min(ON_ONE_GPU, cores // gpus // 2))  # a cell keeps two cores busy with what it asks of its GPU
    return gpus * each, f"{gpus} GPUs, {each} cells on each; one small training leaves most of a GPU idle"


def _threads(hardware: Hardware, processes: int) -> tuple[int, str]:
    """Of each process here, and why."""
    threads = hardware.threads or max(1, machine.cores() // processes)
    why = "asked for" if hardware.threads else f"{machine.cores_text()} / {processes} processes"
    return threads, f"threads={threads} per process: {why}"


def _precision(asked: Precision, accelerator: str, *, elsewhere: bool) -> tuple[Precision, str]:
    if elsewhere and (accelerator == "gpu" or asked != "auto"):
        chosen: Precision = "bf16" if asked == "auto" else asked
        return chosen, f"precision={chosen}: {'the default on GPUs' if asked == 'auto' else 'asked for'}"
    able = machine.has_bf16(accelerator)
    if asked == "bf16" and not able:
        raise ConfigError(["train.precision=bf16 needs a device that computes in it; this one does not. Use fp32."])
    if asked != "auto":
        return asked, f"precision={asked}: asked for"
    reason = "the device computes bf16 in hardware" if able else "bf16 would be slower than fp32 here"
    return ("bf16" if able else "fp32"), f"precision={'bf16' if able else 'fp32'}: {reason}"
