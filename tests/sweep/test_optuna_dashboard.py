"""Optuna's dashboard over our sweeps: loopback alone, reading only, gone with its signal."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from registry_kit import registry, search

from pipeline.config.schema import Sweep
from pipeline.errors import ConfigError, ServiceError, UserError
from pipeline.sweep.dashboard import serve
from tests.serving import free_port, said_until_ready


def answer(url: str, method: str = "GET", **headers: str) -> tuple[int, bytes]:
    """Status and body."""
    request = urllib.request.Request(url, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as found:
            return int(found.status), found.read()
    except urllib.error.HTTPError as error:
        return int(error.code), error.read()


@pytest.fixture
def shown(tmp_path: Path) -> Any:
    """The dashboard of one sweep of four trials, as a process, and what it said."""
    search(registry(tmp_path, "sweep.trials=4"))
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline", "sweep-dashboard", f"paths.root={tmp_path}", f"sweep.port={port}"],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.getcwd(), "PYTHONUNBUFFERED": "1"},
    )
    with process:
        yield process, port, said_until_ready(process)
        process.kill()


def test_every_sweep_has_a_link_and_its_trials_are_served(shown: Any) -> None:
    _, port, said = shown
    assert f"http://127.0.0.1:{port}/dashboard/studies/1" in said
    status, body = answer(f"http://127.0.0.1:{port}/api/studies/1")
    assert status == 200
    assert len(json.loads(body)["trials"]) == 4
    assert json.loads(body)["objective_names"] == ["score"]
    assert answer(f"http://127.0.0.1:{port}/dashboard")[0] == 200


def test_it_changes_no_sweep_and_answers_no_stranger(shown: Any, tmp_path: Path) -> None:
    process, port, _ = shown
    base = f"http://127.0.0.1:{port}"
    assert answer(f"{base}/api/studies/1", "DELETE")[0] == 403
    assert answer(f"{base}/api/studies", "POST")[0] == 403
    assert answer(f"{base}/api/studies", Host="10.evil.com")[0] == 403
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    assert len(registry(tmp_path, "sweep.trials=4").counted()) == 4


def test_without_a_sweep_it_says_how_to_run_one_and_makes_nothing(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"There is no sweep yet: .*optuna\.db is missing\. Run one first"):
        serve(Sweep(), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_port_in_use_is_named_with_the_remedy(tmp_path: Path) -> None:
    search(registry(tmp_path, "sweep.trials=1"))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ServiceError, match=rf"Port {port} .*sweep\.port={port + 1}.*make sweep-dashboard ARGS="):
            serve(Sweep(port=port), tmp_path)


def test_where_it_is_not_installed_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna_dashboard", None)
    with pytest.raises(ConfigError, match=r"pip install -c constraints.txt '.\[sweep-dashboard\]'"):
        serve(Sweep(), tmp_path)
