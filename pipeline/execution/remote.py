"""Cells on other machines. A cluster chooses one for each cell, and that one runs it as it would run its own.

All machines share the folder paths.root: results come back there, so that a machine that is lost costs the cells alone
that it was running, and these are sent again.
"""

import contextlib
import dataclasses
import importlib
import socket
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from pipeline.errors import ConfigError, HeadstartError, StorageError
from pipeline.execution import prune_requests as questions
from pipeline.execution.assignment import Assignment, Event, Notify, Source, attempt_id
from pipeline.execution.attempts import attempt_log, event, record_failure, record_kill, record_result
from pipeline.execution.local import LocalExecutor, warm_up
from pipeline.files import write_text
from pipeline.import_path import leave_out_the_working_folder
from pipeline.records import TrajectoryPoint
from pipeline.storage.results import ResultStore

LOSSES = 3  # times that a cell may be lost without having got further, before it counts as failed
_LOOK_AGAIN = 0.2  # seconds
_SLACK = 900.0  # seconds beyond its time after which a cell counts as lost
_GRACE = 30.0  # seconds for trainings to be saved when everything is to end


class LostError(Exception):
    """The machine that ran a cell is gone, or its process there: nothing says that the cell itself is at fault."""


class Sent(Protocol):
    """A cell on its way."""

    def poll(self) -> Event | None:
        """Its last event, once it is over.

        Raises:
            LostError: it will never be.
            HeadstartError: the machine could not run it.
        """
        ...

    def cancel(self) -> None:
        """Have its training saved as it stands, and its processes ended."""
        ...


class Cluster(Protocol):
    """Machines that run cells."""

    def capacity(self, assignment: Assignment) -> int:
        """How many cells like this one have room at the same time."""
        ...

    def send(self, assignment: Assignment, *, timeout_seconds: float, seal: str) -> Sent:
        """Have `run_there` run somewhere with these arguments."""
        ...


def run_there(assignment: Assignment, *, timeout_seconds: float, seal: str) -> Event:
    """On the machine that was chosen: run the cell to its end; its last event.

    Args:
        seal: a file that the coordinator wrote in its paths.root.

    Raises:
        HeadstartError: this machine does not share that folder.
    """
    job = assignment.job
    if not Path(seal).is_file():
        raise HeadstartError(
            f"paths.root={job.root} is not the same folder on {socket.gethostname()}: put it on a file system that all "
            "machines share, under the same path."
        )
    leave_out_the_working_folder()
    warm_up(job.hardware.threads)
    told: list[Event] = []
    LocalExecutor(workers=1, timeout_seconds=timeout_seconds).run(_Only(assignment), told.append)
    return told[-1]


def package_for(executor: str, name: str) -> Any:
    """The package that an executor needs, which comes with the extra of the executor's name.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ConfigError(
            [f"executor={executor} needs the package {name}, which is not installed. "
             f"Install it: pip install -c constraints.txt '.[{executor}]'."]
        ) from error  # fmt: skip


class _Only:
    """The source of one assignment; what it asks goes to the coordinator."""

    def __init__(self, assignment: Assignment) -> None:
        self._waiting = [assignment]

    def take(self) -> Assignment | None:
        return self._waiting.pop() if self._waiting else None

    def stop(self, assignment: Assignment, point: TrajectoryPoint) -> bool:
        return questions.ask(assignment, point)


@dataclass
class _Away:
    """A cell that was sent, and `losses` times in vain since it last got further; each attempt has an id of its own."""

    assignment: Assignment
    attempt: Assignment
    sent: Sent
    saved: frozenset[str] = frozenset()  # its checkpoints when it was sent
    losses: int = 0
    begun: float | None = None  # when this attempt was first seen at work, by time.monotonic()
    told: bool = False  # that the cell has started

    @property
    def store(self) -> ResultStore:
        return ResultStore(Path(self.assignment.job.root))

    @property
    def finished(self) -> bool:
        return self.store.has(self.assignment.job.cell_id)


class RemoteExecutor:
    """See `Executor`. As many cells are away as the cluster has room for, or `workers` where that is given."""

    def __init__(self, cluster: Cluster, *, workers: int | None, timeout_seconds: float) -> None:
        self.cluster, self.workers, self.timeout_seconds = cluster, workers, timeout_seconds
        self._room = workers or 1  # until the first cell says what it needs
        self._seals: set[Path] = set()
        self._seal = f"shared-{uuid.uuid4().hex}"

    def run(self, source: Source, notify: Notify) -> None:
        """See `Executor`."""
        away: list[_Away] = []
        try:
            while self._fill(away, source):
                time.sleep(_LOOK_AGAIN)
                away[:] = [cell for cell in away if not self._over(cell, source, notify)]
        finally:
            _leave(away)
            for seal in self._seals:
                seal.unlink(missing_ok=True)

    def _fill(self, away: list[_Away], source: Source) -> bool:
        """Send what there is room for; whether anything is away."""
        while len(away) < self._room and (assignment := source.take()):
            self._room = self.workers or self.cluster.capacity(assignment)
            away.append(_Away(assignment, assignment, self._send(assignment), _saved(assignment)))
        if away and not self.workers:
            self._room = self.cluster.capacity(away[0].assignment)
        return bool(away)

    def _send(self, assignment: Assignment) -> Sent:
        job = assignment.job
        ResultStore(Path(job.root)).failure(job.cell_id).unlink(missing_ok=True)
        seal = Path(job.root) / "locks" / self._seal
        if seal not in self._seals:
            write_text(seal, "")
            self._seals.add(seal)
        return self.cluster.send(_anywhere(assignment), timeout_seconds=self.timeout_seconds, seal=str(seal.absolute()))

    def _over(self, cell: _Away, source: Source, notify: Notify) -> bool:
        """Look after one cell; whether it is over."""
        if cell.begun is None and attempt_log(cell.attempt).path.is_file():
            cell.begun = time.monotonic()
            _tell_start(cell, notify)
        if cell.assignment.judged and (point := questions.asked(cell.attempt)):
            questions.answer(cell.attempt, stop=source.stop(cell.assignment, point))
        try:
            last = cell.sent.poll()
            if last is None:
                self._require_in_time(cell)
            if last and last.killed:  # there, by a signal, as where a node is taken for other work
                last = self._again(cell, last.reason)
        except LostError as error:
            last = self._again(cell, str(error))
        except HeadstartError as error:
            record_failure(cell.attempt, str(error))
            last = _failed(cell, str(error))
        if last is not None:
            _tell_start(cell, notify)
            questions.withdraw(cell.attempt)
            notify(dataclasses.replace(last, attempt_id=cell.assignment.attempt_id))
        return last is not None

    def _require_in_time(self, cell: _Away) -> None:
        """Raises LostError where it should long be over: a queue may lose a job without a word."""
        if cell.begun is not None and time.monotonic() - cell.begun > self.timeout_seconds + _SLACK:
            raise LostError(f"nothing was heard of it for {(self.timeout_seconds + _SLACK) / 60:.0f} minutes")

    def _again(self, cell: _Away, reason: str) -> Event | None:
        """After it was lost: its result, if it had come to one, else send it again, so many times."""
        if cell.finished:
            record_result(cell.attempt, cell.store)
            return event(cell.assignment, "finished")
        cell.sent.cancel()
        record_kill(cell.attempt)
        questions.withdraw(cell.attempt)
        saved = _saved(cell.assignment)
        cell.losses = cell.losses + 1 if saved == cell.saved else 0
        if cell.losses >= LOSSES:
            return _failed(cell, f"It was lost {LOSSES} times: {reason}", killed=True)
        cell.attempt, cell.saved = dataclasses.replace(cell.assignment, attempt_id=attempt_id()), saved
        cell.sent, cell.begun = self._send(cell.attempt), None
        return None


def _tell_start(cell: _Away, notify: Notify) -> None:
    """Once for each cell, also where it ends before anyone saw it begin."""
    if not cell.told:
        cell.told = True
        notify(event(cell.assignment, "started"))


def _failed(cell: _Away, reason: str, *, killed: bool = False) -> Event:
    """The event; the reason is kept for `report`, as a worker would."""
    with contextlib.suppress(StorageError):
        write_text(cell.store.failure(cell.assignment.job.cell_id), f"{reason}\n")
    return event(cell.assignment, "failed", reason, killed=killed)


def _saved(assignment: Assignment) -> frozenset[str]:
    """The names of its checkpoints: another one means that it got further."""
    folder = Path(assignment.job.root) / "checkpoints"
    return frozenset(path.name for path in folder.glob(f"{assignment.job.cell_id}-*"))


def _anywhere(assignment: Assignment) -> Assignment:
    """With paths that do not depend on the folder that a process runs in."""
    job = assignment.job
    root, base, data = (str(Path(path).absolute()) for path in (job.root, job.base_directory, job.data_folder))
    job = dataclasses.replace(job, root=root, base_directory=base, data_folder=data)
    return dataclasses.replace(assignment, job=job)


def _leave(away: list[_Away]) -> None:
    """End what is away, and record how: saved trainings go on another time."""
    for cell in away:
        cell.sent.cancel()
    deadline = time.monotonic() + _GRACE
    for cell in away:
        while time.monotonic() < deadline and not _ended(cell.sent):
            time.sleep(_LOOK_AGAIN)
        record_result(cell.attempt, cell.store) if cell.finished else record_kill(cell.attempt)
        questions.withdraw(cell.attempt)


def _ended(sent: Sent) -> bool:
    with contextlib.suppress(LostError, HeadstartError):
        return sent.poll() is not None
    return True
