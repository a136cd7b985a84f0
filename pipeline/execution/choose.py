"""The executor that a configuration asks for."""

from pipeline.config.schema import Executor as Settings
from pipeline.execution.assignment import Executor
from pipeline.execution.local import LocalExecutor
from pipeline.hardware import Resolved


def executor_of(settings: Settings, hardware: Resolved) -> Executor:
    """Where cells are to run.

    Raises:
        ConfigError: its package is not installed, or there is no such cluster.
    """
    seconds = 60 * settings.timeout_minutes
    if settings.name == "ray":
        from pipeline.execution.on_ray import RayCluster
        from pipeline.execution.remote import RemoteExecutor

        return RemoteExecutor(RayCluster(settings.address), workers=settings.workers, timeout_seconds=seconds)
    return LocalExecutor(workers=hardware.workers, timeout_seconds=seconds)
