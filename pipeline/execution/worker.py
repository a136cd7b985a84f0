"""The process that trains one cell. It shares nothing with other cells but the files of finished ones."""

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import traceback
from dataclasses import dataclass
from multiprocessing import connection
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import CrampedError, HeadstartError, LostRankError, StorageError, TrainingError
from pipeline.execution.assignment import CRAMPED, LEFT, LOST, PRUNED, UNWRITABLE, Assignment
from pipeline.execution.attempts import attempt_log
from pipeline.files import write_text
from pipeline.records import TrajectoryPoint
from pipeline.storage.results import ResultStore
from pipeline.tracking.spool import redact

if TYPE_CHECKING:
    from pipeline.storage.checkpoints import CheckpointStore

_CODES = {LostRankError: LOST, CrampedError: CRAMPED}
_TOLD_TO_END = threading.Event()


@dataclass(frozen=True, kw_only=True)
class Place:
    """Which of the cell's processes a worker is, and where they find each other: on the machine of rank 0."""

    rank: int
    local_rank: int  # on its machine
    node: int = 0
    address: str = "127.0.0.1"
    port: int
    gpus: str | None = None  # CUDA_VISIBLE_DEVICES of the cell on this machine, which is to have no others


def work(assignment: Assignment, place: Place, line: Connection | None = None) -> None:
    """Entry point of a worker process: one rank of the cell.

    Leaves a result, or a reason under `root/failures`; the exit code is 0 or 1, PRUNED where it was told to give up or
    to pause, LEFT where it was terminated by a signal: then its training is saved as it stands, LOST where another
    rank is, or CRAMPED where several ranks need fewer texts at a time.

    Args:
        line: to the coordinator, which is sent each point of the trajectory and answers whether to give up.
    """
    from pipeline.storage.checkpoints import CheckpointStore
    from pipeline.training.loop.checkpoint_callback import Left
    from pipeline.training.loop.evaluation_callback import Pruned

    job = assignment.job
    store, checkpoints = ResultStore(Path(job.root)), CheckpointStore(Path(job.root), job.cell_id)
    obey_the_coordinator_alone()
    for number in (signal.SIGTERM, signal.SIGUSR2):  # the latter is SLURM's, before a job's time is up
        signal.signal(number, lambda *_: _TOLD_TO_END.set())
    try:
        _log_to(Path(job.root) / "logs" / f"{job.cell_id}.log")
        _set_environment(assignment, place)
        _train(assignment, store, checkpoints, place.rank, line)
    except Pruned:
        if place.rank == 0:
            attempt_log(assignment).pruned()
            if not job.pausing:
                checkpoints.clear()
        os._exit(PRUNED)
    except Left:
        os._exit(LEFT)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a library raises, its cell fails with that
        if isinstance(error, TrainingError):  # it would diverge again from there
            checkpoints.clear()
        code = next((code for kind, code in _CODES.items() if isinstance(error, kind)), 1)
        os._exit(code if _record_failure(assignment, store, error) else UNWRITABLE)


def evaluate(assignment: Assignment) -> None:
    """Entry point of a process that evaluates one finished cell from its stored weights.

    Raises:
        HeadstartError: why it could not be.
    """
    from pipeline.training.setup.restored import evaluate_stored

    _set_environment(assignment, Place(rank=0, local_rank=0, port=0))
    _quieten()
    try:
        evaluate_stored(assignment.job)
    except (RuntimeError, ValueError, OSError, MemoryError, LookupError) as error:
        raise HeadstartError(_reason(error)) from error


def _train(
    assignment: Assignment, store: ResultStore, checkpoints: "CheckpointStore", rank: int, line: Connection | None
) -> None:
    from pipeline.training.distributed.ranks import together
    from pipeline.training.loop.evaluate import measured_beside, with_measured
    from pipeline.training.loop.finish import finish, save
    from pipeline.training.loop.fit import fit

    _quieten()
    job = assignment.job
    log = attempt_log(assignment)

    def report(point: TrajectoryPoint) -> bool:
        log.point(point)
        if line is None:
            return False
        line.send(point)
        return bool(line.recv())

    with store.claim(job.cell_id) if rank == 0 else contextlib.nullcontext(True) as to_do:
        if not to_do:
            return
        if rank == 0:
            log.started(job.cell, trial=assignment.trial)
        with together(job):
            fitted = fit(job, report, _TOLD_TO_END.is_set)
            result, scores = finish(fitted)
            beside = list(measured_beside(fitted))
        if rank == 0:
            save(store, fitted, result, scores, beside)
            log.finished(with_measured(result, beside), fitted.samples)
            checkpoints.clear()


def _record_failure(assignment: Assignment, store: ResultStore, error: BaseException) -> bool:
    """Leave the reason where the coordinator finds it; of several ranks the first to fail says why."""
    path = store.failure(assignment.job.cell_id)
    with contextlib.suppress(OSError):  # the log lies on the same disk
        print(redact(traceback.format_exc()), file=sys.stderr, flush=True)
    if path.is_file():
        return True
    try:
        write_text(path, f"{redact(_reason(error))}\n\n{redact(traceback.format_exc())}")
    except StorageError:
        return False
    return True


def _reason(error: BaseException) -> str:
    if type(error).__name__ == "OutOfMemoryError":
        return (
            f"The GPU ran out of memory: {str(error).partition('. ')[0]}. Use hardware.micro_batch=8 or "
            "hardware.gradient_checkpointing=true, or leave the GPU to fewer cells: executor.workers=1."
        )
    text = str(error).strip() or type(error).__name__
    return text if isinstance(error, HeadstartError) else f"{type(error).__name__}: {text.splitlines()[0]}"


def _set_environment(assignment: Assignment, place: Place) -> None:
    """Threads, GPUs, and the address by which ranks find each other, whatever was set around this process."""
    import torch

    hardware = assignment.job.hardware
    torch.set_num_threads(hardware.threads)
    if place.gpus is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = place.gpus
    if hardware.deterministic:
        os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"  # what cuBLAS needs for it
        torch.use_deterministic_algorithms(True)
    for name in [name for name in os.environ if name.startswith("TORCHELASTIC_")]:
        del os.environ[name]  # these ranks find each other by themselves
    os.environ |= {
        "RANK": str(place.rank),
        "LOCAL_RANK": str(place.local_rank),
        "NODE_RANK": str(place.node),
        "WORLD_SIZE": str(hardware.devices),
        "MASTER_ADDR": place.address,
        "MASTER_PORT": str(place.port),
    }


def _quieten() -> None:
    import logging
    import warnings

    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="pytorch_lightning")
    warnings.filterwarnings("ignore", module="torch.optim.lr_scheduler")


def _log_to(path: Path) -> None:
    """Send whatever this process and its libraries print to the cell's log."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    os.close(handle)


def obey_the_coordinator_alone() -> None:
    """Ignore Ctrl-C, which reaches the whole group, and end as soon as the coordinator is gone, however it went.

    So is a worker at an end whose server was killed: the coordinator could no longer tell how it ends, nor end it.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent, server = multiprocessing.parent_process(), os.getppid()
    if parent is None:
        return

    def wait() -> None:
        while os.getppid() == server and not connection.wait([parent.sentinel], timeout=1.0):
            pass
        os._exit(1)

    threading.Thread(target=wait, daemon=True, name="parent-watch").start()
