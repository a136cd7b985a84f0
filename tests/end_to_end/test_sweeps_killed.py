"""A sweep whose processes are killed goes on to exactly its total."""

import random
import signal
import sqlite3
import time
from pathlib import Path

import pytest
from command_kit import command, family, runs, start, wait_until
from sweep_kit import comes_to_the_same_alone, record, world

from pipeline.storage.results import ResultStore

__all__ = ["world"]

Capture = pytest.CaptureFixture[str]


@pytest.mark.slow
def test_a_sweep_killed_in_the_middle_goes_on_to_exactly_its_total(
    world: list[str], tmp_path: Path, capsys: Capture
) -> None:
    given = [*world, "tracking=local", "train.min_steps=100"]
    process = start("sweep", *given)
    results = ResultStore(tmp_path)
    wait_until(lambda: process.poll() is not None or len(results.ids()) > 0)
    assert process.poll() is None, process.communicate()
    for left in family(process):
        left.send_signal(signal.SIGKILL)
    process.wait()
    assert command(capsys, "sweep", *given).code == 0
    trials = record(tmp_path)["trials"]
    assert len(trials) == 4
    assert {t["state"] for t in trials} == {"complete"}
    finished = [name for name, status in runs(tmp_path, "trial") if status == "FINISHED"]
    assert len(finished) == len(set(finished)) == len({c for t in trials for c in t["cells"]})
    assert {status for _, status in runs(tmp_path, "trial")} <= {"FINISHED", "KILLED"}


@pytest.mark.slow
def test_a_worker_killed_in_the_middle_costs_its_sweep_no_trial(
    world: list[str], tmp_path: Path, capsys: Capture
) -> None:
    process = start("sweep", *world, "train.min_steps=60", "executor.workers=1", "sweep.trials=2")
    log = tmp_path / "logs"
    wait_until(lambda: process.poll() is not None or (log.is_dir() and any(log.iterdir())))
    victims = [p for p in family(process) if p.ppid() != process.pid and p.pid != process.pid]
    assert victims
    max(victims, key=lambda p: p.create_time()).kill()
    out, err = process.communicate(timeout=100)
    assert process.returncode == 0, (out, err)
    assert "was lost with its worker and is begun again" in err
    assert {t["state"] for t in record(tmp_path)["trials"]} == {"complete"}
    assert len(record(tmp_path)["trials"]) == 2


@pytest.mark.soak
@pytest.mark.parametrize("pruner", ["median", "pausing"])
def test_twenty_kills_of_any_process_leave_a_sweep_with_exactly_its_trials(
    world: list[str], tmp_path: Path, capsys: Capture, pruner: str
) -> None:
    chance = random.Random(11)
    given = [*world, "tracking=local", "train.min_steps=60", "sweep.trials=60", f"sweep.pruner={pruner}"]
    for _ in range(20):
        process = start("sweep", *given)
        time.sleep(chance.uniform(6, 20))
        victims = family(process)
        if victims:
            chance.choice(victims).kill()
        time.sleep(chance.uniform(0, 5))
        process.kill()  # and the coordinator after it, whoever went first
        process.communicate(timeout=600)
        wait_until(lambda: family(process) == [], 30)  # noqa: B023 - called within this turn
    done = command(capsys, "sweep", *given)
    assert done.code == 0
    left = record(tmp_path)
    assert len(left["trials"]) == 60
    assert len({t["number"] for t in left["trials"]}) == 60
    complete = {c for t in left["trials"] if t["state"] == "complete" for c in t["cells"]}
    assert set(ResultStore(tmp_path).ids()) >= complete
    with sqlite3.connect(tmp_path / "sweeps" / "optuna.db") as store:
        (best,) = store.execute("select max(value) from trial_values").fetchone()
    assert next(t["values"][0] for t in left["trials"] if t["number"] == left["best"][0]) == best
    assert {status for _, status in runs(tmp_path, "trial")} <= {"FINISHED", "KILLED"}
    if pruner == "pausing":
        assert sum(t["state"] == "complete" for t in left["trials"]) == 60 // 6, "the recipe is not in this space"
        assert list((tmp_path / "checkpoints").iterdir()) == []
    assert comes_to_the_same_alone(done.out, tmp_path)
