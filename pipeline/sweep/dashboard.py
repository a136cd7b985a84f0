"""Optuna's own dashboard over the storage of sweeps: on loopback alone, in the foreground, and for reading only."""

from collections.abc import Callable, Iterable
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from optuna.storages import RDBStorage

from pipeline.config.schema import Sweep
from pipeline.config.search_path import program
from pipeline.errors import ConfigError, UserError
from pipeline.sweep.storage import database, opened
from pipeline.tracking.foreground import HOST, check_free, until_stopped

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]
_READING = ("GET", "HEAD")


def serve(sweep: Sweep, root: Path, say: Callable[[str], None] = print) -> None:
    """Show the trials of every sweep until Ctrl-C or SIGTERM.

    Args:
        sweep: its storage, and the port.
        root: where results go (`paths.root`).
        say: takes each line that the user is told.

    Raises:
        ConfigError: optuna-dashboard is not installed.
        UserError: there is no sweep.
        StorageError: the storage cannot be used.
        ServiceError: the port is taken.
    """
    application = _optuna_dashboard()
    file = database(root)
    if sweep.storage is None and not file.is_file():
        raise UserError(f"There is no sweep yet: {file} is missing. Run one first: {program()} sweep arm=scratch")
    check_free(sweep.port, "sweep.port", "make sweep-dashboard ARGS=")
    storage = opened(sweep, root)
    guarded = reading_only(application(storage), sweep.port)
    with until_stopped(), make_server(HOST, sweep.port, guarded, _Server, _Handler) as server:
        for title, address in _links(storage, sweep.port):
            say(f"  {title:<28} {address}")
        say("Ctrl-C stops the dashboard.")
        server.serve_forever()


def reading_only(application: Application, port: int) -> Application:
    """The application without whatever changes a sweep, and for requests addressed to this port of this machine."""
    hosts = (f"localhost:{port}", f"{HOST}:{port}")

    def answer(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        if environ.get("HTTP_HOST") in hosts and environ["REQUEST_METHOD"] in _READING:
            return application(environ, start)
        start("403 Forbidden", [("Content-Type", "text/plain")])
        return [b"This dashboard shows sweeps and changes nothing."]

    return answer


def _optuna_dashboard() -> Callable[[RDBStorage], Application]:
    try:
        from optuna_dashboard import wsgi
    except ImportError as error:
        raise ConfigError(
            ["sweep-dashboard needs optuna-dashboard: pip install -c constraints.txt '.[sweep-dashboard]'."]
        ) from error
    return wsgi  # type: ignore[no-any-return]


def _links(storage: RDBStorage, port: int) -> list[tuple[str, str]]:
    """The sweeps' names and addresses, the latest first."""
    studies = sorted(storage.get_all_studies(), key=lambda study: -study._study_id)
    return [(study.study_name, f"http://{HOST}:{port}/dashboard/studies/{study._study_id}") for study in studies]


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Handler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Not a line for every request."""
