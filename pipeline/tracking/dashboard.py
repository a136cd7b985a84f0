"""The dashboard: MLflow's server on the local store, on loopback alone, in the foreground."""

import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from pipeline.config.schema import Tracking
from pipeline.errors import ServiceError
from pipeline.files import lock
from pipeline.tracking.client import replay_command
from pipeline.tracking.foreground import HOST, check_free, last_words, until_stopped
from pipeline.tracking.links import links
from pipeline.tracking.store import Store, store_of

START_SECONDS = 90.0  # a first start creates the store's tables


def serve(tracking: Tracking, root: Path, say: Callable[[str], None] = print, *, texts: bool) -> None:
    """Show the dashboard until Ctrl-C or SIGTERM; for a server that runs elsewhere, only say its addresses.

    Args:
        tracking: which store, and the local dashboard's port.
        root: where results go (`paths.root`).
        say: takes each line that the user is told.
        texts: whether texts of the data may be shown.

    Raises:
        ServiceError: the port is taken, the server didn't start, or nothing is recorded (`tracking=none`).
    """
    store = store_of(tracking, root, texts=texts)
    if store is None:
        raise ServiceError("tracking=none records nothing to show. Use tracking=local or tracking=server.")
    if store.address:
        _say_links(tracking, root, say)
        return
    check_free(tracking.port, "tracking.port", "make dashboard ARGS=")
    with until_stopped(), _caught_up(store), server(store, tracking.port) as process:
        _say_links(tracking, root, say)
        say("Ctrl-C stops the dashboard.")
        with contextlib.suppress(KeyboardInterrupt):
            process.wait()
            raise ServiceError(f"The dashboard's server ended by itself; its last words are in {log_of(store)}.")


def server_command(store: Store, port: int) -> list[str]:
    """The command that serves a store of this machine."""
    backend = [store.backend] if store.backend else []
    return [sys.executable, "-P", "-m", "pipeline.tracking.web", str(port), str(store.root.absolute()), *backend]


def _say_links(tracking: Tracking, root: Path, say: Callable[[str], None]) -> None:
    study = ""
    for link in links(tracking, root):
        if link.study_id != study:
            study = link.study_id
            say(f"\n{study}")
        say(f"  {link.title:<28} {link.url}")
    say("")


@contextlib.contextmanager
def _caught_up(store: Store) -> Iterator[None]:
    """Replay what waits, and bring the store's tables up to date, before the server opens it."""
    store.ledger.mkdir(parents=True, exist_ok=True)
    with open(log_of(store), "wb") as log:
        subprocess.run(
            replay_command(store), stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=store.environment, check=False
        )
    yield


@contextlib.contextmanager
def server(store: Store, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """MLflow's server on `store`, which answers when the block begins and is gone with all its workers at its end.

    Raises:
        ServiceError: it did not start.
    """
    store.artifacts.mkdir(parents=True, exist_ok=True)
    with open(log_of(store), "ab") as log:
        process = subprocess.Popen(
            server_command(store, port),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=store.environment,
            start_new_session=True,
        )
    try:
        with lock(store.creation_lock):
            wait_until_healthy(process, port, log_of(store))
        yield process
    finally:
        _stop(process)


def wait_until_healthy(server: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    """Return once the server answers.

    Raises:
        ServiceError: it ended, or did not answer in time; the message quotes its log's last line.
    """
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and server.poll() is None:
        if _healthy(port):
            return
        time.sleep(0.1)
    raise ServiceError(f"The dashboard's server did not start. Its last words: {last_words(log)}")


def _healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _stop(server: "subprocess.Popen[bytes]") -> None:
    """End the server with all its workers."""
    for number, seconds in ((signal.SIGTERM, 10.0), (signal.SIGKILL, 10.0)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(seconds)
    server.wait()


def log_of(store: Store) -> Path:
    """What the server of `store` has to say."""
    return store.root / "tracking" / "dashboard.log"
