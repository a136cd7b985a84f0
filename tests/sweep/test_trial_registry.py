"""The total of a sweep is exact, whoever works on it and whoever dies."""

import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from optuna.trial import TrialState
from registry_kit import registry, search, seen

from pipeline.errors import ConfigError, StorageError
from pipeline.sweep.trial_lineage import lost
from pipeline.sweep.trial_registry import FROM_RECIPE, PRUNER, RETRIES, SAMPLER


def process(root: Path, *overrides: str, seconds: float = 0.0) -> "subprocess.Popen[bytes]":
    """A process that works on the sweep."""
    here = str(Path(__file__).with_name("registry_kit.py"))
    return subprocess.Popen([sys.executable, here, str(root), str(seconds), *overrides], env=_environment())


def _environment() -> dict[str, str]:
    import os

    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}


def test_a_sweep_has_as_many_trials_as_were_asked_for_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    assert search(registry(tmp_path, "sweep.trials=5")) == 5
    assert search(registry(tmp_path, "sweep.trials=5")) == 0
    assert search(registry(tmp_path, "sweep.trials=8")) == 3
    assert len(registry(tmp_path, "sweep.trials=8").counted()) == 8


@pytest.mark.parametrize(
    "sampler",
    ["tpe", "random", *(pytest.param(name, marks=pytest.mark.slow) for name in ("gp", "cmaes", "quasi_random"))],
)
def test_one_worker_and_one_seed_give_the_same_trials_again_interrupted_or_not(sampler: str, tmp_path: Path) -> None:
    given = ("sweep.trials=12", f"sweep.sampler={sampler}", "sweep.seed=3", "sweep.startup_trials=4")
    search(registry(tmp_path / "whole", *given))
    for _ in range(4):
        search(registry(tmp_path / "parts", *given), most=3)
    assert seen(registry(tmp_path / "parts", *given)) == seen(registry(tmp_path / "whole", *given))
    other = registry(tmp_path / "other", *given, "sweep.seed=4")
    search(other)
    assert seen(other) != seen(registry(tmp_path / "whole", *given))


@pytest.mark.parametrize("sampler", ["grid", "brute_force"])
def test_a_finite_space_is_gone_through_once(sampler: str, tmp_path: Path) -> None:
    finite = "{train.lr: {choice: [0.1, 0.01, 0.001]}, train.warmup: {uniform: [0, 0.5], step: 0.25}}"
    found = registry(tmp_path, f"sweep.sampler={sampler}", "sweep.trials=100", space=finite)
    assert found.asked == 9
    assert search(found) == 9
    assert len({str(params) for params, _ in seen(found)}) == 9


def test_a_setting_with_a_condition_is_tried_only_where_it_holds(tmp_path: Path) -> None:
    patience = "train.patience: {integer: [1, 5], when: {train.decay: cosine}}"
    space = "{train.decay: {choice: [linear, cosine]}, " + patience + "}"
    found = registry(tmp_path, "sweep.trials=30", space=space)
    search(found)
    assert {params["train.decay"] for params, _ in seen(found)} == {"linear", "cosine"}
    assert all(("train.patience" in params) == (params["train.decay"] == "cosine") for params, _ in seen(found))


def test_the_arms_own_recipe_is_the_first_trial(tmp_path: Path) -> None:
    found = registry(tmp_path, "sweep.trials=2")
    search(found)
    assert seen(found)[0][0] == {"train.lr": 2e-4, "train.warmup": 0.1}


def test_trials_of_a_dead_process_are_begun_again_with_their_values_and_do_not_count(tmp_path: Path) -> None:
    dying = process(tmp_path, "sweep.trials=3", seconds=60)
    found = _when_it_has_begun(tmp_path)
    (left,) = [t for t in found.trials() if t.state == TrialState.RUNNING]
    dying.send_signal(signal.SIGKILL)
    dying.wait()
    assert search(found) == 3
    trials = found.trials()
    assert len(found.counted()) == 3
    assert lost(trials[left.number])
    (again,) = [t for t in trials if t.user_attrs.get(RETRIES) == 1]
    assert again.params == left.params


def _when_it_has_begun(root: Path) -> "object":
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if (root / "sweeps" / "optuna.db").is_file():
            found = registry(root, "sweep.trials=3")
            if any(t.state == TrialState.RUNNING and "train.warmup" in t.params for t in found.trials()):
                return found
        time.sleep(0.2)
    raise AssertionError("it did not begin in time")


def test_a_trial_that_its_process_only_just_created_is_not_left_running(tmp_path: Path) -> None:
    found = registry(tmp_path, "sweep.trials=2")
    found.study.ask()  # and here its process dies, before it said who it is
    assert search(found) == 2
    assert [t.state for t in found.trials()].count(TrialState.RUNNING) == 0
    assert len(found.counted()) == 2


def test_a_failed_trial_counts_and_keeps_its_reason(tmp_path: Path) -> None:
    found = registry(tmp_path, "sweep.trials=3")
    begun = found.begin()
    assert begun
    found.finish(begun[0], None, TrialState.FAIL, "The loss is nan.")
    assert search(found) == 2
    assert [t.user_attrs.get("reason") for t in found.counted()] == ["The loss is nan.", None, None]


def test_processes_that_begin_at_once_on_a_fresh_storage_run_exactly_the_total(tmp_path: Path) -> None:
    together = [process(tmp_path, "sweep.trials=24", "sweep.sampler=random") for _ in range(3)]
    assert [p.wait(timeout=100) for p in together] == [0, 0, 0]
    found = registry(tmp_path, "sweep.trials=24")
    assert [t.state for t in found.trials()] == [TrialState.COMPLETE] * 24


@pytest.mark.slow
def test_processes_killed_at_random_moments_leave_the_total_exact(tmp_path: Path) -> None:
    chance = random.Random(7)
    for _ in range(20):
        running = process(tmp_path, "sweep.trials=60", "sweep.sampler=random", seconds=0.01)
        time.sleep(chance.uniform(1.0, 4.0))
        running.kill()
        running.wait()
    assert process(tmp_path, "sweep.trials=60", "sweep.sampler=random").wait() == 0
    found = registry(tmp_path, "sweep.trials=60")
    assert len(found.counted()) == 60
    assert found.study.best_value == max(v[0] for _, v in seen(found))


def test_a_name_of_another_sweep_is_refused_with_both_ways_out(tmp_path: Path) -> None:
    search(registry(tmp_path, "sweep.trials=2"))
    with pytest.raises(ConfigError, match=r"sweep\.name=NAME.*sweep\.restart=true"):
        registry(tmp_path, contract="another")
    assert registry(tmp_path, "sweep.restart=true", contract="another").counted() == []


def test_a_storage_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "sweeps").mkdir()
    (tmp_path / "sweeps" / "optuna.db").write_text("not a database, though long enough to be looked at" * 40)
    with pytest.raises(StorageError, match=r"optuna\.db cannot be used"):
        registry(tmp_path)


def test_a_storage_that_another_program_keeps_locked_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sqlite3

    search(registry(tmp_path, "sweep.trials=1"))
    monkeypatch.setattr("pipeline.sweep.storage._WAIT", 1)
    with sqlite3.connect(tmp_path / "sweeps" / "optuna.db") as database:
        database.execute("begin exclusive")
        with pytest.raises(StorageError, match=r"cannot be used: database is locked"):
            search(registry(tmp_path, "sweep.trials=2"))


@pytest.mark.slow
def test_a_storage_that_is_locked_for_half_a_minute_is_waited_for(tmp_path: Path) -> None:
    import sqlite3

    search(registry(tmp_path, "sweep.trials=1"))
    with sqlite3.connect(tmp_path / "sweeps" / "optuna.db", check_same_thread=False) as database:
        database.execute("begin exclusive")
        over = threading.Timer(30, database.rollback)
        over.start()
        search(registry(tmp_path, "sweep.trials=3"))
        over.join()
    assert len(registry(tmp_path, "sweep.trials=3").counted()) == 3


def test_a_storage_of_another_version_says_how_to_go_on(tmp_path: Path) -> None:
    import sqlite3

    search(registry(tmp_path, "sweep.trials=1"))
    with sqlite3.connect(tmp_path / "sweeps" / "optuna.db") as database:
        database.execute("update alembic_version set version_num = 'v0.9.0.a'")
        database.execute("update version_info set library_version = '0.9.0'")
    with pytest.raises(StorageError, match="another version of Optuna"):
        registry(tmp_path)


def test_a_storage_that_cannot_be_reached_is_named_without_its_password(tmp_path: Path) -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(StorageError, match="cannot be used") as caught:
        registry(tmp_path, "sweep.storage=postgresql://me:hush@127.0.0.1:9/none")
    assert "hush" not in str(caught.value)


def test_trials_of_two_samplers_are_recorded_as_such(tmp_path: Path) -> None:
    search(registry(tmp_path, "sweep.trials=4", "sweep.sampler=tpe"))
    over = registry(tmp_path, "sweep.trials=4", "sweep.sampler=random")
    assert (over.came_from(SAMPLER), over.came_from(PRUNER)) == ("tpe", "median")
    more = registry(tmp_path, "sweep.trials=6", "sweep.sampler=random")
    search(more)
    assert more.came_from(SAMPLER) == "tpe, random"


def test_a_recipe_outside_of_the_space_is_not_said_to_have_been_tried(tmp_path: Path) -> None:
    inside, outside = (f"{{train.lr: {{log: [{low}, {high}]}}}}" for low, high in ((1e-5, 1e-1), (1e-7, 1e-6)))
    assert registry(tmp_path / "in", "sweep.trials=2", space=inside).came_from(FROM_RECIPE)
    assert not registry(tmp_path / "out", "sweep.trials=2", space=outside).came_from(FROM_RECIPE)
