"""A PostgreSQL server of our own for a test: a fresh cluster on a free port of loopback, gone afterwards."""

import glob
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.serving import free_port


def programs() -> Path | None:
    """Where Debian keeps initdb and postgres, the newest version; None where there are none."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
    on_path = shutil.which("initdb")
    return Path(found[-1]).parent if found else Path(on_path).parent if on_path else None


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """Yields the address of an empty database. PostgreSQL refuses to run as root: then it runs as its own user."""
    home = programs()
    assert home is not None
    data, port = folder / "cluster", free_port()
    data.mkdir(parents=True)
    as_user = {}
    if os.geteuid() == 0:
        owner = pwd.getpwnam("postgres")
        os.chown(data, owner.pw_uid, owner.pw_gid)
        for parent in [folder, *folder.parents[:3]]:
            os.chmod(parent, os.stat(parent).st_mode | 0o011)
        as_user = {"user": owner.pw_uid, "group": owner.pw_gid}
    made = [str(home / "initdb"), "-D", str(data), "-U", "tester", "-A", "trust", "--no-sync", "-E", "UTF8"]
    subprocess.run(made, check=True, stdout=subprocess.DEVNULL, cwd="/", **as_user)  # type: ignore[call-overload]
    options = ["-h", "127.0.0.1", "-p", str(port), "-k", str(data), "-F"]
    running = subprocess.Popen(  # type: ignore[call-overload]
        [str(home / "postgres"), "-D", str(data), *options], stderr=subprocess.DEVNULL, cwd="/", **as_user
    )
    try:
        _wait_for(port)
        yield f"postgresql://tester@127.0.0.1:{port}/postgres"
    finally:
        running.send_signal(signal.SIGINT)  # at once, clients or not
        running.wait(timeout=30)


def _wait_for(port: int) -> None:
    import psycopg

    end = time.monotonic() + 30
    while True:
        try:
            psycopg.connect(host="127.0.0.1", port=port, user="tester", dbname="postgres").close()
            return
        except psycopg.OperationalError:
            assert time.monotonic() < end, "PostgreSQL did not start in time"
            time.sleep(0.1)
