"""Pruning: what falls behind is given up, later than the first steps, on every rank, and is no result."""

import json
import sqlite3
from pathlib import Path

import pytest
from command_kit import command, runs
from sweep_kit import GOOD_AND_BAD, only_rates, record, world

from pipeline.config.schema import Tracking
from pipeline.storage.results import ResultStore
from pipeline.tracking import links

__all__ = ["world"]

Capture = pytest.CaptureFixture[str]


def parameters(root: Path, name: str) -> list[str]:
    """What the dashboard's runs say of this setting."""
    with sqlite3.connect(root / "tracking" / "mlflow.db") as store:
        return [str(value) for (value,) in store.execute("select value from params where key = ?", (name,))]


def pruning(world: list[str], *more: str) -> list[str]:
    """Seven trials, four of them at rates that learn, one after another under the median pruner."""
    return [
        *(a for a in only_rates(world, GOOD_AND_BAD) if not a.startswith(("sweep.pruner", "train.min_steps"))),
        "sweep.pruner=median",
        "sweep.startup_trials=2",
        "sweep.trials=7",
        "train.eval_every=48",
        "train.clip=1",
        "executor.workers=1",
        *more,
    ]


@pytest.mark.slow
def test_a_sweep_prunes_what_falls_behind_and_a_pruned_cell_is_no_result(
    world: list[str], tmp_path: Path, capsys: Capture
) -> None:
    given = pruning(world, "sweep.warmup_examples=400", "train.min_steps=60", "tracking=local")
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


@pytest.mark.slow
@pytest.mark.parametrize(("more", "earlier"), [([], False), (["sweep.warmup_examples=48"], True)])
def test_no_trial_is_pruned_in_its_first_20_steps_unless_the_sweep_says_so(
    world: list[str], tmp_path: Path, capsys: Capture, more: list[str], earlier: bool
) -> None:
    given = pruning(world, "train.min_steps=40", *more)
    assert command(capsys, "sweep", *given).code == 0
    ends = [t["steps"][-1] for t in record(tmp_path)["trials"] if t["state"] == "pruned"]
    assert ends
    assert (min(ends) < 20 * 16) == earlier


@pytest.mark.parametrize("pruner", ["median", pytest.param("pausing", marks=pytest.mark.slow)])
def test_two_processes_of_ddp_prune_together_and_begin_one_sweep(
    world: list[str], tmp_path: Path, capsys: Capture, pruner: str
) -> None:
    given = [
        *(a for a in only_rates(world, "[3e-3, 1e-9]") if not a.startswith(("sweep.pruner", "train.min", "hardware"))),
        "hardware=ddp_cpu",
        "train.lr=3e-3",
        "sweep.from_recipe=true",
        "sweep.sampler=random",
        f"sweep.pruner={pruner}",
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


@pytest.mark.slow
def test_trials_pause_and_the_best_go_on_to_what_they_come_to_alone(
    world: list[str], tmp_path: Path, capsys: Capture
) -> None:
    given = [a for a in pruning(world, "train.min_steps=60", "tracking=local") if not a.startswith("sweep.pruner")]
    given += ["sweep.pruner=pausing", "sweep.warmup_examples=96"]
    done = command(capsys, "sweep", *given)
    assert done.code == 0, done
    assert [done.err.count(word) for word in ("pauses", "goes on")] == [7 + 3, 3 + 1]
    trials = record(tmp_path)["trials"]
    assert [t["number"] for t in trials] == list(range(7))
    (complete,) = [t for t in trials if t["state"] == "complete"]
    assert {t["state"] for t in trials} == {"complete", "pruned"}
    ends = sorted(t["steps"][-1] for t in trials)
    assert ends == [240] * 4 + [480] * 2 + [960], "half of seven come to the half, one to the end"
    assert list((tmp_path / "checkpoints").iterdir()) == []
    assert ResultStore(tmp_path).ids() == complete["cells"]
    rate = complete["params"]["train.lr"]
    root = tmp_path / "alone"
    alone = [a for a in given if not a.startswith(("sweep.space", "sweep.pruner"))]
    alone += [f"sweep.space={{train.lr: {{choice: [{rate}]}}}}", "sweep.pruner=none", f"paths.root={root}"]
    assert command(capsys, "sweep", *alone).code == 0
    (undisturbed,) = record(root)["trials"]
    assert undisturbed["values"] == complete["values"]
