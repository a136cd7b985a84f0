"""Several processes, as several machines would, on one PostgreSQL database."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from optuna.storages import RDBStorage
from optuna.trial import Trial, TrialState
from registry_kit import registry, search, seen
from test_trial_registry import process

from pipeline.sweep.trial_lineage import lost
from pipeline.tracking.postgresql import cluster, programs
from tests.serving import open_folder

pytestmark = pytest.mark.service


@contextmanager
def fresh() -> Iterator[str]:
    """The override that names an empty database."""
    if programs() is None:
        pytest.skip("PostgreSQL is not installed")
    with open_folder() as folder, cluster(folder / "postgresql", ["sweeps"]) as databases:
        yield f'sweep.storage="{databases.address("sweeps")}"'


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with fresh() as override:
        yield override


def test_processes_with_folders_of_their_own_begin_at_once_and_run_exactly_the_total(
    database: str, tmp_path: Path
) -> None:
    given = (database, "sweep.trials=60", "sweep.sampler=random", "sweep.restart=false")
    together = [process(tmp_path / str(n), *given) for n in range(4)]
    assert [p.wait(timeout=100) for p in together] == [0] * 4
    found = registry(tmp_path, *given)
    assert [t.state for t in found.trials()] == [TrialState.COMPLETE] * 60
    assert sorted(t.number for t in found.trials()) == list(range(60))
    assert found.study.best_value == max(values[0] for _, values in seen(found))


@pytest.mark.parametrize(("owner", "write"), [(Trial, "set_user_attr"), (RDBStorage, "record_heartbeat")])
def test_a_machine_that_dies_while_it_begins_a_trial_costs_none(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: type, write: str
) -> None:
    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    theirs = registry(tmp_path / "theirs", database, "sweep.trials=2", "sweep.restart=true")
    with monkeypatch.context() as patch:
        patch.setattr(owner, write, dies)
        with pytest.raises(KeyboardInterrupt):
            theirs.begin()
    ours = registry(tmp_path / "ours", database, "sweep.trials=2", "sweep.restart=false")
    search(ours)
    assert len(ours.counted()) == 2
    assert sum(lost(t) for t in ours.trials()) == 1


@pytest.mark.slow
def test_eight_processes_on_a_fresh_database_run_exactly_400_trials(tmp_path: Path) -> None:
    with fresh() as storage:
        given = (storage, "sweep.trials=400", "sweep.sampler=random")
        together = [process(tmp_path / str(n), *given) for n in range(8)]
        assert [p.wait(timeout=600) for p in together] == [0] * 8
        assert [t.state for t in registry(tmp_path, *given).trials()] == [TrialState.COMPLETE] * 400


@pytest.mark.slow
def test_the_trials_of_a_machine_that_fell_silent_come_back(database: str, tmp_path: Path) -> None:
    given = (database, "sweep.trials=2", "sweep.grace_seconds=10", "sweep.restart=true")
    ours = registry(tmp_path / "ours", *given)
    theirs = process(tmp_path / "theirs", *given[:3], "sweep.restart=false", seconds=60)
    end = time.monotonic() + 60
    while not any(t.state == TrialState.RUNNING for t in ours.trials()):
        assert time.monotonic() < end
        time.sleep(0.2)
    theirs.send_signal(signal.SIGKILL)
    theirs.wait()
    while len(ours.counted()) < 2:
        assert time.monotonic() < end + 60
        search(ours)
        time.sleep(1)
    assert sum(lost(t) for t in ours.trials()) == 1
    assert len(ours.counted()) == 2
