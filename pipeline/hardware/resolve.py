"""From a hardware preset to accelerator, threads, workers and precision, with the reasons."""

from dataclasses import dataclass

from pipeline.config.schema import Hardware
from pipeline.errors import ConfigError
from pipeline.hardware import machine


@dataclass(frozen=True, kw_only=True)
class Resolved:
    """What a preset became on this machine. `threads` and `devices` are per cell's process and per cell."""

    accelerator: str
    devices: int
    strategy: str
    threads: int
    workers: int
    precision: str
    reasons: tuple[str, ...]


def resolve(hardware: Hardware, *, precision: str, workers: int | None) -> Resolved:
    """Decide once, in the coordinator, before identities are computed.

    Args:
        hardware: the preset.
        precision: train.precision: auto, fp32 or bf16.
        workers: executor.workers; None lets the machine decide.

    Raises:
        ConfigError: a GPU, a device or a precision is asked for that is not there.
    """
    accelerator, why_accelerator = _accelerator(hardware)
    count, why_workers = _workers(hardware, accelerator, workers)
    threads = hardware.threads or max(1, machine.cores() // (count * hardware.devices))
    chosen, why_precision = _precision(precision, accelerator)
    why_threads = f"threads={threads} per process: {machine.cores()} cores / {count * hardware.devices} processes"
    return Resolved(
        accelerator=accelerator,
        devices=hardware.devices,
        strategy=hardware.strategy,
        threads=threads,
        workers=count,
        precision=chosen,
        reasons=(why_accelerator, why_workers, why_threads, why_precision),
    )


def _accelerator(hardware: Hardware) -> tuple[str, str]:
    found = len(machine.gpus()) if hardware.accelerator != "cpu" else 0
    if hardware.accelerator == "gpu" and found < hardware.devices:
        raise ConfigError([f"hardware={hardware.name} needs {hardware.devices} GPUs, but {found} were found. Try cpu."])
    if hardware.accelerator == "cpu" or found == 0:
        return "cpu", "accelerator=cpu: " + ("asked for" if hardware.accelerator == "cpu" else "no GPU was found")
    return "gpu", f"accelerator=gpu: found {', '.join(machine.gpus())}"


def _workers(hardware: Hardware, accelerator: str, asked: int | None) -> tuple[int, str]:
    if asked:
        return asked, f"workers={asked}: asked for"
    have = len(machine.gpus()) if accelerator == "gpu" else machine.cores()
    count = max(1, have // hardware.devices)
    unit = "GPUs" if accelerator == "gpu" else "cores"
    return (
        count,
        f"workers={count}: {have} {unit} / {hardware.devices} per cell; several small trainings beat one wide one",
    )


def _precision(asked: str, accelerator: str) -> tuple[str, str]:
    able = machine.gpu_has_bf16() if accelerator == "gpu" else machine.cpu_has_bf16()
    if asked == "bf16" and not able:
        raise ConfigError(["train.precision=bf16 needs a device that computes in it; this one does not. Use fp32."])
    if asked != "auto":
        return asked, f"precision={asked}: asked for"
    reason = "the device computes bf16 in hardware" if able else "bf16 would be slower than fp32 here"
    return ("bf16" if able else "fp32"), f"precision={'bf16' if able else 'fp32'}: {reason}"
