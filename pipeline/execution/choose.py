"""The executor that a configuration asks for."""

from pathlib import Path

from pipeline.config.schema import Executor as Settings
from pipeline.errors import ConfigError
from pipeline.execution.assignment import Executor
from pipeline.execution.local import LocalExecutor
from pipeline.hardware import Resolved
from pipeline.hardware.launched import launched


def executor_of(settings: Settings, hardware: Resolved, root: Path) -> Executor:
    """Where cells are to run, for results in `root`.

    Raises:
        ConfigError: its package is not installed, or there is no such cluster.
    """
    place, seconds = launched(), 60 * settings.timeout_minutes
    if place and settings.name != "local":
        raise ConfigError([f"Under torchrun, cells run where it has started this: leave out executor={settings.name}."])
    if place:
        from pipeline.execution.torchrun import TorchrunExecutor

        return TorchrunExecutor(place, timeout_seconds=seconds)
    if settings.name == "ray":
        from pipeline.execution.on_ray import RayCluster
        from pipeline.execution.remote import RemoteExecutor

        return RemoteExecutor(RayCluster(settings.address), workers=settings.workers, timeout_seconds=seconds)
    if settings.name == "slurm":
        from pipeline.execution.on_slurm import SlurmCluster
        from pipeline.execution.remote import RemoteExecutor

        cluster = SlurmCluster(settings, root / "slurm")
        return RemoteExecutor(cluster, workers=settings.workers, timeout_seconds=seconds)
    return LocalExecutor(workers=hardware.workers, timeout_seconds=seconds)
