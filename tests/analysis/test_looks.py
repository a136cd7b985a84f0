"""Planned looks keep the error of a study; the full tables are in docs/errors.md."""

import numpy as np
import pytest

from pipeline.analysis.crossed_interval import crossed_mean
from tests.analysis.coverage import of_scores
from tests.analysis.looks import (
    DELTA,
    LONGER,
    MIXES,
    PLANNED,
    UNPLANNED,
    Plans,
    course,
    differences,
    family_wise_error,
    promised_and_kept,
)

REPETITIONS = 1000
ALLOWED = 0.05 + 2 * float(np.sqrt(0.05 * 0.95 / REPETITIONS))


@pytest.mark.parametrize("mix", MIXES.values(), ids=MIXES.keys())
@pytest.mark.parametrize("claims", [1, 5])
@pytest.mark.parametrize("effect", [0.0, DELTA], ids=["A/A", "at delta"])
def test_wrong_verdicts_on_any_claim_are_as_rare_as_promised(mix, claims, effect):
    rng = np.random.default_rng([21, claims])
    rate = family_wise_error(rng, mix, PLANNED, claims=claims, effect=effect, repetitions=REPETITIONS, items=60)
    assert rate <= ALLOWED


def test_the_whole_error_at_each_look_breaks_the_promise():
    rng = np.random.default_rng(22)
    rate = family_wise_error(
        rng, MIXES["seeds alone"], UNPLANNED, claims=1, effect=DELTA, repetitions=REPETITIONS, items=60
    )
    assert rate > ALLOWED


def test_a_look_of_the_simulation_is_judged_as_the_pipeline_would():
    scores = differences(np.random.default_rng(23), MIXES["mixed"], 20, seeds=20, items=60) + np.float32(0.05)
    found = course([of_scores(scores[:, :count], 0.0) for count in PLANNED.seeds], PLANNED, 5, 0.0)
    for one, settled, seeds in zip(scores, found.settled, found.seeds, strict=True):
        at = {}
        for count, share in zip(PLANNED.seeds, PLANNED.spend, strict=True):
            mean = crossed_mean(one[:count])
            half = mean.guarded_half_width(1 - 0.05 / 5 * share)
            low, high = mean.value - half, mean.value + half
            at[count] = low >= DELTA or high < DELTA
        assert settled == any(at.values())
        assert seeds == next((count for count, held in at.items() if held), 20)


def test_the_chance_that_the_next_look_settles_a_claim_is_no_more_than_comes_true():
    stated, kept = promised_and_kept(np.random.default_rng(24), MIXES["mixed"], 0.95, 800)
    assert stated <= kept + 0.05
    assert kept - stated < 0.3


@pytest.mark.parametrize("mix", MIXES.values(), ids=MIXES.keys())
def test_looks_take_few_seeds_where_the_effect_is_large_and_little_more_where_it_is_as_planned(mix):
    plans = Plans(np.random.default_rng(25), mix, 400)
    assert plans.supported(LONGER, plans.planned) >= 0.8
    assert plans.seeds(LONGER, plans.planned) <= 1.25
    assert plans.seeds(LONGER, 2.0 * plans.planned) <= 0.62
    assert plans.smallest(2.0 * plans.planned) <= plans.seeds(LONGER, 2.0 * plans.planned)
