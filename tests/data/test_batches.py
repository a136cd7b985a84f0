"""Batches visit every example once an epoch, in an order fixed by the seed, with little padding."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.data.batches import EVALUATED_TOKENS, batch_schedule, evaluation_batches, rank_slice

SIZES = st.integers(1, 300)
BATCHES = st.integers(1, 40)
SEEDS = st.integers(0, 100)


def lengths_of(n: int) -> np.ndarray:
    return np.random.default_rng(n).integers(3, 60, size=n)


@given(n=SIZES, batch=BATCHES, seed=SEEDS, epochs=st.integers(1, 3))
def test_each_epoch_visits_each_example_once(n: int, batch: int, seed: int, epochs: int) -> None:
    seen = np.concatenate(batch_schedule(lengths_of(n), batch=batch, examples=n * epochs, seed=seed))
    assert len(seen) == n * epochs
    for epoch in range(epochs):
        assert sorted(seen[epoch * n : (epoch + 1) * n]) == list(range(n))


@given(n=SIZES, batch=BATCHES, seed=SEEDS)
def test_every_batch_is_whole_except_the_last_of_an_epoch(n: int, batch: int, seed: int) -> None:
    *others, last = [len(b) for b in batch_schedule(lengths_of(n), batch=batch, examples=n, seed=seed)]
    assert all(size == batch for size in others)
    assert last == n if n < batch else batch / 2 <= last < 1.5 * batch


@given(n=SIZES, batch=BATCHES, seed=SEEDS, short=st.integers(1, 500), more=st.integers(0, 500))
def test_a_longer_schedule_starts_with_the_shorter_one(n: int, batch: int, seed: int, short: int, more: int) -> None:
    first = batch_schedule(lengths_of(n), batch=batch, examples=short, seed=seed)
    longer = batch_schedule(lengths_of(n), batch=batch, examples=short + more, seed=seed)
    assert len(longer) >= len(first)
    assert all(np.array_equal(a, b) for a, b in zip(first, longer, strict=False))


@given(n=SIZES, batch=BATCHES, seed=SEEDS, examples=st.integers(1, 700))
def test_a_schedule_stops_with_the_batch_that_reaches_the_examples(
    n: int, batch: int, seed: int, examples: int
) -> None:
    schedule = batch_schedule(lengths_of(n), batch=batch, examples=examples, seed=seed)
    assert sum(map(len, schedule)) >= examples > sum(map(len, schedule[:-1]))


def test_another_seed_gives_another_order_and_every_epoch_its_own() -> None:
    one, other = (batch_schedule(lengths_of(200), batch=16, examples=400, seed=seed) for seed in (1, 2))
    assert np.concatenate(one).tolist() != np.concatenate(other).tolist()
    assert np.concatenate(one)[:200].tolist() != np.concatenate(one)[200:].tolist()


def padding_waste(lengths: np.ndarray, schedule: list[np.ndarray]) -> float:
    """The share of padding among all positions when each batch is padded to its longest text."""
    positions = sum(int(lengths[rows].max()) * len(rows) for rows in schedule)
    return 1 - sum(int(lengths[rows].sum()) for rows in schedule) / positions


@given(lengths=st.lists(st.integers(1, 5000), min_size=1, max_size=300), texts=st.sampled_from((1, 8, 256)))
def test_evaluation_batches_hold_each_text_once_in_ascending_length_and_are_as_large_as_allowed(
    lengths: list[int], texts: int
) -> None:
    found = evaluation_batches(np.array(lengths), texts=texts)
    order = np.concatenate(found)
    assert sorted(order.tolist()) == list(range(len(lengths)))
    assert np.all(np.diff(np.array(lengths)[order]) >= 0)

    def allowed(batch: np.ndarray) -> bool:
        return len(batch) <= texts and len(batch) * max(lengths[i] for i in batch) <= EVALUATED_TOKENS

    assert all(len(batch) == 1 or allowed(batch) for batch in found)
    for batch, following in itertools.pairwise(found):
        assert not allowed(np.append(batch, following[0]))


def test_length_buckets_waste_far_less_padding_than_random_batches() -> None:
    lengths = np.random.default_rng(0).integers(5, 60, size=6400)
    random = np.split(np.random.default_rng(1).permutation(6400), 200)
    bucketed = batch_schedule(lengths, batch=32, examples=6400, seed=0)
    assert padding_waste(lengths, random) > 0.4
    assert padding_waste(lengths, bucketed) < 0.05


def test_batches_of_a_small_set_mix_from_epoch_to_epoch() -> None:
    schedule = batch_schedule(lengths_of(96), batch=32, examples=192, seed=0)
    assert {frozenset(b.tolist()) for b in schedule[:3]} != {frozenset(b.tolist()) for b in schedule[3:]}


def test_long_and_short_batches_come_in_no_order() -> None:
    lengths = np.sort(lengths_of(3200))
    means = [lengths[b].mean() for b in batch_schedule(lengths, batch=32, examples=3200, seed=0)]
    assert abs(np.corrcoef(means, np.arange(len(means)))[0, 1]) < 0.3


@given(size=st.integers(1, 70), world=st.integers(1, 8))
def test_ranks_share_a_batch_evenly_without_overlap(size: int, world: int) -> None:
    parts = [rank_slice(np.arange(size), rank, world) for rank in range(world)]
    assert sorted(np.concatenate(parts)) == list(range(size))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
