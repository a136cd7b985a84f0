"""The coordinator's end of the mirror: it starts the process that replays, and never waits for it unasked."""

import contextlib
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

from pipeline.config.schema import Tracking
from pipeline.tracking.ledger import count_waiting, register
from pipeline.tracking.store import UNWRITABLE, Store, store_of

DRAIN_SECONDS = 60.0  # that a command waits at its end until the store has been told everything
_RESTART_SECONDS = 5.0  # between two starts of a process that dies
_HOPELESS_SECONDS = 3.0  # without progress, with a problem said, before a drain gives up


class Mirror:
    """Keeps a store up to date with the records on disk. With `tracking=none` it does nothing."""

    def __init__(self, store: Store | None) -> None:
        self._store = store
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0

    @classmethod
    def start(cls, tracking: Tracking, root: Path, study_id: str | None = None, *, texts: bool) -> "Mirror":
        """A mirror of what lies under `root`; with nothing waiting, no process starts.

        Args:
            tracking: which store.
            root: where results go (`paths.root`).
            study_id: the study about to run. A server is told of the studies named here, and of no others.
            texts: whether texts of the data may be sent, such as samples of a run with other settings.

        Raises:
            ServiceError: the server's address is missing or wrong.
        """
        store = store_of(tracking, root, texts=texts)
        if store and study_id:
            register(store, study_id)
        mirror = cls(store)
        mirror.wake()
        return mirror

    def wake(self) -> None:
        """Start the process if something waits and none runs; tell a running one to try now."""
        if self._store is None or not self.pending():
            return
        if self._running():
            self._tell()
        elif time.monotonic() - self._started_at > _RESTART_SECONDS:
            self._launch(self._store)

    def pending(self) -> int:
        """The number of events that the store has not been told."""
        return count_waiting(self._store) if self._store else 0

    def drain(self, timeout_seconds: float) -> bool:
        """Wait until the store has been told everything; false where it takes longer or the store doesn't answer."""
        self.wake()
        end = time.monotonic() + timeout_seconds
        left, moved_at = self.pending(), time.monotonic()
        while left and time.monotonic() < end:
            time.sleep(0.1)
            self._revive()
            now = self.pending()
            moved_at = time.monotonic() if now < left else moved_at
            if self.problem() and time.monotonic() - moved_at > _HOPELESS_SECONDS:
                break
            left = now
        return left == 0

    def problem(self) -> str | None:
        """What kept the store from being told, in words and without credentials; None where nothing did."""
        if self._store is None or not self.pending():
            return None
        with contextlib.suppress(FileNotFoundError):
            return self._store.problem.read_text(encoding="utf-8").strip()
        if self._process and self._process.poll():
            code = self._process.returncode
            if code == UNWRITABLE:
                return "The disk is full, or paths.root cannot be written to. The next command sends the rest."
            return f"The process that feeds the dashboard ended with code {code}; see {_log(self._store)}."
        return None

    def close(self, timeout_seconds: float = 20.0) -> None:
        """Let the process end its work, for this long at most; the rest is told by a later command."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
        for stop in (process.terminate, process.kill):
            try:
                process.wait(timeout_seconds)
                return
            except subprocess.TimeoutExpired:
                stop()
                timeout_seconds = 2.0
        process.wait()

    def __enter__(self) -> "Mirror":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _revive(self) -> None:
        if not self._running():
            self.wake()

    def _tell(self) -> None:
        if self._process and self._process.stdin:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.write(b"\n")

    def _launch(self, store: Store) -> None:
        self._started_at = time.monotonic()
        _log(store).parent.mkdir(parents=True, exist_ok=True)
        store.problem.unlink(missing_ok=True)  # of a process before: it may be over
        with open(_log(store), "wb") as log:
            self._process = subprocess.Popen(
                replay_command(store),
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=log,
                env=store.environment,
                bufsize=0,
                start_new_session=True,  # Ctrl-C in the terminal is for the coordinator alone
            )


def replay_command(store: Store) -> list[str]:
    """The command that replays into a store; with -P, no file of the working directory is taken for a module."""
    return [sys.executable, "-P", "-m", "pipeline.tracking.mirror", str(store.root.absolute())]


def _log(store: Store) -> Path:
    return store.root / "tracking" / "mirror.log"
