"""The folder of the sockets through which the warm server is spoken to."""

import atexit
import os
import shutil

SOCKETS = "HEADSTART_SOCKETS"


def removed_at_exit() -> None:
    """Let this process remove the folder when it ends; who made it does so too, unless it is killed."""
    if folder := os.environ.get(SOCKETS):
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
