"""What tests of servers share: a free port, and what a server says until it is ready."""

import socket
import subprocess


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def said_until_ready(server: "subprocess.Popen[str]") -> str:
    """All that a dashboard says up to its last line, which names Ctrl-C."""
    assert server.stdout is not None
    said = []
    for line in server.stdout:
        said.append(line)
        if "Ctrl-C" in line:
            break
    return "".join(said)
