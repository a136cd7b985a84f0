"""Where runs go: a local SQLite file, or a server. An address and its credentials travel apart, and only in memory."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from pipeline.config.schema import Tracking
from pipeline.errors import ServiceError
from pipeline.files import digest

UNWRITABLE = 28  # exit code of a process that could not even write what kept it
ADDRESS = "HEADSTART_TRACKING_ADDRESS"  # of a server, for the process that replays; unset: the local store
TEXTS = "HEADSTART_TRACKING_TEXTS"  # set: the process that replays may send texts of the data
USERNAME, PASSWORD = "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"
# Calls give up soon: the record is on disk, and it is the replay that tries again.
SHORT = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10"}
QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "OMP_NUM_THREADS": "1"}
_PACKAGE = Path(__file__).resolve().parents[2]  # so that a child process finds this very package


@dataclass(frozen=True, kw_only=True)
class Store:
    """A place for runs. `address` is a server's, without credentials; None: this machine's own store.

    That is SQLite under `root`, or the database that `backend` is the address of, which holds no credentials either.
    Unless `texts`, it is sent no text of the data, whatever was recorded of them.
    """

    root: Path
    address: str | None = None
    backend: str | None = None
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    texts: bool = False

    @property
    def database(self) -> Path:
        """The local store's file."""
        return self.root.absolute() / "tracking" / "mlflow.db"

    @property
    def artifacts(self) -> Path:
        """The local store's folder of artifacts."""
        return self.root.absolute() / "tracking" / "artifacts"

    @property
    def uri(self) -> str:
        """What MLflow takes; it holds no credentials."""
        return self.address or self.backend or f"sqlite:///{self.database}"

    @property
    def ledger(self) -> Path:
        """The folder that says what this store has already been told."""
        name = digest(self.address)[:16] if self.address else "local"
        return self.root / "tracking" / "ledger" / name

    @property
    def problem(self) -> Path:
        """The file in which the process that replays leaves its last problem, in words."""
        return self.ledger / "problem.txt"

    @property
    def creation_lock(self) -> Path:
        """Held while the local store is created or its tables are brought up to date."""
        return self.root / "tracking" / "mlflow.lock"

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a process that talks to this store."""
        kept = {
            name: value for name, value in os.environ.items() if name not in (ADDRESS, TEXTS, "MLFLOW_TRACKING_URI")
        }
        given = {
            ADDRESS: self.address,
            TEXTS: "1" if self.texts else None,
            USERNAME: self.username,
            PASSWORD: self.password,
        }
        kept["PYTHONPATH"] = os.pathsep.join(filter(None, [str(_PACKAGE), kept.get("PYTHONPATH")]))
        return kept | SHORT | QUIET | {name: value for name, value in given.items() if value}


def store_of(tracking: Tracking, root: Path, *, texts: bool = False) -> Store | None:
    """The store that the settings name, None for `tracking=none`.

    Args:
        tracking: which store.
        root: where results go (`paths.root`).
        texts: whether texts of the data may be sent to it.

    Raises:
        ServiceError: a server's address is missing, or is not http or https.
    """
    if tracking.name == "none":
        return None
    if tracking.name == "local":
        return Store(root=root, texts=texts)
    parts = _split(tracking.uri or "")
    return Store(
        root=root,
        address=_bare(parts),
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        texts=texts,
    )


def store_from(environment: Mapping[str, str], root: Path) -> Store:
    """The store as `Store.environment` describes it; MLflow itself takes the credentials from there."""
    return Store(root=root, address=environment.get(ADDRESS), texts=TEXTS in environment)


def _split(uri: str) -> SplitResult:
    rule = "tracking=server needs tracking.uri=http://HOST:PORT or https://HOST"
    try:
        parts = urlsplit(uri)
        if parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1) > 0:
            return parts
    except ValueError as error:
        raise ServiceError(
            f"{rule}, but got an address that cannot be read (not shown: it may hold a password)."
        ) from error
    got = f"an address starting with {parts.scheme}:" if parts.scheme else "none" if not uri else "one without http"
    raise ServiceError(f"{rule}, but got {got} (the rest is not shown: it may hold a password).")


def _bare(parts: SplitResult) -> str:
    host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else str(parts.hostname)
    place = f"{host}:{parts.port}" if parts.port else host
    return urlunsplit((parts.scheme, place, parts.path.rstrip("/"), "", ""))
