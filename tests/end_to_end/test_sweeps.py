"""`sweep` from the command line: exact totals, resumption, failures, and the line to paste into `train`."""

import os
import subprocess
from pathlib import Path

import pytest
from command_kit import command
from sweep_kit import only_rates, record, world

from pipeline.training.results import ResultStore

__all__ = ["world"]

Capture = pytest.CaptureFixture[str]


def paste(line: str) -> "subprocess.CompletedProcess[str]":
    """Run the line in a shell, as it stands."""
    environment = os.environ | {"PYTHONPATH": os.getcwd()}
    return subprocess.run(line, shell=True, env=environment, capture_output=True, text=True, check=False)


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
    assert "sweep." not in line
    assert paste(line.removeprefix("Best:").strip()).returncode == 0
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
