"""Which paused trials go on, and how little is trained until the best are known."""

import dataclasses
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sweep.successive_halving import RUNGS, HalvingTrial, losses_at, next_to_go_on, rungs_of

curves = st.lists(st.tuples(*[st.floats(0, 1)] * 3), min_size=1, max_size=30)  # losses at the rungs and the end


def raced(curves: Sequence[tuple[float, ...]]) -> tuple[list[int], dict[int, int]]:
    """Who goes on in turn where all have paused once, and how many rungs each has come past."""
    passed = dict.fromkeys(range(len(curves)), 0)
    order = []
    while (number := next_to_go_on(standing(curves, passed), len(curves))) is not None:
        passed[number] += 1
        order.append(number)
    return order, passed


def standing(curves: Sequence[tuple[float, ...]], passed: dict[int, int]) -> list[HalvingTrial]:
    return [
        HalvingTrial(number=n, losses=curve[: min(passed[n] + 1, len(RUNGS))], paused=passed[n] < len(RUNGS))
        for n, curve in enumerate(curves)
    ]


@given(curves)
def test_the_better_half_comes_to_the_half_and_the_best_sixth_to_the_end(curves: list[tuple[float, ...]]) -> None:
    _, passed = raced(curves)
    asked = len(curves)
    at_half, at_end = ({n for n, count in passed.items() if count >= least} for least in (1, 2))
    assert (len(at_half), len(at_end)) == (max(1, asked // 2), max(1, asked // 6))
    best = sorted(range(asked), key=lambda n: (curves[n][0], n))[: len(at_half)]
    assert at_half == set(best)
    assert at_end == set(sorted(best, key=lambda n: (curves[n][1], n))[: len(at_end)])


@given(curves)
def test_half_of_the_training_is_enough(curves: list[tuple[float, ...]]) -> None:
    _, passed = raced(curves)
    share = sum({0: 1 / 4, 1: 1 / 2, 2: 1}[count] for count in passed.values()) / len(curves)
    assert share <= 0.5 or len(curves) < 6


@given(curves, st.sets(st.integers(0, 29)))
def test_no_one_goes_on_whom_those_still_on_their_way_could_push_out(
    curves: list[tuple[float, ...]], late: set[int]
) -> None:
    waiting = [
        HalvingTrial(number=c.number, losses=() if c.number in late else c.losses, paused=c.number not in late)
        for c in standing(curves, dict.fromkeys(range(len(curves)), 0))
    ]
    _, passed = raced(curves)
    number = next_to_go_on(waiting, len(curves))
    assert number is None or passed[number] >= 1
    nobody_late = not late & set(range(len(curves)))
    assert number is not None or not nobody_late


@given(curves)
def test_the_own_recipe_goes_on_beside_the_others_however_few_they_are(curves: list[tuple[float, ...]]) -> None:
    def all_of(passed: dict[int, int]) -> list[HalvingTrial]:
        return [dataclasses.replace(c, recipe=c.number == 0) for c in standing(curves, passed)]

    passed = dict.fromkeys(range(len(curves)), 0)
    while (number := next_to_go_on(all_of(passed), len(curves))) is not None:
        passed[number] += 1
    others = [count for n, count in passed.items() if n]
    assert passed[0] == len(RUNGS)
    assert others.count(2) == min(len(others), max(1, len(curves) // 6))


def test_a_trial_that_fails_makes_room_for_the_next() -> None:
    two = [HalvingTrial(number=n, losses=(value,), paused=True) for n, value in enumerate((0.1, 0.2))]
    assert next_to_go_on(two, 2) == 0
    assert next_to_go_on(two[1:], 2) == 1


@pytest.mark.parametrize(
    ("length", "rungs"), [(2000, (400, 800)), (1200, (400, 400)), (800, (400, 400)), (400, ()), (8000, (2000, 4000))]
)
def test_pauses_are_from_regular_evaluations_on(length: int, rungs: tuple[int, ...]) -> None:
    assert rungs_of(length, first=400, interval=400) == rungs


def test_what_counts_at_a_rung_is_the_least_loss_up_to_the_evaluation_there() -> None:
    seen = {100: 0.5, 200: 0.3, 300: 0.4, 400: 0.1}
    assert losses_at((200, 300), seen, over=False) == (0.3, 0.3)
    assert losses_at((200, 300), {100: 0.5, 210: 0.4}, over=False) == (0.4,)  # the first evaluation beyond it
    assert losses_at((400, 1200), {412: 0.5, 814: 0.6}, over=False) == (0.5,)
    assert losses_at((), {100: 0.5, 200: 0.6}, over=True) == (0.5, 0.5)
    assert losses_at((), {}, over=False) == ()
