"""The process that trains one cell. It shares nothing with other cells but the files of finished ones."""

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import traceback
from pathlib import Path

from pipeline.errors import HeadstartError
from pipeline.execution.assignment import Assignment
from pipeline.files import write_text
from pipeline.tracking.spool import AttemptLog, redact
from pipeline.training.results import ResultStore


def work(assignment: Assignment, rank: int, port: int) -> None:
    """Entry point of a worker process: rank `rank` of the cell's `devices` processes.

    Leaves a result, or a reason under `root/failures`; the exit code is 0 or 1.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the coordinator decides
    job = assignment.job
    store = ResultStore(Path(job.root))
    _leave_with_parent()
    _log_to(Path(job.root) / "logs" / f"{job.cell_id}.log")
    _set_environment(assignment, rank, port)
    if rank == 0:
        store.failure(job.cell_id).unlink(missing_ok=True)
    try:
        _train(assignment, store, rank)
    except (
        HeadstartError,
        RuntimeError,
        ValueError,
        OSError,
        MemoryError,
        AssertionError,
        TypeError,
        LookupError,
    ) as error:
        _record_failure(assignment, store, error, rank)
        sys.stdout.flush()
        os._exit(1)


def _train(assignment: Assignment, store: ResultStore, rank: int) -> None:
    from pipeline.training.finish import finish, save
    from pipeline.training.fit import fit

    _quieten()
    job = assignment.job
    log = AttemptLog(store.root, assignment.study_id, job.cell_id, assignment.attempt_id)
    with store.claim(job.cell_id) if rank == 0 else contextlib.nullcontext(True) as to_do:
        if not to_do:
            return
        if rank == 0:
            log.started(job.cell)
        fitted = fit(job, log.point)
        result, scores = finish(fitted)
        if rank == 0:
            save(store, fitted, result, scores)
            log.finished(result, reused=False)


def _record_failure(assignment: Assignment, store: ResultStore, error: BaseException, rank: int) -> None:
    traceback.print_exc()
    if rank and store.failure(assignment.job.cell_id).is_file():
        return
    reason = redact(_reason(error))
    job = assignment.job
    write_text(store.failure(job.cell_id), f"{reason}\n\n{redact(traceback.format_exc())}")
    AttemptLog(store.root, assignment.study_id, job.cell_id, assignment.attempt_id).failed(reason)


def _reason(error: BaseException) -> str:
    text = str(error).strip() or type(error).__name__
    return text if isinstance(error, HeadstartError) else f"{type(error).__name__}: {text.splitlines()[0]}"


def _set_environment(assignment: Assignment, rank: int, port: int) -> None:
    """Threads and, for several ranks, the addresses by which they find each other."""
    import torch

    hardware = assignment.job.hardware
    torch.set_num_threads(hardware.threads)
    if hardware.devices > 1:
        world = str(hardware.devices)
        os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "NODE_RANK": "0", "WORLD_SIZE": world}
        os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}


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


def _leave_with_parent() -> None:
    """End this process as soon as the coordinator is gone, however it went."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True, name="parent-watch").start()
