"""Trials that pause and go on are one trial each, whoever works on the sweep and whoever dies."""

from collections.abc import Sequence
from pathlib import Path

from optuna.trial import TrialState
from registry_kit import registry, search

from pipeline.files import lock
from pipeline.sweep.trial_lineage import LOSSES, PAUSED_AT, RUNGS, number_of
from pipeline.sweep.trial_registry import TrialRegistry

PAUSING = ("sweep.pruner=pausing", "sweep.from_recipe=false")


def climb(found: TrialRegistry, seen: Sequence[float], *, most: int = 1000) -> int:
    """Trials that pause at 1 and at 2 of three examples, with the value in `seen` throughout; how many were begun."""
    begun = 0
    with lock(found.lock_file(found.holder)):
        while begun < most and (next_one := found.begin()):
            trial, _ = next_one
            begun += 1
            trial.set_user_attr(RUNGS, [1, 2])
            value = seen[number_of(trial)]
            pause = trial.user_attrs.get(PAUSED_AT, 0) + 1
            for at in range(1, pause + 1):
                trial.report(value, at)
            trial.set_user_attr(LOSSES, dict.fromkeys(range(1, pause + 1), -value))
            over = pause == 3
            found.finish(trial, [value] if over else None, TrialState.COMPLETE if over else TrialState.PRUNED)
    return begun


def test_paused_trials_go_on_under_their_own_number_and_the_total_stays(tmp_path: Path) -> None:
    values = [i % 7 / 10 + i / 1000 for i in range(10)]
    found = registry(tmp_path, "sweep.trials=10", *PAUSING)
    assert not found.over()
    assert climb(found, values) == 10 + 5 + 1
    assert found.over()
    assert sorted(number_of(t) for t in found.counted()) == list(range(10))
    best = sorted(range(10), key=lambda n: -values[n])
    assert {number_of(t) for t in found.counted() if t.state == TrialState.COMPLETE} == set(best[:1])
    assert {number_of(t) for t in found.paused()} == set(best[1:])
    assert [number_of(t) for t in found.best()] == best[:1]


def test_a_race_that_is_interrupted_anywhere_ends_as_one_that_is_not(tmp_path: Path) -> None:
    values = [i % 7 / 10 + i / 1000 for i in range(10)]
    for _ in range(16):
        assert climb(registry(tmp_path, "sweep.trials=10", *PAUSING), values, most=1) == 1
    found = registry(tmp_path, "sweep.trials=10", *PAUSING)
    assert found.over()
    assert climb(found, values) == 0


def test_a_trial_that_is_lost_while_it_goes_on_is_begun_again_under_its_number(tmp_path: Path) -> None:
    values = [0.1, 0.2, 0.3, 0.4, 0.5]
    with lock((one := registry(tmp_path, "sweep.trials=5", *PAUSING)).lock_file(one.holder)):
        pass  # a holder that is gone
    assert climb(one, values, most=5) == 5
    begun = one.begin()
    assert begun is not None
    assert (number_of(begun[0]), begun[0].user_attrs[PAUSED_AT]) == (4, 1)
    another = registry(tmp_path, "sweep.trials=5", *PAUSING)
    assert not another.over()
    assert climb(another, values) == 1 + 1 + 1  # the lost one, the second of the half, the best to the end
    assert sorted(number_of(t) for t in another.counted()) == list(range(5))
    assert [number_of(t) for t in another.best()] == [4]


def test_a_larger_total_lets_more_of_those_that_have_paused_go_on(tmp_path: Path) -> None:
    values = [i / 40 for i in range(40)]  # the first five have used up seven of Optuna's numbers
    climb(registry(tmp_path, "sweep.trials=5", *PAUSING), values)
    found = registry(tmp_path, "sweep.trials=20", *PAUSING)
    assert climb(found, values) > 0
    assert sum(t.state == TrialState.COMPLETE for t in found.counted()) == 3 + 1  # that of the first five, too
    assert len(found.counted()) == 20


def test_trials_of_a_sweep_that_did_not_pause_take_part_as_they_ended(tmp_path: Path) -> None:
    search(registry(tmp_path, "sweep.trials=3"))
    found = registry(tmp_path, "sweep.trials=10", *PAUSING)
    climb(found, [0.5] * 3 + [-1 + i / 10 for i in range(7)])
    assert found.over()
    assert len(found.counted()) == 10


def test_the_arms_own_recipe_comes_to_its_end_however_it_begins(tmp_path: Path) -> None:
    values = [-1.0, *(i / 10 for i in range(1, 10))]
    found = registry(tmp_path, "sweep.trials=10", "sweep.pruner=pausing")
    assert climb(found, values) == 10 + (5 + 1) + (1 + 1)
    assert {number_of(t) for t in found.counted() if t.state == TrialState.COMPLETE} == {0, 9}


def test_a_trial_that_another_pruner_gave_up_on_its_way_stays_given_up(tmp_path: Path) -> None:
    found = registry(tmp_path, "sweep.trials=2", *PAUSING)
    assert climb(found, [0.1, 0.2], most=2) == 2
    going_on = found.begin()
    assert going_on is not None
    assert number_of(going_on[0]) == 1
    found.finish(going_on[0], None, TrialState.PRUNED)  # by a median, say
    assert climb(registry(tmp_path, "sweep.trials=2", *PAUSING), [0.1, 0.2]) == 2
    assert [number_of(t) for t in found.best()] == [0]
