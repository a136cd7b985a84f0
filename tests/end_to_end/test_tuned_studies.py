"""`study … tuning.trials=N`: every arm is tuned alike, its cells follow the best trial, and the report says so."""

import json
from pathlib import Path

import pytest
from command_kit import command, copy, findings, planned, sentences

from pipeline.cli import main
from pipeline.study.plan import Plan, plan_study
from pipeline.study.tuning import tuned_as_before
from tests import tiny

Capture = pytest.CaptureFixture[str]
TUNED = ("tuning.trials=3", "sweep.only=[train.lr]", "sweep.pruner=none", "sweep.space.train.lr={log: [1e-3, 3e-2]}")


@pytest.fixture(scope="module")
def tuned(tiny_base: Path, reviews: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A finished study of two arms at two sizes, tuned with three trials each, and its arguments without the root."""
    root = tmp_path_factory.mktemp("tuned")
    given = [*tiny.overrides(tiny_base, reviews, root), *tiny.study(), *TUNED]
    assert main(["study", *given]) == 0
    return root, [a for a in given if not a.startswith("paths.root")]


def after(arguments: list[str]) -> Plan:
    """The plan as it is once the sweeps have run."""
    return tuned_as_before(arguments, planned(arguments))


def test_every_arm_is_tuned_with_as_many_trials_and_its_cells_take_the_best_settings(
    tuned: tuple[Path, list[str]],
) -> None:
    root, given = tuned
    plan = after([*given, f"paths.root={root}"])
    assert len(plan.tuned) == 4
    assert {len(record.trials) for record in plan.tuned} == {3}
    best = {(r.arm, r.size): r.trial(r.best[0]).params["train.lr"] for r in plan.tuned}
    assert {(c.arm.name, c.train.size): c.recipe.lr for c in plan.cells.values()} == best
    assert set(findings(plan)["cells"].values()) == set(plan.cells)


def test_the_findings_hold_the_curves_the_needs_and_the_equal_budget(tuned: tuple[Path, list[str]]) -> None:
    root, given = tuned
    found = findings(after([*given, f"paths.root={root}"]))
    assert {(c["arm"], c["size"], len(c["best"])) for c in found["tuning"]} == {
        (arm, size, 3) for arm in ("pretrained", "scratch") for size in (16, 48)
    }
    assert len(found["tuning_needs"]) == 4
    assert any("Same tuning budget: 3 trials" in text for text in sentences(found["fairness"]))
    assert any("Recipes were tuned on validation with 3 trials" in text for text in sentences(found["caveats"]))
    assert not any("not tuned" in text for text in sentences(found["caveats"]))


def test_the_report_shows_tuning_and_is_rebuilt_without_training(
    tuned: tuple[Path, list[str]], tmp_path: Path, capsys: Capture
) -> None:
    root = copy(tuned[0], tmp_path / "out")
    given = [*tuned[1], f"paths.root={root}"]
    folder, pages = after(given).folder, []
    for _ in range(2):
        assert command(capsys, "report", *given).code == 0
        pages.append((folder / "report.html").read_text(encoding="utf-8"))
        for path in set(folder.iterdir()) - {folder / "stated.json"}:  # what was stated cannot be made again
            path.unlink()
    assert 'id="tuning"' in pages[0]
    assert pages[0] == pages[1]


def test_a_second_study_begins_no_trial_and_trains_no_cell(
    tuned: tuple[Path, list[str]], tmp_path: Path, capsys: Capture
) -> None:
    root = copy(tuned[0], tmp_path / "out")
    given = [*tuned[1], f"paths.root={root}"]
    before = findings(after(given))
    done = command(capsys, "study", *given)
    assert done.code == 0
    assert "trial 0" not in done.err
    assert "to train" not in done.err
    assert findings(after(given)) == before


@pytest.mark.slow
def test_one_size_may_serve_all(tiny_base: Path, reviews: Path, tmp_path: Path, capsys: Capture) -> None:
    given = [*tiny.overrides(tiny_base, reviews, tmp_path), *tiny.study(claim=False), *TUNED, "tuning.size=48"]
    assert command(capsys, "study", *given).code == 0
    plan = after(given)
    assert [record.size for record in plan.tuned] == [48, 48]
    by_arm = {c.arm.name: c.recipe.lr for c in plan.cells.values()}
    assert all(c.recipe.lr == by_arm[c.arm.name] for c in plan.cells.values())
    assert {c.train.size for c in plan.cells.values()} == {16, 48}


def test_a_space_that_is_wrong_for_one_arm_is_refused_before_anything_runs(
    tiny_base: Path, reviews: Path, tmp_path: Path, capsys: Capture
) -> None:
    given = [*tiny.overrides(tiny_base, reviews, tmp_path), *tiny.study(claim=False), "tuning.trials=3"]
    done = command(capsys, "study", *given, "sweep.space.train.lr={log: [1, 0.1]}")
    assert done.code == 2
    assert "arm pretrained: space of train.lr: log must go from a smaller" in done.err
    assert not (tmp_path / "sweeps").exists()


def test_a_report_before_its_sweeps_says_what_to_run(
    tiny_base: Path, reviews: Path, tmp_path: Path, capsys: Capture
) -> None:
    given = [*tiny.overrides(tiny_base, reviews, tmp_path), *tiny.study(claim=False), *TUNED]
    done = command(capsys, "report", *given)
    assert done.code == 2
    assert "has not been run" in done.err


def test_a_study_without_tuning_has_neither_curves_nor_sweeps(
    tiny_base: Path, reviews: Path, tmp_path: Path, capsys: Capture
) -> None:
    given = [*tiny.overrides(tiny_base, reviews, tmp_path), *tiny.study(claim=False, sizes="16", seeds="0")]
    assert command(capsys, "study", *given).code == 0
    found = json.loads((plan_study(given).folder / "findings.json").read_text(encoding="utf-8"))
    assert found["tuning"] == []
    assert not (tmp_path / "sweeps").exists()
