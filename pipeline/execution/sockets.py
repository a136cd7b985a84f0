"""The folder of the sockets through which the warm server is spoken to."""

import atexit
import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from multiprocessing import util

from pipeline.errors import ConfigError

SOCKETS = "HEADSTART_SOCKETS"
_LONGEST = 103  # bytes of a socket's path: what macOS allows, 4 fewer than Linux
_BELOW = len("/pymp-12345678/listener-12345678")  # what multiprocessing adds to the folder for temporary files
_SHORT = ("/tmp", "/var/tmp", "/dev/shm")


def socket_folder() -> str:
    """The folder that multiprocessing puts its sockets in, made once, below another than TMPDIR if that is too long.

    Raises:
        ConfigError: no folder for temporary files has a path that is short enough.
    """
    with _short_temporary_folder():
        return util.get_temp_dir()


@contextlib.contextmanager
def _short_temporary_folder() -> Iterator[None]:
    given = tempfile.gettempdir()
    tempfile.tempdir = next((folder for folder in (given, *_SHORT) if _fits(folder)), None)
    try:
        if tempfile.tempdir is None:
            raise ConfigError(
                [f"TMPDIR must be a path of at most {_LONGEST - _BELOW} bytes, since sockets are made in it, but got "
                 f"{given!r}. Use a shorter one: TMPDIR=FOLDER before the same command."]
            )  # fmt: skip
        yield
    finally:
        tempfile.tempdir = given


def _fits(folder: str) -> bool:
    return len(os.fsencode(folder)) + _BELOW <= _LONGEST and os.access(folder, os.W_OK | os.X_OK)


def removed_at_exit() -> None:
    """Let this process remove the folder when it ends; who made it does so too, unless it is killed."""
    if folder := os.environ.get(SOCKETS):
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
