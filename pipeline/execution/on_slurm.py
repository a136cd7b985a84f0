"""Cells as jobs of a SLURM cluster, through submitit: each asks for the cores or GPUs of one cell."""

import dataclasses
import math
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.config.schema import Executor as Settings
from pipeline.errors import ConfigError, HeadstartError
from pipeline.execution.assignment import Assignment, Event
from pipeline.execution.remote import LostError, package_for, run_there

AT_ONCE = 64  # jobs in the queue where executor.workers says nothing
_SAVING = 90  # seconds before its time is up, or the node is taken, that a job is told


class SlurmCluster:
    """See `Cluster`. For a machine that has sbatch; the nodes see paths.root and Python under the same paths."""

    def __init__(self, settings: Settings, folder: Path, *, kind: str = "slurm") -> None:
        """Jobs' scripts and logs go to `folder`; with `kind` "local", submitit runs them on this machine.

        Raises:
            ConfigError: submitit is not installed, or there is no sbatch.
        """
        self._submitit = package_for("slurm", "submitit")
        if kind == "slurm" and shutil.which("sbatch") is None:
            raise ConfigError(
                ["executor=slurm needs the program sbatch, which is not on this machine: run this on a login node."]
            )
        self._settings, self._kind = settings, kind
        try:
            self._jobs = self._submitit.AutoExecutor(folder=folder.absolute(), cluster=kind)
        except RuntimeError as error:
            raise ConfigError([f"executor=slurm cannot be used on this machine: {error}"]) from error

    def capacity(self, _: Assignment) -> int:
        """See `Cluster`: the queue takes any number."""
        return AT_ONCE

    def send(self, assignment: Assignment, *, timeout_seconds: float, seal: str) -> "_Job":
        """See `Cluster`."""
        hardware = assignment.job.hardware
        self._jobs.update_parameters(
            name=f"headstart-{assignment.job.cell_id[:8]}",
            timeout_min=math.ceil((timeout_seconds + _SAVING) / 60),
            cpus_per_task=hardware.threads * hardware.devices,
            gpus_per_node=hardware.devices if hardware.accelerator == "gpu" else 0,
            **(self._of_slurm() if self._kind == "slurm" else {}),
        )
        task = _Task(assignment=assignment, timeout_seconds=timeout_seconds, seal=seal)
        try:
            return _Job(self._submitit, self._jobs.submit(task))
        except self._submitit.core.utils.FailedJobError as error:
            raise ConfigError(
                [f"sbatch refused the job: {str(error).strip()}. Check executor.partition, executor.account and "
                 "executor.qos, and that the queue allows executor.timeout_minutes."]
            ) from error  # fmt: skip

    def _of_slurm(self) -> dict[str, Any]:
        names = ("partition", "account", "qos")
        chosen = {f"slurm_{n}": value for n in names if (value := getattr(self._settings, n)) is not None}
        return {**chosen, "slurm_signal_delay_s": _SAVING}


@dataclass(frozen=True, kw_only=True)
class _Task:
    """What a job runs. One that SLURM starts again is another attempt at the same cell."""

    assignment: Assignment
    timeout_seconds: float
    seal: str

    def __call__(self) -> Event | HeadstartError:
        assignment, again = self.assignment, os.environ.get("SLURM_RESTART_COUNT", "0")
        if again != "0":
            assignment = dataclasses.replace(assignment, attempt_id=f"{assignment.attempt_id}-{again}")
        try:
            return run_there(assignment, timeout_seconds=self.timeout_seconds, seal=self.seal)
        except HeadstartError as error:
            return error


class _Job:
    """See `Sent`."""

    def __init__(self, submitit: Any, job: Any) -> None:
        self._submitit, self._job = submitit, job

    def poll(self) -> Event | None:
        if not self._job.done():
            return None
        try:
            told: Event | HeadstartError = self._job.result()
        except self._submitit.core.utils.FailedJobError as error:
            if "not requeued" in str(error):  # its time was up, or its node was taken
                raise LostError(f"job {self._job.job_id} was terminated") from error
            raise HeadstartError(f"Job {self._job.job_id} could not run it: {_last_line(str(error))}") from error
        except self._submitit.core.utils.UncompletedJobError as error:
            raise LostError(f"job {self._job.job_id} ended without a result") from error
        if isinstance(told, HeadstartError):
            raise told
        return told

    def cancel(self) -> None:
        self._job.cancel(check=False)


def _last_line(text: str) -> str:
    """Of the traceback that submitit puts between two rules."""
    lines = [line for line in text.splitlines() if line.strip()]
    rules = [number for number, line in enumerate(lines) if set(line.strip()) == {"-"}]
    return lines[rules[-1] - 1].strip() if rules else lines[-1].strip()
