import os
import socket
from pathlib import Path

import pytest
from tracking_kit import STUDY, Look, grid, record_study, wait_for

from pipeline.config.schema import Tracking
from pipeline.errors import ServiceError
from pipeline.tracking import Mirror
from pipeline.tracking.ledger import Ledger
from pipeline.tracking.store import Store, store_from, store_of
from tests.serving import a_server, free_port, kill_group

PASSWORD = "s3cr3t-pass-w0rd"


def files_that_say(text: str, folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]


def command_lines() -> str:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            found.append((folder / "cmdline").read_text())
        except OSError:
            continue
    return "\n".join(found)


@pytest.mark.slow
def test_a_server_lost_in_mid_replay_gets_everything_once_when_it_is_back(store: Store, tmp_path: Path) -> None:
    root, port = tmp_path / "client", free_port()
    tracking = Tracking(name="server", uri=f"http://ann:{PASSWORD}@127.0.0.1:{port}/")
    remote = store_of(tracking, root)
    assert remote is not None
    record_study(root, grid(sizes=(100, 400), seeds=3))
    with Mirror.start(tracking, root, STUDY, texts=False) as mirror:
        assert wait_for(mirror.problem), "nobody listens yet"
        with a_server(store, port) as server:
            mirror.wake()
            assert wait_for(lambda: mirror.wake() or len(Ledger(remote, STUDY).entries) >= 4)
            kill_group(server)
            left = mirror.pending()
        with a_server(store, port):
            assert wait_for(lambda: mirror.wake() or mirror.pending() == 0)
            look = Look(f"http://127.0.0.1:{port}")
            assert left > 0
            assert len(look.cells()) == 12
            assert {run.info.status for run in look.runs()} == {"FINISHED"}
            for run in look.cells():
                assert len(look.history(run.info.run_id, "val/accuracy")) == 10
            assert "report.html" in look.artifacts(look.study().info.run_id)
            assert PASSWORD not in command_lines()
    assert files_that_say(PASSWORD, tmp_path) == []
    assert files_that_say("ann", root / "tracking" / "ledger") == []


def test_an_unreachable_server_stops_nothing_and_is_named_without_its_password(tmp_path: Path) -> None:
    tracking = Tracking(name="server", uri=f"http://ann:{PASSWORD}@127.0.0.1:{free_port()}")
    record_study(tmp_path, grid())
    with Mirror.start(tracking, tmp_path, STUDY, texts=False) as mirror:
        waiting = mirror.pending()
        assert not mirror.drain(30)
        assert mirror.pending() == waiting
        problem = mirror.problem() or ""
    assert "127.0.0.1" in problem
    assert PASSWORD not in problem
    assert files_that_say(PASSWORD, tmp_path) == []


def test_credentials_travel_in_the_environment_alone(tmp_path: Path) -> None:
    store = store_of(Tracking(name="server", uri="https://ann%40x:p%2Fw@mlflow.example:8443/base/?a=b"), tmp_path)
    assert store is not None
    assert store.address == "https://mlflow.example:8443/base"
    assert store.environment["MLFLOW_TRACKING_USERNAME"] == "ann@x"
    assert store.environment["MLFLOW_TRACKING_PASSWORD"] == "p/w"
    assert "p/w" not in repr(store)
    assert store_from(store.environment, tmp_path).uri == store.address


@pytest.mark.parametrize("texts", [True, False])
def test_the_process_that_replays_knows_whether_texts_may_be_sent(
    tmp_path: Path, texts: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADSTART_TRACKING_TEXTS", "1")  # of a command around this one
    store = store_of(Tracking(), tmp_path, texts=texts)
    assert store is not None
    assert store_from(store.environment, tmp_path).texts is texts


@pytest.mark.parametrize(
    "uri", [f"postgresql://ann:{PASSWORD}@db/x", f"//{PASSWORD}@host", "", f"http://u:{PASSWORD}@h:x"]
)
def test_an_address_that_is_no_server_is_refused_without_showing_it(tmp_path: Path, uri: str) -> None:
    with pytest.raises(ServiceError, match=r"tracking\.uri=http") as caught:
        Mirror.start(Tracking(name="server", uri=uri), tmp_path, texts=False)
    assert PASSWORD not in str(caught.value)


def test_a_local_store_ignores_a_tracking_address_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://somewhere.example")
    store = store_of(Tracking(), tmp_path)
    assert store is not None
    assert "MLFLOW_TRACKING_URI" not in store.environment
    assert store_from(store.environment, tmp_path).uri.startswith("sqlite:///")


def test_a_server_that_accepts_but_never_answers_holds_nothing_up(tmp_path: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        tracking = Tracking(name="server", uri=f"http://127.0.0.1:{silent.getsockname()[1]}")
        record_study(tmp_path, grid())
        mirror = Mirror.start(tracking, tmp_path, STUDY, texts=False)
        assert not mirror.drain(1.0)
        mirror.close(0.5)
    assert os.path.isdir(tmp_path / "tracking" / "spool")
