"""One function call in a process of the warm server, so that the coordinator itself stays light."""

import os
import signal
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from pipeline.errors import HeadstartError
from pipeline.execution.assignment import death
from pipeline.execution.local import context
from pipeline.execution.worker import obey_the_coordinator_alone

T = TypeVar("T")


def call(function: Callable[..., T], /, **arguments: Any) -> T:
    """`function(**arguments)`, run in a worker; its result, or its HeadstartError, comes back.

    Raises:
        HeadstartError: as raised by the function, or saying how the worker died.
    """
    ours, theirs = context().Pipe(duplex=False)
    process = context().Process(target=_answer, args=(theirs, function, arguments), daemon=True)
    process.start()
    theirs.close()
    try:
        kind, value = ours.recv()
    except EOFError as error:
        process.join()
        raise HeadstartError(death(process.exitcode)) from error
    except BaseException:
        process.kill()
        raise
    process.join()
    if kind == "error":
        raise value
    result: T = value
    return result


def _answer(pipe: Connection, function: Callable[..., Any], arguments: dict[str, Any]) -> None:
    obey_the_coordinator_alone()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # the server ignores it
    _silence()
    try:
        pipe.send(("result", function(**arguments)))
    except HeadstartError as error:
        pipe.send(("error", error))


def _silence() -> None:
    """Libraries print warnings, progress bars and load reports; what matters comes back through the pipe."""
    import warnings

    import transformers

    warnings.simplefilter("ignore")
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    sys.stdout.flush()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
