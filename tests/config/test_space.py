"""The space of a sweep: read from YAML and the command line, and refused before anything runs where it is wrong."""

import dataclasses

import pytest

from pipeline.config.compose import compose
from pipeline.config.rules.sweeping import sweep_violations
from pipeline.config.schema import Range
from pipeline.config.settings import as_overrides, assigned
from pipeline.config.space import default_values, holds, space_of
from pipeline.errors import ConfigError

OWN = "sweep.space={train.lr: {log: [1e-5, 1e-3]}}"


def broken(*overrides: str) -> str:
    """Everything that is wrong with a sweep of the scratch arm."""
    try:
        return "\n".join(sweep_violations(compose(["arm=scratch", *overrides])))
    except ConfigError as error:
        return "\n".join(error.violations)


@pytest.mark.parametrize("arm", ["pretrained", "scratch", "lora"])
def test_every_arm_comes_with_a_sound_space_that_holds_its_own_recipe(arm: str) -> None:
    config = compose([f"arm={arm}"])
    assert sweep_violations(config) == []
    assert default_values(config) is not None
    assert default_values(config)["train.lr"] == config.arm.recipe.lr


@pytest.mark.parametrize(
    "given", [OWN, "sweep.space.train.lr={log: [1e-5, 1e-3]}", "arm.space.train.lr={log: [1e-5, 1e-3]}"]
)
def test_a_range_of_the_command_line_takes_the_place_of_the_arms_own(given: str) -> None:
    space = space_of(compose(["arm=scratch", given]))
    assert space["train.lr"] == Range(log=(1e-5, 1e-3))
    assert "train.epochs" in space


def test_settings_with_conditions_come_after_those_they_depend_on() -> None:
    config = compose(["sweep.space.train.batch={choice: [16], when: {train.decay: cosine}}",
                      "sweep.space.train.decay={choice: [linear, cosine]}", "sweep.allow=[train.batch]"])  # fmt: skip
    names = list(space_of(config))
    assert names[-1] == "train.batch"
    assert holds(space_of(config)["train.batch"], {"train.decay": "cosine"})
    assert not holds(space_of(config)["train.batch"], {"train.decay": "linear"})
    assert sweep_violations(config) == []


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("sweep.space.train.lrr={log: [1e-5, 1e-3]}", "Did you mean 'train.lr'?"),
        ("sweep.space.study.name={choice: [a]}", "no such setting that a sweep could try"),
        ("sweep.space.train.lr={log: [1e-3, 1e-3]}", "[0.001, 0.001] is empty"),
        ("sweep.space.train.lr={log: [1e-3, 1e-5]}", "[0.001, 1e-05] is reversed"),
        ("sweep.space.train.lr={log: [0, 1e-3]}", "log must start above 0"),
        ("sweep.space.train.lr={log: [1e-3]}", "log must be two numbers"),
        ("sweep.space.train.lr={log: [1e-5, 1e-3], choice: [1]}", "exactly one of log, uniform"),
        ("sweep.space.train.lr={}", "exactly one of log, uniform"),
        ("sweep.space.train.lr={log: [1e-5, 1e-3], step: 0.1}", "step must be above 0 and goes with uniform"),
        ("sweep.space.train.min_steps={integer: [1, 9], step: 0.5}", "step of an integer must be a whole number"),
        ("sweep.space.train.decay={choice: [linear, linear]}", "choice must not repeat itself"),
        ("sweep.space.train.decay={choice: [linear, cosin]}", "with 'cosin': train.decay must be one of its choices"),
        ("sweep.space.train.warmup={uniform: [0, 1.5]}", "with 1.5: train.warmup must be from 0 to below 1"),
        ("sweep.space.train.patience={uniform: [0, 3]}", "with 0.0: train.patience must be"),
        ("sweep.space.train.lr={log: [1e-5, 1e-3], when: {train.lrx: 1}}", "is not another setting of the space"),
        ("sweep.space.train.size={choice: [25, 100]}", "sweep.allow=[train.size]"),
        ("sweep.space.arm.start={choice: [scratch, pretrained]}", "sweep.allow=[arm.start]"),
        ("sweep.space.train.batch={choice: [16, 32]}", "sweep.allow=[train.batch]"),
        ("sweep.space.task.max_length={choice: [32, 64]}", "no such setting that a sweep could try"),
        ("sweep.space.task.split_seed={integer: [0, 9]}", "no such setting that a sweep could try"),
        ("sweep.space.arm.pretraining.seed={integer: [0, 9]}", "no such setting that a sweep could try"),
        ("sweep.space.train.precision={choice: [fp32, bf16]}", "no such setting that a sweep could try"),
        ("sweep.space.task.data.path={choice: [a.csv, b.csv]}", "no such setting that a sweep could try"),
        ("sweep.trials=0", "sweep.trials must be 1 or more, but got 0"),
        ("sweep.trials=-3", "sweep.trials must be 1 or more, but got -3"),
        ("sweep.name=../x", "sweep.name must be letters"),
        ("sweep.name='x; drop table trials'", "sweep.name must be letters"),
        ("sweep.sampler=tpee", "Did you mean 'tpe'?"),
        ("sweep.pruner=medien", "Did you mean 'median'?"),
        ("sweep.objectives=[scor]", "Did you mean 'score'?"),
        ("sweep.objectives=[score:up]", "must end in :maximize or :minimize"),
        ("sweep.objectives=[flops:maximize]", "flops is a cost"),
        ("sweep.objectives=[]", "must name at least one"),
        ("sweep.objectives=[score,score]", "must not repeat itself"),
        ("sweep.objectives=[score,flops]", "sweep.pruner=median needs a single objective"),
        ("sweep.objectives=[flops]", "needs intermediate values, and flops has none"),
        ("sweep.pruner=wilcoxon", "needs intermediate values of three seeds at least"),
        ("sweep.seeds=[1,1]", "sweep.seeds must be different numbers"),
        ("sweep.constraints.memry=100", "Did you mean 'memory'?"),
        ("sweep.constraints.memory=0", "must be above 0"),
        ("sweep.sampler=grid", "needs a finite space, but train.lr has log without an end"),
        ("sweep.storage=mysql://here/db", "must be the address of a PostgreSQL database"),
        ("sweep.grace_seconds=1", "sweep.grace_seconds must be 10 or more"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_sweep_is_said_with_its_remedy(override: str, said: str) -> None:
    assert said in broken(override)


def test_trials_of_several_seeds_cannot_pause_in_the_middle_of_a_training() -> None:
    text = broken("sweep.pruner=pausing", "sweep.seeds=[0,1,2]")
    assert "needs one seed, but got [0, 1, 2]. Choose wilcoxon" in text


def test_all_that_is_wrong_is_said_at_once() -> None:
    text = broken("sweep.trials=0", "sweep.grace_seconds=1", "sweep.space.train.lr={log: [0, 1]}")
    assert len(text.splitlines()) == 3


def test_an_arm_without_a_space_says_how_to_give_one() -> None:
    config = compose(["arm=scratch"])
    bare = dataclasses.replace(config, arm=dataclasses.replace(config.arm, space={}))
    assert "nothing to try" in "\n".join(sweep_violations(bare))


@pytest.mark.parametrize("arm", ["frozen", "bag_of_words"])
def test_an_arm_that_is_solved_has_nothing_to_search(arm: str) -> None:
    (text,) = sweep_violations(compose([f"arm={arm}", "sweep.space.train.lr={log: [1e-5, 1e-3]}"]))
    assert f"'{arm}'" in text
    assert f"Train it: arm={arm}." in text


def test_a_sweep_may_try_only_some_settings_of_the_space() -> None:
    assert list(space_of(compose(["arm=scratch", "sweep.only=[train.lr]"]))) == ["train.lr"]
    assert "Did you mean 'train.lr'?" in broken("sweep.only=[train.lrs]")


def test_a_recipe_outside_the_space_is_no_first_trial() -> None:
    assert default_values(compose(["arm=scratch", "sweep.space.train.lr={log: [1e-5, 1e-4]}"])) is None


def test_assigned_values_are_checked_as_overrides_are() -> None:
    config = compose(["arm=scratch"])
    assert assigned(config, {"train.lr": 0.5, "arm.lora.rank": 4}).arm.lora.rank == 4
    with pytest.raises(ConfigError, match=r"train\.lr must be above 0"):
        assigned(config, {"train.lr": -1.0})
    with pytest.raises(ConfigError, match=r"train\.epochs"):
        assigned(config, {"train.epochs": "many"})


def test_values_written_as_overrides_read_back_the_same() -> None:
    values = {"train.lr": 2.3456789e-5, "train.decay": "cosine", "train.patience": 3, "train.dropout": None}
    config = compose(as_overrides(values).split())
    assert (config.train.lr, config.train.decay, config.train.patience) == (2.3456789e-5, "cosine", 3)
    assert config.train.dropout is None
