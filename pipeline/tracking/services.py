"""What a team has on a server, for trying it on one machine: MLflow on PostgreSQL, and a database for sweeps."""

import contextlib
import urllib.request
from collections.abc import Callable
from pathlib import Path

from pipeline.config.schema import Tracking
from pipeline.config.search_path import program
from pipeline.errors import ServiceError
from pipeline.tracking.dashboard import START_SECONDS, log_of, server
from pipeline.tracking.foreground import HOST, check_free, until_stopped
from pipeline.tracking.postgresql import cluster
from pipeline.tracking.store import Store

_RUNS, _SWEEPS = "mlflow", "sweeps"  # databases


def serve(tracking: Tracking, root: Path, say: Callable[[str], None] = print) -> None:
    """Run both until Ctrl-C or SIGTERM; what they hold stays under `root/services`.

    Args:
        tracking: the port of MLflow's server.
        root: where results go (`paths.root`).
        say: takes each line that the user is told.

    Raises:
        ServiceError: the port is taken, PostgreSQL is not installed, or a server didn't start.
        StorageError: the folder cannot be written to.
    """
    check_free(tracking.port, "tracking.port", "make services ARGS=")
    folder = root.absolute() / "services"
    with until_stopped(), cluster(folder / "postgresql", (_RUNS, _SWEEPS)) as databases:
        driven = databases.address(_RUNS).replace("postgresql://", "postgresql+psycopg://", 1)
        store = Store(root=folder, backend=driven)
        store.ledger.mkdir(parents=True, exist_ok=True)
        with server(store, tracking.port) as process:
            _make_tables(tracking.port)
            for line in _words(tracking.port, databases.address(_SWEEPS), folder):
                say(line)
            with contextlib.suppress(KeyboardInterrupt):
                process.wait()
                raise ServiceError(f"MLflow's server ended by itself; its last words are in {log_of(store)}.")


def _make_tables(port: int) -> None:
    """MLflow makes its tables at the first question, which takes longer than a study would wait for an answer."""
    address = f"http://{HOST}:{port}/api/2.0/mlflow/experiments/search?max_results=1"
    with urllib.request.urlopen(address, timeout=START_SECONDS) as answer:
        answer.read()


def _words(port: int, sweeps: str, folder: Path) -> list[str]:
    address = f"http://{HOST}:{port}"
    return [
        f"MLflow on PostgreSQL: {address}",
        f"  a study:  {program()} study experiments=quickstart tracking=server tracking.uri={address}",
        f"  a sweep:  {program()} sweep arm=scratch train.size=400 'sweep.storage=\"{sweeps}\"'",
        f"What they hold stays in {folder}. Ctrl-C stops both.",
    ]
