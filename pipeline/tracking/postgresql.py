"""PostgreSQL for trying things out: a cluster in a folder of its own, reached by a socket there and over no network."""

import contextlib
import glob
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import ServiceError
from pipeline.files import storage_error
from pipeline.tracking.foreground import last_words

USER = "headstart"
_START_SECONDS = 60.0
_LONGEST = 107 - len("/.s.PGSQL.5432")  # of a socket's folder: the system allows no longer names


@dataclass(frozen=True)
class Cluster:
    """A running server; its data and its socket are in `folder`, which only its user can enter."""

    folder: Path

    def address(self, database: str) -> str:
        """Of one of its databases. There is no password: the folder is closed to others."""
        return f"postgresql://{USER}@/{database}?host={self.folder}"


def programs() -> Path | None:
    """Where initdb and postgres are, the newest as Debian keeps them; None where they are not installed."""
    installed = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
    on_path = shutil.which("initdb")
    return Path(installed[-1]).parent if installed else Path(on_path).parent if on_path else None


@contextlib.contextmanager
def cluster(folder: Path, databases: Sequence[str]) -> Iterator[Cluster]:
    """The cluster in `folder`, made where it is missing, with these databases in it, as long as the block lasts.

    Raises:
        ServiceError: PostgreSQL or its driver is not installed, or it did not start.
        StorageError: the folder cannot be written to.
    """
    home, folder = _installed(), folder.absolute()
    if len(str(folder)) > _LONGEST:
        raise ServiceError(f"{folder} is too long a name for a socket. Take a shorter folder: paths.root=FOLDER.")
    log = folder.parent / "postgresql.log"
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        log.touch()
    except OSError as error:
        raise storage_error(folder, error) from error
    _make(home, folder, log)
    with open(log, "ab") as words:
        options = ["-D", str(folder), "-k", str(folder), "-c", "listen_addresses="]
        server = _start([str(home / "postgres"), *options], words, _owner(folder))
    try:
        _wait(server, folder, log)
        _create(folder, databases)
        yield Cluster(folder)
    finally:
        server.send_signal(signal.SIGINT)  # at once, clients or not
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(timeout=30)
        server.kill()
        server.wait()


def _installed() -> Path:
    home = programs()
    if home is None:
        raise ServiceError("PostgreSQL is not installed. On Debian and Ubuntu: apt-get install postgresql")
    try:
        import psycopg  # noqa: F401
    except ImportError as error:
        raise ServiceError("PostgreSQL needs its driver: pip install -c constraints.txt '.[postgresql]'.") from error
    return home


def _make(home: Path, folder: Path, log: Path) -> None:
    """A new cluster, which appears complete or not at all."""
    if folder.is_dir():
        return
    owner = _owner(folder)
    staged = folder.with_name(f".staged-{folder.name}")
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(mode=0o700)
    if owner:
        os.chown(staged, owner["user"], owner["group"])
    command = [str(home / "initdb"), "-D", str(staged), "-U", USER, "-A", "trust", "-E", "UTF8", "--no-locale"]
    with open(log, "ab") as words:
        made = _start(command, words, owner).wait()
    if made:
        shutil.rmtree(staged, ignore_errors=True)
        raise ServiceError(f"PostgreSQL could not make its cluster. Its last words: {last_words(log)}")
    os.rename(staged, folder)


def _owner(folder: Path) -> dict[str, int]:
    """Whom the server runs as: it refuses to be root, and is its own user then.

    Raises:
        ServiceError: that user cannot reach the folder.
    """
    if os.geteuid():
        return {}
    try:
        owner = pwd.getpwnam("postgres")
    except KeyError as error:
        raise ServiceError("PostgreSQL does not run as root, and there is no user 'postgres' for it.") from error
    closed = [parent for parent in folder.parents if not parent.stat().st_mode & 0o001]
    if closed:
        raise ServiceError(
            f"PostgreSQL does not run as root, and its own user cannot enter {closed[0]}. "
            "Take a folder that all can enter, paths.root=FOLDER, or be another user than root."
        )
    return {"user": owner.pw_uid, "group": owner.pw_gid}


def _start(command: Sequence[str], words: Any, owner: dict[str, int]) -> "subprocess.Popen[bytes]":
    """A process in a group of its own: Ctrl-C is for the one who started it."""
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=words,
        stderr=words,
        cwd="/",
        start_new_session=True,
        user=owner.get("user"),
        group=owner.get("group"),
    )


def _wait(server: "subprocess.Popen[bytes]", folder: Path, log: Path) -> None:
    import psycopg

    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and server.poll() is None:
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(host=str(folder), user=USER, dbname="postgres").close()
            return
        time.sleep(0.1)
    raise ServiceError(f"PostgreSQL did not start. Its last words: {last_words(log)}")


def _create(folder: Path, databases: Sequence[str]) -> None:
    import psycopg
    from psycopg.sql import SQL, Identifier

    with psycopg.connect(host=str(folder), user=USER, dbname="postgres", autocommit=True) as connection:
        there = {name for (name,) in connection.execute("SELECT datname FROM pg_database")}
        for name in databases:
            if name not in there:
                connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
