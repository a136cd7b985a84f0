"""What executors take and give back."""

import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from pipeline.training.job import Job


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """A job, and under which study and attempt it is recorded."""

    job: Job
    study_id: str
    attempt_id: str


@dataclass(frozen=True, kw_only=True)
class Event:
    """What happened to a cell: `state` is "started", "finished" or "failed" (then with a reason)."""

    cell_id: str
    state: str
    reason: str = ""


Notify = Callable[[Event], None]


class Executor(Protocol):
    """Runs assignments, some at a time, each in processes of its own. A failed cell never stops the others."""

    def run(self, assignments: Sequence[Assignment], notify: Notify) -> None:
        """Return when every assignment is finished or failed; on an exception (Ctrl-C) no worker is left running."""
        ...


def attempt_id() -> str:
    """Never the same twice on one machine."""
    return f"{time.time_ns() // 1_000_000}-{os.getpid()}"


UNWRITABLE = 28  # exit code of a worker that could not even write why it failed


def death(exit_code: int | None) -> str:
    """Why a worker without a result ended, in words."""
    if exit_code == UNWRITABLE:
        return "The disk is full, or paths.root cannot be written to. Free some space and run the same command again."
    if exit_code is not None and exit_code < 0:
        name = signal.Signals(-exit_code).name
        hint = " The system may have run out of memory: try executor.workers=1." if name == "SIGKILL" else ""
        return f"The worker was killed by {name}.{hint}"
    return f"The worker ended with exit code {exit_code} and left no result."
