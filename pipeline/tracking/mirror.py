"""The process that replays records into MLflow: `python -m pipeline.tracking.mirror ROOT`.

It works while its standard input is open, tries again when told a line or after a pause that grows while the store
is silent, and at the end of input brings what it can up to date for a few seconds and goes. One process at a time
serves a store; another waits for its turn.
"""

import fcntl
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import StorageError
from pipeline.files import lock, write_text
from pipeline.tracking.ledger import forget_lost
from pipeline.tracking.store import UNWRITABLE, Store, store_from

if TYPE_CHECKING:
    from pipeline.tracking.replay import Replay

LAST_SECONDS = 15.0  # of work after the end of input
_PAUSE, _LONGEST_PAUSE = 0.5, 30.0  # seconds


class Parent:
    """The process that started this one, as seen through standard input."""

    def __init__(self) -> None:
        self._pid = os.getppid()
        self._gone_at: float | None = None

    def wait(self, seconds: float) -> None:
        """Sleep, but wake up at a line or at the end of input."""
        if self.gone():
            return
        ready, _, _ = select.select([0], [], [], seconds)
        if (ready and not os.read(0, 4096)) or os.getppid() != self._pid:
            self._gone_at = time.monotonic()

    def gone(self) -> bool:
        """Whether input has ended."""
        return self._gone_at is not None

    def time_is_up(self) -> bool:
        """Whether the last seconds of work are over; notices the end of input meanwhile."""
        self.wait(0.0)
        return self._gone_at is not None and time.monotonic() - self._gone_at > LAST_SECONDS


def main() -> int:
    """Replay until told to stop; returns the exit code."""
    os.nice(10)  # training goes first
    parent = Parent()
    store = store_from(os.environ, Path(sys.argv[1]))
    try:
        with _turn(store, parent) as mine:
            if mine:
                _serve(store, parent)
    except (StorageError, OSError):  # its log lies on the same disk
        return UNWRITABLE
    return 0


def _serve(store: Store, parent: Parent) -> None:
    replay: Replay | None = None
    pause = _PAUSE
    while True:
        replay, problem, applied = _round(store, parent, replay)
        _say(store, problem)
        if parent.time_is_up() or (parent.gone() and (problem or not applied)):
            return
        pause = min(2 * pause, _LONGEST_PAUSE) if problem else _PAUSE
        parent.wait(pause)


def _round(store: Store, parent: Parent, replay: "Replay | None") -> "tuple[Replay | None, str | None, int]":
    """One pass over the records; the store is opened, and where needed created, by the first that succeeds."""
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    from pipeline.tracking.replay import in_words

    try:
        if replay is None:
            with lock(store.creation_lock):
                replay = _open(store, parent)
        done = replay.round()
        return replay, done.problem, done.applied
    except (MlflowException, SQLAlchemyError, OSError, StorageError, subprocess.CalledProcessError) as error:
        return None, in_words(error), 0


def _open(store: Store, parent: Parent) -> "Replay":
    """The local store is created where it is missing, and the tables of an older MLflow are brought up to date."""
    from mlflow.exceptions import MlflowException

    from pipeline.tracking.replay import Replay

    if store.address is None:
        store.artifacts.mkdir(parents=True, exist_ok=True)
        forget_lost(store)
    try:
        return Replay(store, parent.time_is_up)
    except MlflowException as error:
        if store.address is not None or "out-of-date database schema" not in error.message:
            raise
    command = [sys.executable, "-P", "-m", "mlflow", "db", "upgrade", store.uri]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return Replay(store, parent.time_is_up)


@contextmanager
def _turn(store: Store, parent: Parent) -> Iterator[bool]:
    """Wait for this process's turn to serve the store; false if the parent went before it came."""
    store.ledger.mkdir(parents=True, exist_ok=True)
    handle = os.open(store.ledger / "turn.lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        mine = _lock(handle)
        while not mine and not parent.gone():
            parent.wait(0.5)
            mine = _lock(handle)
        yield mine
    finally:
        os.close(handle)


def _lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):  # the latter over NFS
        return False
    return True


def _say(store: Store, problem: str | None) -> None:
    """Leave the last problem in words where the coordinator reads it, or remove it.

    Raises:
        StorageError, OSError: there is no room for it.
    """
    if problem:
        write_text(store.problem, problem + "\n")
    else:
        store.problem.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
