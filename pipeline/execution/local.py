"""Cells on this machine: one process for each, forked from a server that has imported the heavy libraries already."""

import contextlib
import dataclasses
import math
import multiprocessing
import multiprocessing.context
import os
import signal
import socket
import sys
import time
import types
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing import connection, forkserver, resource_tracker
from pathlib import Path

from pipeline.errors import HeadstartError, StorageError
from pipeline.execution.assignment import CRAMPED, LEFT, ORPHANED, PRUNED, Assignment, Notify, Source, attempt_id, death
from pipeline.execution.attempts import event, record_failure, record_kill, record_result
from pipeline.execution.sockets import SOCKETS, socket_folder
from pipeline.execution.worker import Place, work
from pipeline.files import write_text
from pipeline.hardware.machine import allow_open_files, gpus_of
from pipeline.storage.results import ResultStore
from pipeline.training.memory.limits import PREPARED

_CONTEXT = multiprocessing.get_context("forkserver")

# For glibc: keep what is freed for the next step. Left alone it gives the largest gradients back to the system after
# each step, and to have their pages zeroed anew takes up to a tenth of a training.
_KEEP_MEMORY = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(1 << 40), "MALLOC_TOP_PAD_": str(64 << 20)}

# Matrix products are prepared for each shape, and batches have many. oneDNN keeps a thousand of what it prepares, a
# MB each, where a hundred serve as well (docs/benchmarks.md); torch keeps them once more, unless told otherwise.
_KEEP_FEW_SHAPES = {"LRU_CACHE_CAPACITY": "1", "ONEDNN_PRIMITIVE_CACHE_CAPACITY": str(PREPARED)}


def context() -> multiprocessing.context.ForkServerContext:
    """The way processes are started here: forked from the warm server."""
    return _CONTEXT


def warm_up(threads: int) -> None:
    """Start the server that workers are forked from; it imports in the background while the caller goes on."""
    os.environ |= {"OMP_NUM_THREADS": str(threads), "TOKENIZERS_PARALLELISM": "false"}
    os.environ |= _KEEP_MEMORY | _KEEP_FEW_SHAPES | {SOCKETS: socket_folder()}
    allow_open_files()
    _CONTEXT.set_forkserver_preload(["pipeline.execution.preload"])
    resource_tracker.ensure_running()  # first, since starting it unblocks the signals that are blocked here
    with _ctrl_c_blocked():  # the server inherits it: a Ctrl-C while it imports would end it with a traceback
        forkserver.ensure_running()


@contextlib.contextmanager
def _ctrl_c_blocked() -> Iterator[None]:
    """Ctrl-C waits until the end of the block; processes begun in it never hear of it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_GRACE = 20.0  # seconds for a training to be saved when everything is to end


@dataclass
class Running:
    """A cell in flight: its ranks' processes, when it has to be done, and the assignment as it is tried now."""

    assignment: Assignment
    attempt: Assignment
    deadline: float
    slot: int  # the smallest number that no other cell in flight has: it says which GPUs are its own
    processes: list[multiprocessing.process.BaseProcess] = field(default_factory=list)
    line: connection.Connection | None = None  # to rank 0, where the source judges the cell

    @property
    def over(self) -> bool:
        """Rank 0 writes the result, or finds it there already while the others wait for it in vain."""
        return self.processes[0].exitcode is not None

    @property
    def broken(self) -> bool:
        return any(p.exitcode not in (None, 0, PRUNED) for p in self.processes)

    @property
    def pruned(self) -> bool:
        """Told to give up, which rank 0 did in good order."""
        return self.processes[0].exitcode == PRUNED

    @property
    def begun(self) -> list[multiprocessing.process.BaseProcess]:
        return [process for process in self.processes if process.pid is not None]

    def stop(self) -> None:
        for process in self.begun:
            process.kill()
        for process in self.begun:
            process.join()
        if self.line:
            self.line.close()

    def answer(self, source: Source) -> None:
        """Tell rank 0, which has come to a point of its trajectory, whether to give up."""
        assert self.line
        try:
            self.line.send(source.stop(self.assignment, self.line.recv()))
        except (EOFError, BrokenPipeError):  # it is over; how, its exit code says
            self.line.close()
            self.line = None


class LocalExecutor:
    """See `Executor`. At most `workers` cells run at the same time, each for at most `timeout_seconds`."""

    def __init__(self, *, workers: int, timeout_seconds: float) -> None:
        self.workers = workers
        self.timeout_seconds = timeout_seconds

    def run(self, source: Source, notify: Notify) -> None:
        """See `Executor`."""
        running: list[Running] = []
        try:
            while self._fill(running, source, notify):
                self._wait(running, source)
                settled = [cell for cell in running if self.settled(cell, notify)]
                running[:] = [cell for cell in running if cell not in settled]
        finally:
            _leave(running)

    def _fill(self, running: list[Running], source: Source, notify: Notify) -> bool:
        """Start what there is room for; whether anything runs."""
        while len(running) < self.workers and (assignment := source.take()):
            slot = min(set(range(self.workers)) - {cell.slot for cell in running})
            running.append(Running(assignment, assignment, time.monotonic() + self.timeout_seconds, slot))
            self._start(running[-1])
            notify(event(assignment, "started"))
        return bool(running)

    def _start(self, cell: Running) -> None:
        job = cell.attempt.job
        theirs: connection.Connection | None = None
        if cell.attempt.judged:
            cell.line, theirs = _CONTEXT.Pipe()
        ResultStore(Path(job.root)).failure(job.cell_id).unlink(missing_ok=True)
        for place in self.places(cell):
            line = theirs if place.rank == 0 else None
            process = _CONTEXT.Process(target=work, args=(cell.attempt, place, line), daemon=True)
            cell.processes.append(process)
            begin(process)
        if theirs:
            theirs.close()

    def places(self, cell: Running) -> list[Place]:
        """The ranks that this machine trains of the cell, rank 0 first."""
        hardware, port = cell.assignment.job.hardware, free_port()
        gpus = gpus_of(cell.slot, hardware.devices) if hardware.accelerator == "gpu" else None
        return [Place(rank=rank, local_rank=rank, port=port, gpus=gpus) for rank in range(hardware.devices)]

    def _wait(self, running: list[Running], source: Source) -> None:
        """Until a process ends or a second has passed; answer those that ask meanwhile."""
        nearest = min(cell.deadline for cell in running) - time.monotonic()
        alive = [p.sentinel for cell in running for p in cell.processes if p.exitcode is None]
        lines = {cell.line: cell for cell in running if cell.line}
        for ready in connection.wait([*alive, *lines], timeout=max(0.0, min(nearest, 1.0))):
            if isinstance(ready, connection.Connection):
                lines[ready].answer(source)

    def settled(self, cell: Running, notify: Notify) -> bool:
        """Whether the cell is over; then it has been told of."""
        late = time.monotonic() > cell.deadline
        if not (cell.over or cell.broken or late):
            return False
        codes = [p.exitcode for p in cell.processes]  # before the others are stopped
        if CRAMPED in codes and not late and self.again(cell):
            return False
        if cell.pruned:
            cell.stop()
            notify(event(cell.assignment, "pruned"))
            return True
        reason = self._outcome(cell, late)
        killed = any(map(_from_outside, codes))
        notify(event(cell.assignment, "failed" if reason else "finished", reason, killed=bool(reason) and killed))
        return True

    def again(self, cell: Running) -> bool:
        """From its last checkpoint, with half as many texts at a time in each of its processes."""
        cell.stop()
        record_kill(cell.attempt)
        job = cell.attempt.job
        share = job.hardware.micro_batch or math.ceil(job.cell.train.batch / job.hardware.devices)
        hardware = dataclasses.replace(job.hardware, micro_batch=(share + 1) // 2)
        job = dataclasses.replace(job, hardware=hardware)
        cell.attempt = dataclasses.replace(cell.attempt, job=job, attempt_id=attempt_id())
        cell.processes.clear()
        self._start(cell)
        return True

    def _outcome(self, cell: Running, late: bool) -> str:
        """Why the cell failed; empty where it is finished."""
        job = cell.assignment.job
        store = ResultStore(Path(job.root))
        codes = [p.exitcode for p in cell.processes]
        cell.stop()
        if store.has(job.cell_id):
            record_result(cell.attempt, store)
            return ""
        signals = [code for code in codes if _from_outside(code)]
        reason = self._reason(job.cell_id, codes, signals, store, late=late and None in codes)
        record_kill(cell.attempt) if signals else record_failure(cell.attempt, reason)
        return reason

    def _reason(
        self, cell_id: str, codes: list[int | None], signals: list[int | None], store: ResultStore, *, late: bool
    ) -> str:
        """In words. Where one rank was killed, what the others say of it is a consequence."""
        kept = store.failure(cell_id)
        if late:
            reason = f"It took longer than {self.timeout_seconds / 60:g} minutes. Raise executor.timeout_minutes."
        elif not signals and kept.is_file():
            return kept.read_text(encoding="utf-8").splitlines()[0]
        else:
            reason = death(next(iter(signals), next((c for c in codes if c), codes[0])))
        with contextlib.suppress(StorageError):  # `report` reads it later; now it is shown all the same
            write_text(kept, f"{reason}\n")
        return reason


def _leave(running: list[Running]) -> None:
    """Let trainings be saved as they stand, and end what has not ended in time."""
    if running:
        print(f"Saving trainings in progress: {len(running)}, {_GRACE:.0f} s at most …", file=sys.stderr, flush=True)
    for process in (process for cell in running for process in cell.begun):
        process.terminate()
    deadline = time.monotonic() + _GRACE
    for cell in running:
        for process in cell.begun:
            process.join(max(0.0, deadline - time.monotonic()))
        cell.stop()
        store = ResultStore(Path(cell.assignment.job.root))
        done = store.has(cell.assignment.job.cell_id)
        record_result(cell.attempt, store) if done else record_kill(cell.attempt)


def _from_outside(code: int | None) -> bool:
    """Whether the process with this exit code was killed, or told to end, or its server was killed."""
    return code is not None and (code < 0 or code in (LEFT, ORPHANED))


def begin(process: multiprocessing.process.BaseProcess) -> None:
    """Start a process of the warm server.

    Raises:
        HeadstartError: the server was killed meanwhile; the next process is forked from a new one.
    """
    try:
        with _without_the_main_module():
            process.start()
    except (EOFError, ConnectionError) as error:
        raise HeadstartError(death(ORPHANED)) from error


@contextlib.contextmanager
def _without_the_main_module() -> Iterator[None]:
    """Processes that are started in the block do not import the main module of this one, as multiprocessing has it.

    Workers need nothing of it, and a script without `if __name__ == "__main__"` would run again in each of them.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def free_port() -> int:
    """A port that is free on this machine now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
