"""What executors take and give back."""

import os
import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from pipeline.records import TrajectoryPoint
from pipeline.training.job import Job


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """A job, and under which study and attempt it is recorded; for a sweep, also as which trial."""

    job: Job
    study_id: str
    attempt_id: str
    trial: int | None = None
    judged: bool = False  # whether its source is asked, at each point of the trajectory, if it is to go on


@dataclass(frozen=True, kw_only=True)
class Event:
    """What happened to a cell: `state` is "started", "finished", "pruned" or "failed" (then with a reason)."""

    cell_id: str
    state: str
    reason: str = ""
    attempt_id: str = ""
    killed: bool = False  # failed from outside, by a signal: it may well succeed another time


Notify = Callable[[Event], None]


class Source(Protocol):
    """Where an executor gets its assignments from, one whenever there is room for it."""

    def take(self) -> Assignment | None:
        """The next assignment; None where there is none now. There may be one after the next event."""
        ...

    def stop(self, assignment: Assignment, point: TrajectoryPoint) -> bool:
        """Whether a cell in training, which has come to `point`, is to be given up. Asked where it is `judged`."""
        ...


class Fixed:
    """The source of a list of assignments, in its order, each trained to its end.

    The first one that `affords` refuses ends the list.
    """

    def __init__(
        self, assignments: Iterable[Assignment], affords: Callable[[Assignment], bool] = lambda _: True
    ) -> None:
        self._waiting, self._affords = iter(assignments), affords

    def take(self) -> Assignment | None:
        """See `Source`."""
        waiting = next(self._waiting, None)
        if waiting is not None and not self._affords(waiting):
            self._waiting = iter(())
            return None
        return waiting

    def stop(self, assignment: Assignment, point: TrajectoryPoint) -> bool:
        """See `Source`."""
        return False


class Executor(Protocol):
    """Runs assignments, some at a time, each in processes of its own. A failed cell never stops the others."""

    def run(self, source: Source, notify: Notify) -> None:
        """Return when nothing runs and `source` has nothing; on an exception (Ctrl-C) no worker is left running."""
        ...


def attempt_id() -> str:
    """Never the same twice on one machine."""
    return f"{time.time_ns() // 1_000_000}-{os.getpid()}"


UNWRITABLE = 28  # exit code of a worker that could not even write why it failed
PRUNED = 29  # exit code of a worker that was told to give up
LOST = 30  # exit code of a worker that lost another one of its cell
CRAMPED = 31  # exit code of a worker of several that would need fewer texts at a time
ORPHANED = 255  # exit code that multiprocessing gives a worker whose server was killed; it then ends too
LEFT = 143  # exit code of a worker that was terminated and has saved its training


def death(exit_code: int | None) -> str:
    """Why a worker without a result ended, in words."""
    if exit_code == UNWRITABLE:
        return "The disk is full, or paths.root cannot be written to. Free some space and run the same command again."
    if exit_code == LEFT:
        return "The worker was terminated by SIGTERM. Its training is saved; the next run resumes it."
    if exit_code == ORPHANED:
        return "The process that workers are forked from was killed. The system may have run out of memory."
    if exit_code == LOST:
        return "A process of the cell lost another one. Look into its log."
    if exit_code == CRAMPED:
        return (
            "A process of the cell ran out of memory. Use hardware.micro_batch=8 or "
            "hardware.gradient_checkpointing=true."
        )
    if exit_code is not None and exit_code < 0:
        name = signal.Signals(-exit_code).name
        hint = " The system may have run out of memory: try executor.workers=1." if name == "SIGKILL" else ""
        return f"The worker was killed by {name}.{hint}"
    return f"The worker ended with exit code {exit_code} and left no result."
