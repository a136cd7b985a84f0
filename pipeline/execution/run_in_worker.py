"""One function call in a process of the warm server, so that the coordinator itself stays light."""

import os
import signal
import sys
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from pipeline.errors import HeadstartError, first_line
from pipeline.execution.assignment import death
from pipeline.execution.local import begin, context
from pipeline.execution.worker import obey_the_coordinator_alone

T = TypeVar("T")

_NO_MEMORY = ("failed to map segment", "Cannot allocate memory", "can't allocate memory")  # in errors of other kinds


def call(function: Callable[..., T], /, **arguments: Any) -> T:
    """`function(**arguments)`, run in a worker; its result, or its HeadstartError, comes back.

    Raises:
        HeadstartError: as raised by the function, or saying how the worker died.
    """
    ours, theirs = context().Pipe(duplex=False)
    process = context().Process(target=_answer, args=(theirs, function, arguments), daemon=True)
    begin(process)
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
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it is, the coordinator is told what
        pipe.send(("error", _unexpected(error)))


def _unexpected(error: BaseException) -> HeadstartError:
    """The error, which nobody foresaw, in a sentence; with debug=true its traceback is shown with it."""
    text = f"{type(error).__name__}: {first_line(error)}"
    if isinstance(error, MemoryError) or any(sign in text for sign in _NO_MEMORY):
        failure = HeadstartError(f"There is too little memory to begin ({text}): a limit such as ulimit -v is too low.")
    else:
        failure = HeadstartError(f"{text}\nThis is a bug. With debug=true the same command shows where.")
    failure.add_note(traceback.format_exc())
    return failure


def _silence() -> None:
    """Libraries print warnings, progress bars and load reports; what matters comes back through the pipe."""
    import warnings

    import transformers

    warnings.simplefilter("ignore")
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    sys.stdout.flush()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
