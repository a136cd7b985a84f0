"""When a training is evaluated, how long it lasts, and its learning rate."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config.rules.closed_sets import words
from pipeline.config.schema import Decay, Recipe
from pipeline.data.batches import batch_schedule
from pipeline.training.loop.evaluation_schedule import due_steps, evaluation_grid, horizon, regular_interval
from pipeline.training.loop.lightning_module import factor

examples = st.integers(1, 20_000)
batches = st.integers(1, 128)


@given(interval=examples, batch=batches, shorter=examples, longer=examples)
def test_the_grid_of_a_longer_schedule_starts_with_that_of_a_shorter_one(
    interval: int, batch: int, shorter: int, longer: int
) -> None:
    shorter, longer = sorted((shorter, longer))
    interval = max(interval, batch)
    short = evaluation_grid(interval=interval, batch=batch, until=shorter)
    long = evaluation_grid(interval=interval, batch=batch, until=longer)
    assert long[: len(short)] == short


def test_the_grid_doubles_from_four_batches_and_then_takes_even_steps() -> None:
    grid = evaluation_grid(interval=400, batch=32, until=1300)
    assert grid == (0, 128, 256, 400, 800, 1200)
    assert evaluation_grid(interval=400, batch=32, until=1300, early=False) == (400, 800, 1200)


def test_from_eight_regular_points_on_each_doubling_of_the_examples_has_four() -> None:
    grid = evaluation_grid(interval=100, batch=32, until=6400)
    assert grid[1:9] == tuple(range(100, 900, 100))
    assert grid[9:] == (1000, 1200, 1400, 1600, 2000, 2400, 2800, 3200, 4000, 4800, 5600, 6400)


@given(interval=examples, length=examples)
def test_a_schedule_of_eight_regular_points_has_two_evaluations_in_either_of_its_last_quarters(
    interval: int, length: int
) -> None:
    end = 8 * interval + length
    points = [*evaluation_grid(interval=interval, batch=32, until=end, early=False), end]
    assert len({p for p in points if end / 2 < p <= 3 * end / 4}) >= 2
    assert len({p for p in points if 3 * end / 4 < p}) >= 2


def test_regular_evaluations_are_an_eighth_of_the_subset_or_of_3200_examples_if_that_is_more() -> None:
    assert regular_interval(items=25, batch=32, every=None) == 400
    assert regular_interval(items=8000, batch=32, every=None) == 1000
    assert regular_interval(items=8000, batch=32, every=96) == 96
    assert regular_interval(items=8000, batch=32, every=8) == 32


def test_a_schedule_lasts_its_epochs_or_its_least_number_of_steps() -> None:
    recipe = Recipe(epochs=3, min_steps=60)
    assert horizon(recipe, items=1000, batch=32) == 3000
    assert horizon(recipe, items=100, batch=32) == 60 * 32
    assert horizon(recipe, items=25, batch=32) == 60 * 25


def test_a_schedule_ends_at_its_greatest_number_of_steps_and_small_subsets_do_not_reach_it() -> None:
    recipe = Recipe(epochs=3, min_steps=60, max_steps=100)
    assert horizon(recipe, items=8000, batch=32) == 100 * 32
    assert horizon(recipe, items=1000, batch=32) == 3000
    assert horizon(recipe, items=100, batch=32) == 60 * 32


@given(items=st.integers(1, 300), batch=batches, length=st.integers(1, 2000), interval=examples)
def test_validation_is_due_at_the_first_step_past_each_grid_point_and_always_at_the_last(
    items: int, batch: int, length: int, interval: int
) -> None:
    schedule = batch_schedule(np.full(items, 5), batch=batch, examples=length, seed=0)
    seen = [int(n) for n in np.cumsum([len(rows) for rows in schedule])]
    due = due_steps(evaluation_grid(interval=max(interval, batch), batch=batch, until=seen[-1]), seen)
    assert 0 in due
    assert len(seen) in due
    for step, point in due.items():
        assert step == 0 or seen[step - 1] >= point
        assert step < 2 or seen[step - 2] < point


@given(items=st.integers(2, 200), batch=batches, short=st.integers(1, 800), more=st.integers(0, 800))
def test_arms_with_different_schedules_share_every_evaluation_but_the_shorter_ones_last(
    items: int, batch: int, short: int, more: int
) -> None:
    found = []
    for length in (short, short + more):
        schedule = batch_schedule(np.arange(items) % 30 + 3, batch=batch, examples=length, seed=4)
        seen = [int(n) for n in np.cumsum([len(rows) for rows in schedule])]
        interval = regular_interval(items=items, batch=batch, every=None)
        found.append((len(seen), set(due_steps(evaluation_grid(interval=interval, batch=batch, until=seen[-1]), seen))))
    (last, first), (_, second) = found
    assert first - {last} == {step for step in second if step < last}


def test_the_learning_rate_warms_up_and_decays_as_computed_by_hand() -> None:
    warm = [factor(step, total=10, warmup=0.4, decay="linear", cooldown=0.2) for step in range(10)]
    assert warm == pytest.approx([0.25, 0.5, 0.75, 1, 1, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6])
    assert factor(7, total=10, warmup=0.4, decay="cosine", cooldown=0.2) == pytest.approx(0.5)
    assert factor(9, total=10, warmup=0.4, decay="constant", cooldown=0.2) == 1
    assert factor(0, total=10, warmup=0.0, decay="linear", cooldown=0.2) == 1
    stable = [factor(step, total=10, warmup=0.1, decay="warmup_stable_decay", cooldown=0.4) for step in range(10)]
    assert stable == pytest.approx([1, 1, 1, 1, 1, 1, 1, 3 / 4, 2 / 4, 1 / 4])


@given(
    total=st.integers(1, 500),
    warmup=st.floats(0, 0.99),
    decay=st.sampled_from(words(Decay)),
    share=st.floats(0, 1),
)
def test_the_learning_rate_stays_between_nothing_and_its_peak(
    total: int, warmup: float, decay: Decay, share: float
) -> None:
    value = factor(math.floor(share * total), total=total, warmup=warmup, decay=decay, cooldown=0.2)
    assert 0 <= value <= 1
    rising = max(1, math.ceil(warmup * total))
    if decay != "warmup_stable_decay" or rising <= 0.8 * total:
        assert factor(rising - 1, total=total, warmup=warmup, decay=decay, cooldown=0.2) == 1
