"""What every server that runs in the foreground does: a free port first, and an end by signals."""

import contextlib
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from pipeline.errors import ServiceError

HOST = "127.0.0.1"


def check_free(port: int, setting: str, command: str) -> None:
    """Refuse a port that cannot be had.

    Raises:
        ServiceError: naming `setting`, which another port would be given by, and `command`, which it is put behind.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            other = port + 1 if port < 65535 else 5001
            raise ServiceError(
                f"Port {port} of {HOST} cannot be used ({error.strerror}). If this server runs already, open "
                f"http://{HOST}:{port}; if not, take another port: {setting}={other} "
                f"({command}{setting}={other})."
            ) from error


def last_words(log: Path) -> str:
    """The last line of a server's log, and where the others are."""
    words = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return f"{words[-1] if words else 'none'} (all in {log})"


@contextlib.contextmanager
def until_stopped() -> Iterator[None]:
    """The block ends at Ctrl-C, at SIGTERM and when the terminal is closed."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    except KeyboardInterrupt:
        return
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
