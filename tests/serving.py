"""What tests of servers share: a free port, a folder for databases, and what a server says until it is ready."""

import os
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.tracking.dashboard import server_command, wait_until_healthy
from pipeline.tracking.store import Store


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder with a short name that every user can enter, as PostgreSQL's own has to where tests run as root."""
    with tempfile.TemporaryDirectory(prefix="hs-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def said_until_ready(server: "subprocess.Popen[str]") -> str:
    """All that a dashboard says up to its last line, which names Ctrl-C."""
    assert server.stdout is not None
    said = []
    for line in server.stdout:
        said.append(line)
        if "Ctrl-C" in line:
            break
    return "".join(said)


@contextmanager
def a_server(store: Store, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """A real MLflow server on `store`, killed with all its workers at the end."""
    store.artifacts.mkdir(parents=True, exist_ok=True)
    with open(store.root / "server.log", "ab") as log:
        server = subprocess.Popen(
            server_command(store, port), env=store.environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        wait_until_healthy(server, port, store.root / "server.log")
        yield server
    finally:
        kill_group(server)


def kill_group(process: "subprocess.Popen[bytes]") -> None:
    """End a process and its children at once, as a power cut would."""
    try:
        os.killpg(process.pid, 9)
    except ProcessLookupError:
        return
    finally:
        process.wait()
