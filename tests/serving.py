"""What tests of servers share: a free port, a folder for databases, and what a server says until it is ready."""

import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


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
