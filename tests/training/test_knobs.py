"""Every knob of a training turns something, or deliberately does not."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
from cell_kit import outcome, small, trained

from pipeline.config.schema import Lora, Recipe, Train
from pipeline.hardware import machine

Outcome = Callable[..., str]

# What each field is turned to; evaluations at every step, so that stopping and choosing are seen as well.
BASELINE = ("train.eval_every=16", "train.epochs=6", "train.min_steps=10", "train.warmup=0.2")  # twelve steps
TRAIN = {
    "size": "48", "seed": "1", "batch": "8", "lr": "1e-3", "weight_decay": "0.5", "warmup": "0.5",
    "decay": "cosine", "cooldown": "0.9", "epochs": "7", "min_steps": "13", "max_steps": "11", "patience": "1",
    "clip": "0.1",
    "dropout": "0.5", "precision": "bf16", "eval_every": "32", "keep": "none", "samples": "3",
    "checkpoint_every": "3steps", "fit_memory": "true", "best_by": "loss",
}  # fmt: skip
NEUTRAL = ("keep", "samples", "checkpoint_every", "fit_memory")
RECIPE = {
    "lr": "2e-3", "weight_decay": "0.5", "warmup": "0.5", "decay": "constant", "cooldown": "0.9", "epochs": "7",
    "min_steps": "13",    "max_steps": "11", "patience": "1",
}  # fmt: skip
LORA = {"rank": "4", "alpha": "64", "dropout": "0.5", "targets": "[query]"}


@pytest.fixture(scope="module")
def train(tiny_base: Path, reviews: Path, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """The digest of what a training with these settings leaves behind; each is trained once."""
    known: dict[tuple[str, ...], str] = {}
    root = tmp_path_factory.mktemp("out")

    def run(*settings: str) -> str:
        if settings not in known:
            known[settings] = outcome(trained([*small(tiny_base, reviews, root), *BASELINE, *settings]))
        return known[settings]

    return run


def test_every_knob_is_tried_here() -> None:
    for record, table in ((Train, TRAIN), (Recipe, RECIPE), (Lora, LORA)):
        assert {f.name for f in dataclasses.fields(record)} == set(table)


@pytest.mark.parametrize("name", [n for n in TRAIN if n not in (*NEUTRAL, "patience", "best_by", "cooldown")])
def test_a_setting_of_the_training_changes_its_result(
    name: str, train: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "cpu_has_bf16", lambda: True)  # slow elsewhere, but possible
    assert train(f"train.{name}={TRAIN[name]}") != train()


def test_patience_changes_the_result_where_validation_gets_worse(train: Outcome) -> None:
    hasty = ("train.lr=0.05", "train.decay=constant")
    assert train(*hasty, f"train.patience={TRAIN['patience']}") != train(*hasty)


def test_the_cooldown_is_how_long_a_constant_rate_decays(train: Outcome) -> None:
    stable = "train.decay=warmup_stable_decay"
    assert train(stable, f"train.cooldown={TRAIN['cooldown']}") != train(stable)
    assert train(f"train.cooldown={TRAIN['cooldown']}") == train()


@pytest.mark.parametrize("by", ["metric", "loss"])
def test_the_weights_that_are_kept_are_the_best_by_what_was_asked_for(
    by: str, tiny_base: Path, reviews: Path, tmp_path: Path
) -> None:
    uneven = ("arm.head=fresh", "train.seed=1", "train.lr=0.01", "train.decay=constant", f"train.best_by={by}")
    found = trained([*small(tiny_base, reviews, tmp_path), *BASELINE, *uneven]).trajectory
    ranks = {p.step: (p.validation_score, -p.validation_loss) for p in found.points}
    assert found.best_step == max(ranks, key=lambda step: ranks[step] if by == "metric" else ranks[step][::-1])
    assert max(ranks, key=lambda step: ranks[step]) != max(ranks, key=lambda step: ranks[step][::-1])


@pytest.mark.parametrize("name", NEUTRAL)
def test_what_is_kept_of_a_training_and_how_it_finds_room_do_not_change_its_result(name: str, train: Outcome) -> None:
    assert train(f"train.{name}={TRAIN[name]}") == train()


@pytest.mark.parametrize("name", list(RECIPE))
def test_the_arms_recipe_and_the_trainings_override_of_it_do_the_same(name: str, train: Outcome) -> None:
    freed = ("train.lr=null", "train.warmup=null", "train.epochs=null", "train.min_steps=null")
    own = ("arm.recipe.lr=3e-3", "arm.recipe.warmup=0.2", "arm.recipe.epochs=6", "arm.recipe.min_steps=10")
    turned = train(*freed, *own, f"arm.recipe.{name}={RECIPE[name]}")
    assert turned == train(*freed, *own, f"train.{name}={RECIPE[name]}")
    if name not in ("patience", "cooldown"):
        assert turned != train(*freed, *own)


@pytest.mark.parametrize("name", list(LORA))
def test_a_setting_of_the_adapters_changes_the_result_of_lora(name: str, train: Outcome) -> None:
    assert train("arm=lora", f"arm.lora.{name}={LORA[name]}") != train("arm=lora")


@pytest.mark.parametrize("setting", ["hardware.threads=2", "executor.workers=2", "tracking=local"])
def test_hardware_executor_and_tracking_do_not_change_the_result(setting: str, train: Outcome) -> None:
    assert train(setting) == train()
