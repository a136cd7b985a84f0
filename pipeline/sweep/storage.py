"""Where trials are kept: SQLite under paths.root for one machine, PostgreSQL for several. One opens at a time."""

import contextlib
import warnings
from collections.abc import Iterator
from pathlib import Path

import optuna
import sqlalchemy
from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage
from sqlalchemy.exc import SQLAlchemyError

from pipeline.config.redaction import without_credentials
from pipeline.config.schema import Sweep
from pipeline.errors import ConfigError, StorageError
from pipeline.files import digest, lock, storage_error

_WAIT = 60  # seconds for another process's transaction
_BEATS = 4  # signs of life in a grace period


def database(root: Path) -> Path:
    """The SQLite file of the sweeps under `root`."""
    return root / "sweeps" / "optuna.db"


def address(sweep: Sweep, root: Path) -> str:
    """SQLAlchemy's address of the storage."""
    if sweep.storage is None:
        return f"sqlite:///{database(root)}"
    return "postgresql+psycopg://" + sweep.storage.partition("://")[2]


@contextlib.contextmanager
def explained(sweep: Sweep, root: Path) -> Iterator[None]:
    """Turns what a database says into one sentence.

    Raises:
        StorageError: it cannot be reached, is locked or belongs to another version of Optuna.
    """
    place = without_credentials(address(sweep, root))
    try:
        yield
    except (SQLAlchemyError, StorageInternalError) as error:
        cause = error.__cause__ if isinstance(error, StorageInternalError) else error
        text = without_credentials(str(getattr(cause, "orig", None) or cause).strip().splitlines()[0])
        raise StorageError(
            f"The sweep's storage {place} cannot be used: {text.rstrip('.')}. Finished trials are kept; "
            "run the same command again when it can be reached."
        ) from error
    except RuntimeError as error:
        if "schema" not in str(error):
            raise
        raise StorageError(
            f"The sweep's storage {place} was made by another version of Optuna ({optuna.__version__} is installed). "
            f"Move it away, or bring it up to date: optuna storage upgrade --storage {place}"
        ) from error


def opened(sweep: Sweep, root: Path) -> RDBStorage:
    """The storage, its tables made where they are missing.

    Raises:
        ConfigError: the database's driver is not installed.
        StorageError: see `explained`.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    url = address(sweep, root)
    with explained(sweep, root), _alone(url, root), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # heartbeats are experimental
        interval = max(1, sweep.grace_seconds // _BEATS)
        return RDBStorage(
            url,
            engine_kwargs={"connect_args": _patience(url)},
            heartbeat_interval=interval,
            grace_period=sweep.grace_seconds,
        )


def _patience(url: str) -> dict[str, int]:
    return {"timeout": _WAIT} if url.startswith("sqlite") else {"connect_timeout": _WAIT}


@contextlib.contextmanager
def _alone(url: str, root: Path) -> Iterator[None]:
    """While tables are made, which two processes at once would fail in."""
    try:
        engine = sqlalchemy.create_engine(url, connect_args=_patience(url))
    except ImportError as error:
        raise ConfigError(
            ["sweep.storage on PostgreSQL needs its driver: pip install -c constraints.txt '.[postgresql]'."]
        ) from error
    try:
        with alone(engine, "tables", root):
            yield
    finally:
        engine.dispose()


@contextlib.contextmanager
def alone(engine: sqlalchemy.Engine, what: str, root: Path) -> Iterator[None]:
    """Hold a lock that all processes on this storage share; it goes with its holder's death."""
    if engine.dialect.name != "postgresql":
        try:
            (root / "sweeps").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise storage_error(root / "sweeps", error) from error
        with lock(root / "locks" / f"sweeps-{digest(what)[:16]}.lock"):
            yield
        return
    key = int(digest("headstart sweep", what)[:15], 16)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("select pg_advisory_xact_lock(:key)"), {"key": key})
        yield
