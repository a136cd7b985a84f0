"""A Ray cluster of two nodes on this machine, a core each, on loopback; started for the tests and ended after them."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

RAY = (str(Path(sys.executable).with_name("ray")), "start", "--block", "--node-ip-address=127.0.0.1", "--num-cpus=1")


@dataclass
class Nodes:
    """The head at `address`, and the node that was added last, in a session of its own."""

    address: str
    folder: str
    head: "subprocess.Popen[bytes]"
    extra: "list[subprocess.Popen[bytes]]" = field(default_factory=list)

    def add(self) -> None:
        """One more node."""
        self.extra.append(_start(f"--address={self.address}"))

    def lose(self) -> None:
        """Kill the node that was added last, with all that runs on it, as when its power is cut."""
        _kill(self.extra.pop())

    def cells(self) -> list[psutil.Process]:
        """The living processes of cells on all nodes."""
        return [cell for node in (self.head, *self.extra) for cell in cells_on(node)]


def cells_on(node: "subprocess.Popen[bytes]") -> list[psutil.Process]:
    """What the warm servers on the node have forked and is still there."""
    with suppress(psutil.NoSuchProcess):
        below = psutil.Process(node.pid).children(recursive=True)
        servers = [process.pid for process in below if "multiprocessing.forkserver" in _said(process)]
        return [p for p in below if p.ppid() in servers and p.status() != psutil.STATUS_ZOMBIE]
    return []


def _said(process: psutil.Process) -> str:
    with suppress(psutil.Error):
        return " ".join(process.cmdline())
    return ""


@contextmanager
def cluster() -> Iterator[Nodes]:
    """The head alone."""
    port, folder = _free_port(), tempfile.mkdtemp(prefix="ray-", dir="/tmp")  # sockets in it have short paths
    head = _start("--head", f"--port={port}", "--include-dashboard=false", f"--temp-dir={folder}")
    nodes = Nodes(address=f"127.0.0.1:{port}", folder=folder, head=head)
    try:
        yield nodes
    finally:
        for node in (*nodes.extra, head):
            _kill(node)
        shutil.rmtree(folder, ignore_errors=True)


def _start(*arguments: str) -> "subprocess.Popen[bytes]":
    environment = os.environ | {"RAY_USAGE_STATS_ENABLED": "0"}
    output = subprocess.DEVNULL
    return subprocess.Popen([*RAY, *arguments], env=environment, start_new_session=True, stdout=output, stderr=output)


def _kill(node: "subprocess.Popen[bytes]") -> None:
    with suppress(psutil.NoSuchProcess):
        for process in psutil.Process(node.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                process.kill()
    node.send_signal(signal.SIGKILL)
    node.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
