"""`sweep` from the command line: exact totals, resumption, pruning, failures, and the line to paste into `train`."""

import json
import random
import shlex
import signal
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest
from command_kit import command, family, runs, start, wait_until

from pipeline.config.schema import Tracking
from pipeline.tracking import links
from pipeline.training.results import ResultStore
from tests import tiny

Capture = pytest.CaptureFixture[str]
NAME = "classification-scratch-48"
GOOD_AND_BAD = "[2e-3, 3e-3, 4e-3, 5e-3, 1e-9, 2e-9, 3e-9]"  # learning rates


@pytest.fixture
def world(tiny_base: Path, reviews: Path, tmp_path: Path) -> list[str]:
    """A sweep of the scratch arm on the tiny base, a second a trial."""
    return [
        *tiny.overrides(tiny_base, reviews, tmp_path),
        "arm=scratch",
        "train.size=48",
        "train.min_steps=12",
        "sweep.space={train.lr: {log: [1e-4, 1e-1]}, train.epochs: {choice: [2, 3]}}",
        "sweep.only=[train.lr,train.epochs]",
        "sweep.trials=4",
        "sweep.pruner=none",
    ]


def only_rates(world: list[str], choice: str) -> list[str]:
    """The same sweep over these learning rates alone, each once, and nothing that would keep a mad one in bounds."""
    given = [a for a in world if "log:" not in a and not a.startswith("sweep.only")]
    space = f"sweep.space={{train.lr: {{choice: {choice}}}}}"
    return [*given, space, "sweep.only=[train.lr]", "train.clip=1e30", "sweep.sampler=grid", "sweep.from_recipe=false"]


def record(root: Path, name: str = NAME) -> dict[str, Any]:
    """What the sweep left."""
    return dict(json.loads((root / "sweeps" / name / "sweep.json").read_text(encoding="utf-8")))


def parameters(root: Path, name: str) -> list[str]:
    """What the dashboard's runs say of this setting."""
    with sqlite3.connect(root / "tracking" / "mlflow.db") as store:
        return [str(value) for (value,) in store.execute("select value from params where key = ?", (name,))]


def test_a_sweep_ends_with_its_best_trial_and_a_line_that_trains_it(
    world: list[str], tmp_path: Path, capsys: Capture
) -> None:
    done = command(capsys, "sweep", *world)
    assert done.code == 0, done
    left = record(tmp_path)
    assert [t["state"] for t in left["trials"]] == ["complete"] * 4
    best = max(left["trials"], key=lambda t: (t["values"][0], -t["number"]))
    assert left["best"] == [best["number"]]
    kept = {name for name in ResultStore(tmp_path).ids() if ResultStore(tmp_path).weights(name)}
    assert kept == set(best["cells"])
    line = next(text for text in done.out.splitlines() if text.startswith("Best:"))
    arguments = shlex.split(line.partition(" train ")[2].replace("'", "'"))
    assert not any(a.startswith("sweep.") for a in arguments)
    again = command(capsys, "train", *[a for a in world if not a.startswith("sweep.")],
                    *left["overrides"].split())  # fmt: skip
    assert again.code == 0
    store = ResultStore(tmp_path)
    trial = store.result(best["cells"][0])
    (alone,) = (r for r in map(store.result, store.ids()) if store.cell(r.cell_id).tested)
    shared = {p.examples: p for p in alone.trajectory}
    assert [p.validation_score for p in trial.trajectory] == [
        shared[p.examples].validation_score for p in trial.trajectory
    ]
    assert max(p.validation_score for p in trial.trajectory) == best["values"][0]


def test_a_trial_sees_validation_at_the_regular_points_and_no_test(
    world: list[str], tmp_path: Path, capsys: Capture
) -> None:
    assert command(capsys, "sweep", *world, "train.eval_every=48", "sweep.trials=1").code == 0
    (cell,) = ResultStore(tmp_path).ids()
    result = ResultStore(tmp_path).result(cell)
    assert [e.role for e in result.evaluations] == ["validation"]
    assert all(p.examples % 48 == 0 for p in result.trajectory)
    done = command(capsys, "export", *[a for a in world if not a.startswith("sweep.")], f"cell={cell}")
    assert done.code == 2
    assert "is a trial of a sweep: it was never tested" in done.err


def test_a_sweep_that_has_its_total_begins_nothing_and_a_larger_total_adds_the_rest(
    world: list[str], tmp_path: Path, capsys: Capture
) -> None:
    assert command(capsys, "sweep", *world).code == 0
    first = record(tmp_path)
    done = command(capsys, "sweep", *world)
    assert done.code == 0
    assert "trial 0" not in done.err
    assert record(tmp_path) == first
    assert command(capsys, "sweep", *world, "sweep.trials=6").code == 0
    assert [t["number"] for t in record(tmp_path)["trials"]] == list(range(6))
    assert record(tmp_path)["trials"][:4] == first["trials"]


def test_a_suggestion_that_comes_again_is_not_trained_again(world: list[str], tmp_path: Path, capsys: Capture) -> None:
    given = [a for a in world if "log:" not in a]
    given += ["sweep.space={train.lr: {choice: [1e-3]}, train.epochs: {choice: [2]}}", "sweep.from_recipe=false"]
    assert command(capsys, "sweep", *given, "executor.workers=1").code == 0
    trials = record(tmp_path)["trials"]
    assert len(trials) == 4
    assert len({cell for t in trials for cell in t["cells"]}) == 1
    assert len(ResultStore(tmp_path).ids()) == 1


def test_a_sweep_prunes_what_falls_behind_and_a_pruned_cell_is_no_result(
    world: list[str], tmp_path: Path, capsys: Capture
) -> None:
    given = [
        *(a for a in only_rates(world, GOOD_AND_BAD) if not a.startswith(("sweep.pruner", "train.min_steps"))),
        "sweep.pruner=median",
        "sweep.startup_trials=2",
        "sweep.warmup_examples=400",
        "sweep.trials=7",
        "train.min_steps=60",
        "train.eval_every=48",
        "train.clip=1",
        "executor.workers=1",
        "tracking=local",
    ]
    done = command(capsys, "sweep", *given)
    assert done.code == 0, done
    trials = record(tmp_path)["trials"]
    pruned = [t for t in trials if t["state"] == "pruned"]
    assert len(trials) == 7
    assert pruned
    assert all(t["params"]["train.lr"] < 1e-6 and t["values"] == [] and 400 < t["steps"][-1] < 960 for t in pruned)
    results = ResultStore(tmp_path)
    assert {t["params"]["train.lr"] for t in trials if t["state"] == "complete"} >= {2e-3, 3e-3, 4e-3, 5e-3}
    complete = {c for t in trials if t["state"] == "complete" for c in t["cells"]}
    assert set(results.ids()) == complete
    statuses = [status for name, status in runs(tmp_path, "trial")]
    assert statuses.count("KILLED") == len(pruned)
    assert [link.title for link in links(Tracking(), tmp_path)] == ["All runs", "Leaderboard of trials"]
    assert sorted(map(float, parameters(tmp_path, "train.lr"))) == sorted(json.loads(GOOD_AND_BAD))
    assert [status for _, status in runs(tmp_path, "sweep")] == ["FINISHED"]


def test_a_trial_is_the_mean_over_its_seeds(world: list[str], tmp_path: Path, capsys: Capture) -> None:
    assert command(capsys, "sweep", *world, "sweep.seeds=[0,1,2]", "sweep.trials=2").code == 0
    results = ResultStore(tmp_path)
    for trial in record(tmp_path)["trials"]:
        assert len(trial["cells"]) == 3
        assert {results.result(cell).key.seed for cell in trial["cells"]} == {0, 1, 2}
        scores = [
            next(e.metrics["accuracy"] for e in results.result(c).evaluations if e.role == "validation")
            for c in trial["cells"]
        ]
        assert trial["values"][0] == pytest.approx(sum(scores) / 3)


def test_two_objectives_end_in_a_pareto_front(world: list[str], tmp_path: Path, capsys: Capture) -> None:
    done = command(capsys, "sweep", *world, "sweep.objectives=[score,flops]", "sweep.trials=5")
    assert done.code == 0
    left = record(tmp_path)
    front = [t["values"] for t in left["trials"] if t["number"] in left["best"]]
    for trial in left["trials"]:
        dominated = any(
            f[0] >= trial["values"][0] and f[1] <= trial["values"][1] and f != trial["values"] for f in front
        )
        assert dominated == (trial["values"] not in front)


def test_trials_over_a_constraint_are_never_the_best(world: list[str], tmp_path: Path, capsys: Capture) -> None:
    given = [a for a in world if "log:" not in a and not a.startswith(("train.min", "sweep.only"))]
    given += ["sweep.space={train.epochs: {choice: [2, 30]}}", "sweep.only=[train.epochs]"]
    given += ["sweep.sampler=grid", "sweep.from_recipe=false"]
    assert command(capsys, "sweep", *given).code == 0
    cheap = min(t["cells"][0] for t in record(tmp_path)["trials"] if t["params"]["train.epochs"] == 2)
    most = ResultStore(tmp_path).result(cheap).cost.flops
    assert command(capsys, "sweep", *given, f"sweep.constraints.flops={most * 1.01}", "sweep.name=bound").code == 0
    left = record(tmp_path, "bound")
    assert {t["params"]["train.epochs"]: t["feasible"] for t in left["trials"]} == {2: True, 30: False}
    assert [left["trials"][n]["params"]["train.epochs"] for n in left["best"]] == [2]


def test_failed_trials_keep_their_reasons_and_the_rest_goes_on(
    world: list[str], tmp_path: Path, capsys: Capture
) -> None:
    given = only_rates(world, "[1e-3, 1e30]")
    done = command(capsys, "sweep", *given)
    assert done.code == 0
    states = {t["params"]["train.lr"]: (t["state"], t["reason"]) for t in record(tmp_path)["trials"]}
    assert states[1e-3] == ("complete", "")
    assert states[1e30][0] == "failed"
    assert "the training diverged" in states[1e30][1]
    assert "the training diverged" in done.out


def test_a_sweep_whose_trials_all_failed_says_so_and_names_no_best(
    world: list[str], tmp_path: Path, capsys: Capture
) -> None:
    given = only_rates(world, "[1e29, 1e30]")
    done = command(capsys, "sweep", *given)
    assert done.code == 1
    assert "there is no best one" in done.out
    assert "Best:" not in done.out
    assert record(tmp_path)["best"] == []


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


def test_two_processes_of_ddp_prune_together_and_begin_one_sweep(
    world: list[str], tmp_path: Path, capsys: Capture
) -> None:
    given = [
        *(a for a in only_rates(world, "[3e-3, 1e-9]") if not a.startswith(("sweep.pruner", "train.min", "hardware"))),
        "hardware=ddp_cpu",
        "train.lr=3e-3",
        "sweep.from_recipe=true",
        "sweep.sampler=random",
        "sweep.pruner=median",
        "sweep.startup_trials=1",
        "sweep.warmup_examples=400",
        "sweep.trials=2",
        "train.min_steps=60",
        "train.eval_every=48",
        "train.clip=1",
        "executor.workers=1",
    ]
    done = command(capsys, "sweep", *given)
    assert done.code == 0, done
    trials = record(tmp_path)["trials"]
    assert len(trials) == 2
    assert [(t["params"]["train.lr"], t["state"]) for t in trials] == [(3e-3, "complete"), (1e-9, "pruned")]


@pytest.mark.soak
def test_twenty_kills_of_any_process_leave_a_sweep_with_exactly_its_trials(
    world: list[str], tmp_path: Path, capsys: Capture
) -> None:
    chance = random.Random(11)
    given = [*world, "tracking=local", "train.min_steps=60", "sweep.trials=60", "sweep.pruner=median"]
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
    assert command(capsys, "sweep", *given).code == 0
    left = record(tmp_path)
    assert len(left["trials"]) == 60
    assert len({t["number"] for t in left["trials"]}) == 60
    complete = {c for t in left["trials"] if t["state"] == "complete" for c in t["cells"]}
    assert set(ResultStore(tmp_path).ids()) >= complete
    with sqlite3.connect(tmp_path / "sweeps" / "optuna.db") as store:
        (best,) = store.execute("select max(value) from trial_values").fetchone()
    assert next(t["values"][0] for t in left["trials"] if t["number"] == left["best"][0]) == best
    assert {status for _, status in runs(tmp_path, "trial")} <= {"FINISHED", "KILLED"}


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("sweep.space.train.lrr={log: [1e-5, 1e-3]}", "Did you mean 'train.lr'?"),
        ("sweep.trials=0", "sweep.trials must be 1 or more"),
        ("experiments=quickstart", "a sweep searches one arm"),
    ],
)
def test_a_mistake_ends_with_2_before_anything_is_written(
    override: str, said: str, world: list[str], tmp_path: Path, capsys: Capture
) -> None:
    done = command(capsys, "sweep", *world, override)
    assert done.code == 2
    assert said in done.err
    assert not (tmp_path / "sweeps").exists()
