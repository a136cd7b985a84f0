import asyncio
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
from tracking_kit import LOCAL, STUDY, grid, record_study, wait_for

from pipeline.config.schema import Tracking
from pipeline.errors import ServiceError
from pipeline.tracking import links
from pipeline.tracking.dashboard import serve
from pipeline.tracking.replay import Replay
from pipeline.tracking.store import Store
from pipeline.tracking.web import guarded
from tests.serving import free_port, said_until_ready


def status(url: str, sent: bytes | None = None, **headers: str) -> int:
    """The answer's status."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, sent, headers=headers), timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return int(error.code)


def children(pid: int) -> list[int]:
    return [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.parametrize("stop", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_the_dashboard_says_its_links_serves_loopback_alone_and_stops_whole(store: Store, stop: signal.Signals) -> None:
    record_study(store.root, grid())
    port = free_port()
    code = (
        "import sys; from pathlib import Path; from pipeline.config.schema import Tracking;"
        "from pipeline.tracking.dashboard import serve;"
        "serve(Tracking(port=int(sys.argv[2])), Path(sys.argv[1]), lambda line: print(line, flush=True), texts=False)"
    )
    dashboard = subprocess.Popen(
        [sys.executable, "-c", code, str(store.root), str(port)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.getcwd()},
    )
    text = said_until_ready(dashboard)
    (server,) = children(dashboard.pid)
    base = f"http://127.0.0.1:{port}"
    found = [status(f"{base}{path}") for path in ("/health", "/", "/ajax-api/3.0/mlflow/assistant/config")]
    stranger = status(f"{base}/ajax-api/2.0/mlflow/experiments/get?experiment_id=1", Host=f"10.evil.com:{port}")
    another_page = status(f"{base}/ajax-api/2.0/mlflow/experiments/create", b'{"name": "x"}', Origin="http://evil.com")
    outside = status(f"{base}/api/2.0/mlflow-artifacts/artifacts/..%2f..%2f..%2fetc%2fpasswd")
    dashboard.send_signal(stop)
    code_at_end = dashboard.wait(30)
    assert dashboard.stdout is not None
    dashboard.stdout.close()
    assert found == [200, 200, 404]
    assert stranger == 403
    assert another_page == 403
    assert outside in (400, 404)
    assert f"{base}/#/experiments/2/runs?workflowType=machine_learning&viewStateShareKey=leaderboard-" in text
    assert code_at_end == 0
    assert wait_for(lambda: not Path(f"/proc/{server}").exists())


def test_a_port_in_use_is_named_with_the_remedy(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ServiceError, match=rf"Port {port} .*tracking\.port={port + 1}.*make dashboard ARGS="):
            serve(Tracking(port=port), tmp_path, texts=False)
    assert list(tmp_path.iterdir()) == []


def test_without_tracking_there_is_no_dashboard(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="tracking=none"):
        serve(Tracking(name="none"), tmp_path, texts=False)
    assert links(Tracking(name="none"), tmp_path) == ()


def test_a_shared_server_is_named_and_not_started(tmp_path: Path) -> None:
    said: list[str] = []
    serve(Tracking(name="server", uri="https://u:pw@mlflow.example"), tmp_path, said.append, texts=False)
    assert "https://mlflow.example/#/experiments?workflowType=machine_learning" in "\n".join(said)
    assert "pw" not in "\n".join(said)


def test_links_lead_to_each_study_and_its_views(store: Store) -> None:
    record_study(store.root, grid())
    assert [link.title for link in links(LOCAL, store.root)] == ["All studies"]
    Replay(store).round()
    found = links(LOCAL, store.root, STUDY)
    assert [link.title for link in found] == ["All runs", "Leaderboard", "Pretrained against scratch", "By cell"]
    assert all("workflowType=machine_learning" in link.url for link in found)
    assert all(link.url.startswith("http://127.0.0.1:5000/#/experiments/") for link in found)


@pytest.mark.parametrize(
    ("path", "answered"),
    [
        ("/ajax-api/3.0/mlflow/assistant", False),
        ("/ajax-api/3.0/mlflow/assistant/chat", False),
        ("/gateway/x/mlflow/invocations", False),
        ("/ajax-api/2.0/mlflow/runs/search", True),
        ("/", True),
    ],
)
def test_parts_of_the_server_that_run_programs_are_switched_off(path: str, answered: bool) -> None:
    asked: list[str] = []
    sent: list[dict[str, Any]] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        asked.append(scope["path"])

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(guarded(application)({"type": "http", "path": path}, None, send))  # type: ignore[arg-type]
    assert (asked == [path]) is answered
    assert [m["status"] for m in sent if "status" in m] == ([] if answered else [404])
