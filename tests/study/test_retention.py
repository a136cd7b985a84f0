"""Whose weights a study keeps, what is deleted, and what cannot be."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.cli import main
from pipeline.config.compose import compose
from pipeline.config.disk import bytes_of
from pipeline.errors import ConfigError, UserError
from pipeline.execution.assignment import Event
from pipeline.study.plan import Plan, plan_study
from pipeline.study.references import alone, in_use, refer
from pipeline.study.retention import retention
from pipeline.study.run import run
from tests import tiny
from tests.tiny import reviews, tiny_base

__all__ = ["reviews", "tiny_base"]

Planned = Callable[..., Plan]
Capture = pytest.CaptureFixture[str]
SHORT = ("train.epochs=1", "train.min_steps=2", "study.sizes=[16]", "study.arms=[scratch]")


@pytest.fixture
def planned(tiny_base: Path, reviews: Path, tmp_path: Path) -> Planned:
    few = tiny.study(claim=False)
    return lambda *more: plan_study([*tiny.overrides(tiny_base, reviews, tmp_path), *few, *SHORT, *more])


def ignore(_: Event) -> None:
    """Nobody watches."""


def with_weights(plan: Plan) -> set[int]:
    return {cell.train.seed for name, cell in plan.cells.items() if plan.store.weights(name)}


def best(plan: Plan) -> int:
    """The seed that is best on validation."""
    metrics = {cell.train.seed: plan.store.result(name).evaluations[0].metrics for name, cell in plan.cells.items()}
    return max(metrics, key=lambda seed: (metrics[seed]["accuracy"], -metrics[seed]["loss"]))


@pytest.mark.parametrize(("text", "count"), [("5GB", 5e9), ("500 MB", 5e8), ("1.5tb", 1.5e12), ("20kB", 2e4)])
def test_an_amount_of_disk_has_a_unit(text: str, count: float) -> None:
    assert bytes_of(text) == count


@pytest.mark.parametrize("text", ["5", "five GB", "-1GB", "5 apples"])
def test_what_is_no_amount_of_disk_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"study\.disk must be an amount of disk with its unit"):
        compose([*tiny.study(claim=False), f"study.disk='{text}'"])


def test_every_seed_is_kept_while_there_is_room_and_then_the_first_and_the_best(planned: Planned) -> None:
    seeds = "study.seeds=[0,1,2,3]"
    plan, told = planned(seeds), list[str]()
    run(plan, ignore, tell=told.extend)
    assert with_weights(plan) == {0, 1, 2, 3}
    assert told[-1].startswith("Weights of every seed are kept: about ")
    each = plan.store.result(next(iter(plan.cells))).cost.stored_bytes
    for name in plan.cells:
        plan.store.folder(name).rename(plan.root / f"old-{name}")
    told.clear()
    less = planned(seeds, f"study.disk={2.5 * each / 1e3:.0f}kB")
    assert less.cells == plan.cells
    run(less, ignore, tell=told.extend)
    assert with_weights(less) == {0, best(less)}
    assert told[-1].startswith("Weights of 1 of 4 seeds are kept")
    assert not less.coverage(*less.cells).lacking(), "audits were made before anything was deleted"


def test_too_little_disk_for_one_seed_is_an_error_before_anything_is_trained(planned: Planned) -> None:
    plan = planned("study.disk=10kB")
    said = r"study.disk=10kB must hold the weights of one seed of each arm and size, which take .*scratch n=16"
    with pytest.raises(ConfigError, match=said):
        run(plan, ignore)
    assert plan.store.ids() == []


def test_weights_of_other_runs_are_not_deleted(planned: Planned) -> None:
    first = planned("study.seeds=[0,1]")
    run(first, ignore)
    each = first.store.result(next(iter(first.cells))).cost.stored_bytes
    second = planned("study.seeds=[2,0,1]", "study.name=second", f"study.disk={1.5 * each / 1e3:.0f}kB")
    run(second, ignore)
    assert {0, 1} <= with_weights(second)
    whole = dataclasses.replace(second.config.train, keep="all")
    assert retention(dataclasses.replace(second, config=dataclasses.replace(second.config, train=whole)), ()).seeds == {
        0, 1, 2,
    }  # fmt: skip


def test_prune_deletes_what_no_study_refers_to_and_says_what_it_frees(planned: Planned, capsys: Capture) -> None:
    plan, other = planned("study.seeds=[0]"), planned("study.seeds=[1]", "study.name=other")
    for each in (plan, other):
        run(each, ignore)
    refer(plan)
    (gone,) = other.cells
    kept, unused = (plan.root / "features" / f"{data}.0-0000" for data in (plan.data_folder.name, "of-other-data"))
    for folder in (kept, unused):
        folder.mkdir(parents=True)
        (folder / "vectors.npy").write_bytes(b"0" * 200_000)
    assert main(["prune", f"paths.root={plan.root}", "plan=true"]) == 0
    assert "Cells: 1 that no study refers to" in capsys.readouterr().out
    assert other.store.has(gone)
    assert main(["prune", f"paths.root={plan.root}"]) == 0
    assert "Freed 0." in (said := capsys.readouterr().out)
    assert "Prepared data: 0 that no study refers to" in said
    assert "Features: 1 that no study refers to, 0.2 MB" in said
    assert (kept.is_dir(), unused.is_dir()) == (True, False)
    assert plan.store.ids() == list(plan.cells)
    assert run(plan, ignore).trained == ()


def test_prune_is_refused_while_a_command_works_with_the_results(tmp_path: Path, capsys: Capture) -> None:
    with in_use(tmp_path), in_use(tmp_path):
        assert main(["prune", f"paths.root={tmp_path}"]) == 2
        assert "Run prune when it has ended" in capsys.readouterr().err
        with pytest.raises(UserError), alone(tmp_path):
            pass
    assert main(["prune", f"paths.root={tmp_path}"]) == 0


def test_cells_of_an_earlier_version_are_left_alone_and_said_once(tmp_path: Path, capsys: Capture) -> None:
    old = tmp_path / "cells" / "0123456789abcdef"
    old.mkdir(parents=True)
    (old / "result.json").write_text('{"of": "another time"}', encoding="utf-8")
    for _ in range(2):
        with in_use(tmp_path):
            pass
    assert capsys.readouterr().out.count("1 cells under") == 1
    assert main(["prune", f"paths.root={tmp_path}"]) == 0
    assert (old / "result.json").is_file()
