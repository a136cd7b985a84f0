"""What tuning bought: curves by hand, needs, and a budget that is the same for every arm or refused."""

import dataclasses

import pytest

from pipeline.errors import UnequalStartError
from pipeline.records import SweepRecord, TrialRecord
from pipeline.study.finding.tuned import equal_budget, tuning_curves, tuning_needs


def sweep(arm: str, *values: float | None, seen: tuple[float, ...] = (), **changes: object) -> SweepRecord:
    """A sweep whose trials came to these values; None is one that was pruned where `seen` ends, or failed."""
    trials = tuple(
        TrialRecord(
            number=n,
            state="complete" if v is not None else "pruned" if seen else "failed",
            reason="",
            params={"train.lr": 1e-4},
            values=() if v is None else (v,),
            steps=() if v is not None else tuple(range(len(seen))),
            seen=() if v is not None else seen,
            cells=(),
            feasible=True,
        )
        for n, v in enumerate(values)
    )
    given: dict[str, object] = {
        "name": arm,
        "task": "t",
        "arm": arm,
        "size": 100,
        "seeds": (0,),
        "metric": "accuracy",
        "objectives": ("score",),
        "directions": ("maximize",),
        "sampler": "tpe",
        "from_recipe": True,
        "pruner": "none",
        "asked": len(values),
        "trials": trials,
        "best": (0,),
        "importances": {},
        "overrides": "train.lr=0.0001",
    }
    return SweepRecord(**(given | changes))  # type: ignore[arg-type]


def test_an_adaptive_sampler_shows_the_best_so_far_and_the_own_recipe() -> None:
    (curve,) = tuning_curves([sweep("scratch", 0.5, 0.7, 0.6, 0.8)])
    assert curve.best == (0.5, 0.7, 0.7, 0.8)
    assert not curve.exchangeable
    assert curve.own == 0.5


def test_random_trials_show_the_expected_best_over_their_orders() -> None:
    (curve,) = tuning_curves([sweep("scratch", 0.5, 0.7, 0.6, sampler="random", from_recipe=False)])
    assert curve.exchangeable
    assert curve.best == pytest.approx((0.6, (0.6 + 0.7 + 0.7) / 3, 0.7))
    assert curve.own is None


def test_a_pruned_trial_counts_with_its_best_value_seen_and_a_failed_one_with_the_worst() -> None:
    (pruned,) = tuning_curves([sweep("scratch", 0.5, None, 0.6, seen=(0.4, 0.55, 0.52))])
    assert (pruned.best, pruned.pruned) == ((0.5, 0.55, 0.6), 1)
    (failed,) = tuning_curves([sweep("scratch", None, 0.6, 0.5)])
    assert (failed.best, failed.failed) == ((0.5, 0.6, 0.6), 1)


def test_a_loss_is_best_where_it_is_least() -> None:
    record = sweep("scratch", 0.5, 0.7, 0.4, metric="loss", directions=("minimize",))
    assert tuning_curves([record])[0].best == (0.5, 0.5, 0.4)


def test_needs_say_after_how_many_trials_an_arm_is_where_another_ended() -> None:
    curves = tuning_curves([sweep("pretrained", 0.7, 0.8, 0.9), sweep("scratch", 0.5, 0.6, 0.7)])
    found = {(n.arm, n.against): n.trials for n in tuning_needs(curves, higher_is_better=True)}
    assert found == {("pretrained", "scratch"): 1, ("scratch", "pretrained"): None}


def test_arms_at_different_sizes_are_not_compared() -> None:
    curves = tuning_curves([sweep("pretrained", 0.7), dataclasses.replace(sweep("scratch", 0.5), size=400)])
    assert tuning_needs(curves, higher_is_better=True) == ()


def test_a_sweep_without_any_value_has_no_curve() -> None:
    assert tuning_curves([sweep("scratch", None, None)]) == ()


def test_unequal_budgets_are_refused_and_equal_ones_are_said() -> None:
    assert equal_budget(()) == ()
    (said,) = equal_budget([sweep("pretrained", 0.7, 0.8), sweep("scratch", 0.5, 0.6)])
    assert said.startswith("Same tuning budget: 2 trials for every arm")
    with pytest.raises(UnequalStartError, match=r"pretrained n=100: 2 trials.*scratch n=100: 1 trials"):
        equal_budget([sweep("pretrained", 0.7, 0.8), sweep("scratch", 0.5)])
