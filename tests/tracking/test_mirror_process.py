import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tracking_kit import LOCAL, QUESTION, STUDY, Look, a_cell, a_result, grid, open_attempt, record_study, wait_for

from pipeline.tracking import Mirror, StudyLog
from pipeline.tracking.ledger import Ledger
from pipeline.tracking.store import Store


def alive(pid: int) -> bool:
    """Whether the process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def started(mirror: Mirror) -> "subprocess.Popen[bytes]":
    assert mirror._process is not None
    return mirror._process


def test_a_first_study_creates_its_store_and_shows_itself_live(tmp_path: Path) -> None:
    StudyLog(tmp_path, STUDY, STUDY).started(QUESTION)
    log = open_attempt(tmp_path, a_cell(), points=2)
    with Mirror.start(LOCAL, tmp_path, STUDY, texts=False) as mirror:
        assert mirror.drain(60)
        look = Look(Store(root=tmp_path).uri)
        assert [run.info.status for run in look.cells()] == ["RUNNING"]
        log.finished(a_result(a_cell()))
        assert mirror.pending() == 1
        assert mirror.drain(30)
        assert [run.info.status for run in look.cells()] == ["FINISHED"]
        process = started(mirror)
    assert process.returncode == 0
    again = Mirror.start(LOCAL, tmp_path, STUDY, texts=False)
    assert again._process is None, "nothing waits, yet a process was started"
    again.close()


def test_a_mirror_that_is_killed_loses_and_doubles_nothing(store: Store) -> None:
    record_study(store.root, grid(sizes=(100, 400), seeds=3))
    mirror = Mirror.start(LOCAL, store.root, STUDY, texts=False)
    assert wait_for(lambda: len(Ledger(store, STUDY).entries) >= 4)
    started(mirror).kill()
    started(mirror).wait()
    left = mirror.pending()
    mirror.close()
    with Mirror.start(LOCAL, store.root, STUDY, texts=False) as second:
        assert second.drain(60)
    look = Look(store.uri)
    assert left > 0
    assert len(look.cells()) == 12
    assert {run.info.status for run in look.runs()} == {"FINISHED"}
    for run in look.cells():
        assert len(look.history(run.info.run_id, "val/accuracy")) == 10


def test_two_mirrors_of_one_store_take_turns(store: Store) -> None:
    record_study(store.root, grid(seeds=3))
    with (
        Mirror.start(LOCAL, store.root, STUDY, texts=False) as first,
        Mirror.start(LOCAL, store.root, STUDY, texts=False) as second,
    ):
        assert first.drain(60)
        assert second.drain(60)
    assert len(Look(store.uri).cells()) == 6


def test_a_mirror_ends_when_its_coordinator_is_killed(store: Store) -> None:
    record_study(store.root, grid())
    code = (
        "import sys, time; from pathlib import Path; from pipeline.config.schema import Tracking;"
        "from pipeline.tracking import Mirror;"
        "m = Mirror.start(Tracking(), Path(sys.argv[1]), 'quickstart', texts=False);"
        "print(m._process.pid, flush=True); time.sleep(600)"
    )
    coordinator = subprocess.Popen(
        [sys.executable, "-c", code, str(store.root)],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.getcwd()},
    )
    assert coordinator.stdout is not None
    pid = int(coordinator.stdout.readline())
    coordinator.kill()
    coordinator.wait()
    coordinator.stdout.close()
    assert wait_for(lambda: not alive(pid))
    assert len(Look(store.uri).cells()) == 2, "its last work is to record what waits"


def test_a_mirror_that_cannot_work_says_so_and_stops_nothing(store: Store) -> None:
    store.database.write_text("this is no database, but a file that somebody put here")
    record_study(store.root, grid())
    begun = time.monotonic()
    with Mirror.start(LOCAL, store.root, STUDY, texts=False) as mirror:
        assert not mirror.drain(60)
        assert "database" in (mirror.problem() or "")
    assert time.monotonic() - begun < 50, "a drain does not wait for a hopeless store"


@pytest.mark.parametrize("module", ["mlflow", "torch", "transformers", "pandas", "hydra"])
def test_the_coordinator_imports_nothing_heavy_to_record(module: str) -> None:
    code = f"import sys, pipeline.tracking, pipeline.tracking.dashboard; sys.exit({module!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
