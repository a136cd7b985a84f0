"""`sweep` from the command line: exact totals, resumption, failures, and the line to paste into `train`."""

import re
from pathlib import Path

import pytest
from command_kit import command, runs
from sweep_kit import NAME, comes_to_the_same_alone, only_rates, record, world

from pipeline.storage.results import ResultStore

__all__ = ["world"]

Capture = pytest.CaptureFixture[str]


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
    assert comes_to_the_same_alone(done.out, tmp_path)


def test_it_says_the_best_so_far_and_its_run_in_the_dashboard_has_its_figures(
    world: list[str], tmp_path: Path, capsys: Capture
) -> None:
    more = ["sweep.trials=6", "sweep.pruner=median", "sweep.startup_trials=6", "train.eval_every=48"]
    done = command(capsys, "sweep", *world, *more, "executor.workers=1", "tracking=local")
    assert done.code == 0, done
    assert f"{NAME}: 6 trials, 0 of them over, 1 cell at a time." in done.err
    told = r"\[(\d)/6\] trial (\d) complete score ([\d.]+)(?:, (the best so far)| \(best ([\d.]+)\))"
    best, lines = 0.0, re.findall(told, done.err)
    assert [int(line[0]) for line in lines] == list(range(1, 7))
    for (_, _, value, better, before), trial in zip(lines, record(tmp_path)["trials"], strict=True):
        assert float(value) == pytest.approx(trial["values"][0], abs=1e-4)
        assert bool(better) == (float(value) > best)
        best = max(best, float(value))
        assert better or float(before) == best
    assert [status for _, status in runs(tmp_path, "sweep")] == ["FINISHED"]
    (shown,) = (tmp_path / "tracking" / "artifacts").rglob("report.html")
    assert shown.read_bytes() == (tmp_path / "sweeps" / NAME / "report.html").read_bytes()
    page = shown.read_text(encoding="utf-8")
    for figure in ("history", "importances", "slices", "parallel", "reports"):
        section = page.partition(f'<section id="{figure}">')[2].partition("</section>")[0]
        assert "<svg" in section, figure


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
    given += ["sweep.sampler=grid", "sweep.from_recipe=false", "train.min_steps=1"]
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
