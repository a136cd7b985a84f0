"""MLflow on PostgreSQL, as a team would have it, tried on one machine."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from tracking_kit import STUDY, Look, grid, record_study, wait_for

from pipeline.config.schema import Tracking
from pipeline.errors import ServiceError
from pipeline.tracking import Mirror, postgresql
from pipeline.tracking.postgresql import cluster, programs
from tests.serving import free_port, open_folder, said_until_ready

pytestmark = pytest.mark.service


@contextmanager
def services(root: Path, port: int) -> Iterator["tuple[subprocess.Popen[str], str]"]:
    """The command, once it is ready, and what it said."""
    if programs() is None:
        pytest.skip("PostgreSQL is not installed")
    command = [sys.executable, "-m", "pipeline", "services", f"paths.root={root}", f"tracking.port={port}"]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        yield running, said_until_ready(running)
    finally:
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=60)


@pytest.mark.slow
def test_runs_are_kept_in_postgresql_and_are_there_again_after_a_stop(tmp_path: Path) -> None:
    port = free_port()
    tracking = Tracking(name="server", uri=f"http://127.0.0.1:{port}")
    record_study(tmp_path, grid())
    with open_folder() as root:
        with services(root, port) as (running, said):
            assert f"tracking.uri=http://127.0.0.1:{port}" in said
            assert f'sweep.storage="postgresql://headstart@/sweeps?host={root}/services/postgresql"' in said
            with Mirror.start(tracking, tmp_path, STUDY, texts=False) as mirror:
                assert mirror.drain(60), mirror.problem()
            started = psutil.Process(running.pid).children(recursive=True)
            assert any("postgres" in process.name() for process in started)
        assert running.returncode == 0
        assert wait_for(lambda: not any(process.is_running() for process in started))
        with services(root, port):
            look = Look(f"http://127.0.0.1:{port}")
            assert {run.info.status for run in look.runs()} == {"FINISHED"}
            assert len(look.cells()) == len(grid())
            assert "report.html" in look.artifacts(look.study().info.run_id)
        assert not list((root / "services").rglob("*.db"))


def test_what_is_not_installed_is_named_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql, "programs", lambda: None)
    with pytest.raises(ServiceError, match="apt-get install postgresql"), cluster(tmp_path / "cluster", ()):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_folder_whose_name_is_too_long_for_a_socket_is_refused(tmp_path: Path) -> None:
    if programs() is None:
        pytest.skip("PostgreSQL is not installed")
    with pytest.raises(ServiceError, match=r"paths\.root=FOLDER"), cluster(tmp_path / ("x" * 100), ()):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's folders are closed to PostgreSQL's user")
def test_a_folder_that_postgresql_cannot_enter_is_named() -> None:
    if programs() is None:
        pytest.skip("PostgreSQL is not installed")
    with open_folder() as folder:
        closed = folder / "closed"
        closed.mkdir(mode=0o700)
        with pytest.raises(ServiceError, match=f"cannot enter {closed}"), cluster(closed / "cluster", ()):
            pass
        assert [path.name for path in closed.iterdir() if path.is_dir()] == []
