"""From overrides to cells: which, in which order, under which identity. Nothing is trained and nothing is written."""

import dataclasses
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pipeline.commands.steps.findings import dashboard_command
from pipeline.config.compose import compose
from pipeline.errors import BaseModelError, ConfigError, DataError
from pipeline.study.plan import Plan, plan_cell, plan_of_cell, plan_study
from pipeline.study.workload import Examples, estimated_seconds, running_order, work_of
from pipeline.training.setup.preflight import preflight
from tests import tiny
from tests.study.synthetic_cells import VALIDATION_ITEMS, synthetic_cells
from tests.tiny import reviews, tiny_base

__all__ = ["reviews", "tiny_base"]

Planned = Callable[..., Plan]


@pytest.fixture
def overrides(tiny_base: Path, reviews: Path, tmp_path: Path) -> list[str]:
    return tiny.overrides(tiny_base, reviews, tmp_path / "out")


@pytest.fixture
def planned(overrides: list[str]) -> Planned:
    return lambda *more: plan_study([*overrides, *tiny.study(), *more])


def test_a_study_has_a_cell_for_every_arm_size_and_seed_those_of_one_seed_together(planned: Planned) -> None:
    keys = [(c.train.seed, c.train.size, c.arm.name) for c in planned().cells.values()]
    assert keys == [(s, n, a) for s in (0, 1) for n in (16, 48) for a in ("pretrained", "scratch")]


def test_every_cell_has_its_arms_own_recipe_unless_the_study_overrides_it(planned: Planned) -> None:
    recipes = {c.arm.name: c.recipe for c in planned("train.lr=null").cells.values()}
    assert recipes["scratch"].lr == 2e-4
    assert recipes["pretrained"].lr == 1e-4
    assert {c.recipe.lr for c in planned("train.lr=0.5").cells.values()} == {0.5}


def test_studies_share_the_cells_they_have_in_common(planned: Planned) -> None:
    small, large = planned(), planned("study.name=other", "study.seeds=[0,1,2]", "study.confidence=0.9")
    assert set(small.cells) < set(large.cells)
    assert small.study_id != large.study_id


def test_hardware_paths_and_tracking_change_no_identity(planned: Planned, tmp_path: Path) -> None:
    elsewhere = planned(f"paths.root={tmp_path / 'b'}", "hardware=ddp_cpu", "executor.workers=1", "tracking=local")
    assert list(elsewhere.cells) == list(planned().cells)


def test_the_precision_is_settled_before_identities_are_computed(planned: Planned) -> None:
    plan = planned("train.precision=auto")
    assert {c.train.precision for c in plan.cells.values()} == {plan.hardware.precision}
    assert plan.hardware.precision in ("fp32", "bf16")


def test_a_single_training_is_the_same_cell_as_in_a_study(planned: Planned, overrides: list[str]) -> None:
    settings = ["train.size=16", "train.seed=1", "arm=scratch", *(o for o in tiny.study() if o.startswith("train."))]
    (name,) = plan_cell([*overrides, *settings]).cells
    assert planned().cells[name].key.label == "scratch n=16"


def test_a_finished_cell_is_planned_again_under_its_own_name(planned: Planned, overrides: list[str]) -> None:
    config = compose(overrides)
    for name, cell in planned().cells.items():
        assert list(plan_of_cell(cell, config).cells) == [name]


def test_no_study_chosen_says_how_to_choose_one(overrides: list[str]) -> None:
    with pytest.raises(ConfigError, match="experiments=quickstart"):
        plan_study(overrides)


def test_an_arm_given_to_a_study_is_refused_and_points_to_its_arms(planned: Planned) -> None:
    with pytest.raises(ConfigError, match=r"arm=lora has no place here: a study takes its arms from study.arms="):
        planned("arm=lora")


def test_an_unknown_arm_of_a_study_names_the_nearest(overrides: list[str]) -> None:
    with pytest.raises(ConfigError, match="Did you mean 'pretrained'"):
        plan_study([*overrides, *tiny.study(arms="pretraned,scratch", claim=False)])


def test_a_claim_on_another_domain_is_left_out_where_the_task_has_none_and_the_plan_says_so(planned: Planned) -> None:
    other = "+study.claims.elsewhere={statement: 'It travels', dataset: imdb}"
    plan = planned(other)
    (said,) = plan.unjudged
    assert said.startswith("Not judged: 'It travels'. The task has no other domain")
    assert list(plan.config.study.claims) == ["accurate"]
    assert planned().unjudged == ()


AUDITED = "+study.claims.sure={statement: 'Its probabilities hold', metric: audit, audit: calibration}"


def test_audits_that_claims_name_are_run_as_those_of_the_study_are(planned: Planned) -> None:
    plan = planned(AUDITED)
    assert plan.audits == planned("study.audits=[calibration]").audits == ("calibration",)
    assert list(plan.cells) == list(planned().cells)


def test_a_claim_on_an_audit_that_is_not_there_is_refused_with_the_nearest_name(planned: Planned) -> None:
    with pytest.raises(ConfigError, match=r"study.claims.sure.audit must name an audit.*Did you mean 'calibration'"):
        planned(AUDITED.replace("audit: calibration", "audit: calibrations"))


def test_a_claim_on_an_audit_that_cannot_examine_the_task_is_left_out_and_the_plan_says_so(planned: Planned) -> None:
    plan = planned(AUDITED, "task=masked_language_modelling", "task.data.label=null")
    (said,) = plan.unjudged
    assert said.startswith(
        "Not judged: 'Its probabilities hold'. The audit calibration cannot examine this task: masked_language_mod"
    )
    assert plan.audits == ()


def test_looks_at_levels_without_a_known_room_for_skewed_seeds_are_refused(planned: Planned) -> None:
    seeds = "study.seeds=[0,1,2]"
    planned(seeds, "study.looks=[2,3]", "study.spend=[0.01,0.99]")
    with pytest.raises(ConfigError, match=r"99\.99% or below, .* but 99\.995%"):
        planned(seeds, "study.looks=[2,3]", "study.spend=[0.001,0.999]")


def test_a_claim_on_a_misspelt_domain_is_refused_where_the_task_has_some() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'imdb'"):
        plan_study(["experiments=quickstart", "study.claims.out_of_domain.dataset=imbd"])


@pytest.mark.parametrize(
    ("override", "error", "words"),
    [
        ("task.data.path=nowhere.csv", DataError, "nowhere.csv"),
        ("base.path=nowhere", BaseModelError, "there is no such directory"),
        ("train.batch=0", ConfigError, "at least 1"),
    ],
)
def test_what_is_not_there_is_said_before_anything_is_written(
    planned: Planned, override: str, error: type[Exception], words: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=words):
        planned(override)
    assert not (tmp_path / "out").exists()


def test_planning_writes_nothing(planned: Planned, tmp_path: Path) -> None:
    plan = planned()
    assert plan.missing() == plan.cells
    assert plan.results() == []
    assert not (tmp_path / "out").exists()


def test_the_estimate_grows_with_the_work_and_says_what_it_rests_on(planned: Planned) -> None:
    short, basis = estimated_seconds(planned())
    long, _ = estimated_seconds(planned("train.epochs=30"))
    assert 0 < short < long
    assert "guess" in basis


def test_cells_run_seed_by_seed_and_of_a_seed_the_longest_first(planned: Planned) -> None:
    plan = planned("train.epochs=null", "train.min_steps=null", "study.seeds=[7,2]")
    order = [plan.cells[name] for name in running_order(plan)]
    assert [c.train.seed for c in order] == [7] * 4 + [2] * 4
    for seed in (order[:4], order[4:]):
        assert [work_of(c) for c in seed] == sorted((work_of(c) for c in seed), reverse=True)
        assert {(c.arm.name, c.train.size) for c in seed} == {
            (a, n) for a in ("pretrained", "scratch") for n in (16, 48)
        }


def test_a_fixed_base_is_less_work_than_training_all_of_it(overrides: list[str]) -> None:
    cells = plan_study([*overrides, *tiny.study(arms="frozen,scratch", claim=False)]).cells.values()
    work = {c.arm.name: work_of(dataclasses.replace(c, train=dataclasses.replace(c.train, epochs=50))) for c in cells}
    assert work["frozen"] < work["scratch"] / 5


def test_planning_a_study_imports_neither_torch_nor_mlflow(overrides: list[str]) -> None:
    code = (
        "import sys; from pipeline.cli import main; assert main(sys.argv[1:]) == 0; "
        "print([m for m in ('torch', 'transformers', 'pytorch_lightning', 'mlflow', 'datasets') if m in sys.modules])"
    )
    command = [sys.executable, "-c", code, "study", *overrides, *tiny.study(), "plan=true"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("arm", ["frozen", "bag_of_words"])
def test_a_claim_on_how_a_score_rises_is_not_about_an_arm_that_is_solved(overrides: list[str], arm: str) -> None:
    asked = [*overrides, *tiny.study(arms=f"pretrained,scratch,{arm}", claim=False)]
    claim = ["+study.claims.early.metric=early_area", f"+study.claims.early.against={arm}"]
    with pytest.raises(ConfigError, match=f"study.claims.early: .*'{arm}' is solved: it has a start and an end"):
        plan_study([*asked, *claim])


def test_a_preset_claim_against_the_best_from_scratch_is_left_out_where_there_is_no_choice(
    overrides: list[str],
) -> None:
    quick = ["experiments=quickstart", *overrides, "study.name=q", "study.sizes=[16]", "~study.claims.out_of_domain"]
    plan = plan_study([*quick, "study.arms=[pretrained,scratch]"])
    assert "best" not in plan.config.study.claims
    assert any("the best of them needs two" in sentence for sentence in plan.unjudged)
    asked = [*quick, "study.arms=[pretrained,scratch]", "study.claims.best.delta=0.05"]
    with pytest.raises(ConfigError, match="best_from_scratch must be chosen from at least two arms"):
        plan_study(asked)


def test_estimates_count_the_sets_that_were_given(planned: Planned, tmp_path: Path) -> None:
    def seconds(rows: int) -> float:
        test = tiny.write_csv(tmp_path / f"{rows}.csv", tiny.rows(rows, seed=1))
        plan = planned(f"task.data.test={test}", f"paths.root={tmp_path / str(rows)}")
        before, _ = estimated_seconds(plan)
        preflight(
            list(plan.cells.values()),
            plan.located,
            data_fingerprint=plan.data_fingerprint,
            hardware=plan.hardware,
            root=plan.root,
        )
        after, _ = estimated_seconds(plan)
        assert before == estimated_seconds(planned(f"task.data.test={test}", "paths.root=nowhere"))[0]
        return after

    few, many = seconds(40), seconds(1_000)
    cells = 2 * 2 * 2
    assert many - few == pytest.approx(cells * 0.3 * 960 / 60 / 2, rel=0.15)


def test_the_pace_of_finished_cells_is_that_of_their_own_sets() -> None:
    ((result, _),) = synthetic_cells(["scratch"], [50], [0], 30, np.random.default_rng(0), out_of_domain=("a", "b"))
    found = Examples.of_result(result)
    assert found == Examples(train=50, validation=VALIDATION_ITEMS, tests=30 + 100 + 100)


def test_a_command_that_is_shown_can_be_typed_whatever_the_folder_is_called(planned: Planned) -> None:
    assert shlex.split(dashboard_command(planned("paths.root=saída 1")))[-2:] == ["dashboard", "paths.root=saída 1"]
