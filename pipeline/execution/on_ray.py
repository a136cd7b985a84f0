"""Cells on a Ray cluster: each is a task that holds the cores or GPUs it needs, on whichever node has them free."""

import os
import signal
import socket
from typing import Any

from pipeline.errors import ConfigError, HeadstartError
from pipeline.execution.assignment import Assignment, Event
from pipeline.execution.remote import LostError, package_for, run_there
from pipeline.hardware import Resolved

_REACHABLE = 5.0  # seconds


class RayCluster:
    """See `Cluster`. The nodes' Python must have Headstart, and see paths.root under the same path."""

    def __init__(self, address: str) -> None:
        """Join the cluster at `address`, HOST:PORT, or the one that runs on this machine ("auto").

        Raises:
            ConfigError: Ray is not installed, or there is no cluster.
        """
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        self._ray = package_for("ray", "ray")
        _require_reachable(address)
        if self._ray.is_initialized():  # by a sweep that came before
            return
        on_sigterm = signal.getsignal(signal.SIGTERM)
        try:
            self._ray.init(address=address, log_to_driver=False, configure_logging=False, logging_level="ERROR")
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise ConfigError([f"{_no_cluster(address)} ({str(error).splitlines()[0]})"]) from error
        signal.signal(signal.SIGTERM, on_sigterm)  # Ray's own would end this command with exit code 15

    def capacity(self, assignment: Assignment) -> int:
        """See `Cluster`: what all living nodes have, whether it is free now or not."""
        need = _need(assignment.job.hardware)
        nodes = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
        places = [min(int(has.get(name, 0) // count) for name, count in need.items()) for has in nodes]
        if not sum(places):
            most = {name: max((int(has.get(name, 0)) for has in nodes), default=0) for name in need}
            raise ConfigError(
                [f"A cell needs {_words(need)} on one node of the Ray cluster, where the largest has {_words(most)}. "
                 "Lower hardware.threads or hardware.devices, or add a node."]
            )  # fmt: skip
        return sum(places)

    def send(self, assignment: Assignment, *, timeout_seconds: float, seal: str) -> "_Task":
        """See `Cluster`."""
        need = _need(assignment.job.hardware)
        task = self._ray.remote(max_retries=0, num_cpus=need["CPU"], num_gpus=need.get("GPU", 0))(run_there)
        return _Task(self._ray, task.remote(assignment, timeout_seconds=timeout_seconds, seal=seal))


class _Task:
    """See `Sent`."""

    def __init__(self, ray: Any, reference: Any) -> None:
        self._ray, self._reference = ray, reference

    def poll(self) -> Event | None:
        ray = self._ray
        if not ray.wait([self._reference], timeout=0)[0]:
            return None
        try:
            event: Event = ray.get(self._reference)
        except ray.exceptions.RayTaskError as error:
            raise _own(error) from error
        except ray.exceptions.RayError as error:
            raise LostError(str(error).splitlines()[0]) from error
        return event

    def cancel(self) -> None:
        self._ray.cancel(self._reference, force=False)


def _own(error: Any) -> HeadstartError:
    cause = error.cause
    return cause if isinstance(cause, HeadstartError) else HeadstartError(f"The node could not run it: {cause!r}")


def _need(hardware: Resolved) -> dict[str, int]:
    """Cores, and GPUs where they are used, of one cell."""
    gpus = {"GPU": hardware.devices} if hardware.accelerator == "gpu" else {}
    return {"CPU": hardware.threads * hardware.devices, **gpus}


def _words(resources: dict[str, int]) -> str:
    return " and ".join(f"{count} {name}" for name, count in resources.items())


def _require_reachable(address: str) -> None:
    """Ray itself would try for a minute."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        return
    try:
        socket.create_connection((host, int(port)), timeout=_REACHABLE).close()
    except OSError as error:
        raise ConfigError([f"{_no_cluster(address)} ({error.strerror or error})"]) from error


def _no_cluster(address: str) -> str:
    return (
        f"executor.address={address} must be a Ray cluster, but none answers there. "
        "Start one: ray start --head, and on other machines: ray start --address=HOST:6379"
    )
