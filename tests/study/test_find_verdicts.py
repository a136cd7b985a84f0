"""Verdicts on claims, and their sentences."""

import re

import numpy as np
import pytest

from pipeline.config.schema import Base, Claim, Study, Task
from pipeline.records import Verdict
from pipeline.study.finding.find import find
from tests.study.synthetic_cells import SyntheticCell, loader, synthetic_cells

ARMS = ("pretrained", "frozen", "scratch")
SIZES: tuple[int | str, ...] = (25, 100, 400, 1600)


def make_cells(seeds: int = 6, items: int = 1500) -> list[SyntheticCell]:
    rng = np.random.default_rng(1)
    return synthetic_cells(ARMS, SIZES, range(seeds), items, rng, out_of_domain=("imdb",), out_items=400)


@pytest.fixture(scope="module")
def cells() -> list[SyntheticCell]:
    return make_cells()


def judge(cells: list[SyntheticCell], *claims: Claim, seeds: int = 6, target: float | None = 0.7) -> list[Verdict]:
    study = Study(
        name="s",
        arms=ARMS,
        sizes=SIZES,
        seeds=tuple(range(seeds)),
        target=target,
        claims={f"claim{i}": claim for i, claim in enumerate(claims)},
    )
    results = [result for result, _ in cells]
    return list(find(study, results, loader(cells), base=Base(name="minilm"), task=Task(name="sentiment")).verdicts)


def test_a_large_difference_is_supported_in_a_sentence_for_people(cells):
    (found,) = judge(cells, Claim(size=100, delta=0.02))
    assert found.verdict == "supported"
    assert re.fullmatch(
        r"Supported: pretrained scores \d+\.\d points more than scratch at 100 labels "
        r"\(95% interval \d+\.\d to \d+\.\d; 6 seeds x 1,500 items\); the smallest effect that matters is 2 points\.",
        found.sentence,
    )


def test_a_difference_in_the_other_direction_is_refuted_as_opposite(cells):
    (found,) = judge(cells, Claim(arm="scratch", against="pretrained", size=100))
    assert found.verdict == "refuted"
    assert found.sentence.startswith("Refuted (opposite): scratch scores")
    assert "points less than pretrained" in found.sentence
    assert "interval of the difference -" in found.sentence


def test_a_real_but_small_difference_is_refuted_as_too_small(cells):
    (found,) = judge(cells, Claim(size=100, delta=0.4))
    assert found.sentence.startswith("Refuted (too small): pretrained scores")


def test_a_difference_near_the_smallest_that_matters_is_open_and_names_the_seeds(cells):
    measured = judge(cells, Claim(size=100))[0].estimate
    assert measured is not None
    (found,) = judge(cells, Claim(size=100, delta=measured.value - 0.004))
    assert found.verdict == "inconclusive"
    assert found.seeds_needed is None or found.seeds_needed > 6
    assert found.remedy in found.sentence
    assert ("A new study would need" if found.seeds_needed else "more test items would") in found.remedy


def test_a_claim_of_less_is_judged_in_its_own_direction(cells):
    (found,) = judge(cells, Claim(arm="scratch", against="pretrained", size=100, direction="lower"))
    assert found.verdict == "supported"
    assert found.estimate is not None
    assert found.estimate.value < 0


def test_smallest_and_largest_name_sizes(cells):
    smallest, largest = judge(cells, Claim(size="smallest"), Claim(size="largest"))
    assert (smallest.size, largest.size) == (25, 1600)


def test_claims_share_the_error_of_the_study(cells):
    found = judge(cells, *[Claim(size=size) for size in SIZES])
    assert {round(v.estimate.level, 6) for v in found if v.estimate} == {0.9875}


def test_a_label_multiplier_is_judged_as_a_ratio(cells):
    supported, refuted, open_ = judge(
        cells,
        Claim(metric="label_multiplier", size=100, delta=2.0),
        Claim(metric="label_multiplier", size=25, delta=50.0),
        Claim(metric="label_multiplier", size=1600, delta=2.0),
    )
    assert supported.verdict == "supported"
    assert "with 100 labels pretrained does as well as scratch with" in supported.sentence
    assert refuted.verdict == "refuted"
    assert open_.verdict == "inconclusive"
    assert "Larger sizes of scratch" in open_.remedy


def test_a_ratio_claimed_to_be_lower_reads_two_and_a_half_alike(cells):
    half, two = (
        Claim(metric="label_multiplier", arm="scratch", against="pretrained", size=400, direction="lower", delta=d)
        for d in (0.5, 2.0)
    )
    assert [v.verdict for v in judge(cells, half, two)] == ["supported", "supported"]


def test_cost_to_target_is_judged_from_its_ratio_or_its_bound(cells):
    coarse, bound = judge(
        cells,
        Claim(metric="flops_to_target", size=1600, delta=1.5),
        Claim(metric="examples_to_target", size=100, delta=2.0),
    )
    assert "times the FLOPs of pretrained to reach 70.0% on validation" in coarse.sentence
    assert coarse.verdict == "inconclusive"  # the points of the trajectories allow less
    assert bound.verdict == "supported"
    assert "more than 8 times the training examples" in bound.sentence


def test_a_cost_that_no_run_reaches_is_open_with_a_remedy(cells):
    (found,) = judge(cells, Claim(metric="flops_to_target", size=25), target=0.99)
    assert found.verdict == "inconclusive"
    assert "Longer training" in found.remedy


def test_early_area_and_generalisation_gaps_are_judged(cells):
    early, gap = judge(
        cells,
        Claim(metric="early_area", size=400),
        Claim(metric="generalisation_gap", size=1600, dataset="imdb", direction="lower", delta=0.2),
    )
    assert early.verdict == "supported"
    assert "on validation" in early.sentence
    assert gap.verdict == "refuted"
    assert "from the test to imdb pretrained loses" in gap.sentence


def test_what_arms_tell_before_training_and_what_training_brings_are_judged(cells):
    initial, gain, own = judge(
        cells,
        Claim(metric="initial_score", size=400, delta=0.05),
        Claim(metric="gain_over_start", size=400),
        Claim(metric="gain_over_start", size=400, arm="pretrained", against="pretrained"),
    )
    starts = {a: _points(cells, a, 0) for a in ("pretrained", "scratch")}
    assert initial.estimate.value == pytest.approx((starts["pretrained"] - starts["scratch"]).mean())
    assert "before training pretrained scores" in initial.sentence
    ends = _points(cells, "pretrained", -1)
    assert gain.estimate.value == pytest.approx((ends - starts["scratch"]).mean())
    assert "than the start of scratch on validation" in gain.sentence
    assert own.estimate.value == pytest.approx((ends - starts["pretrained"]).mean())
    assert "than its own start on validation" in own.sentence


def _points(cells: list[SyntheticCell], arm: str, point: int) -> np.ndarray:
    own = [result for result, _ in cells if (result.key.arm, result.key.size) == (arm, 400)]
    return np.array([r.trajectory[point].validation_score for r in sorted(own, key=lambda r: r.key.seed)])


def test_a_gap_of_an_arm_at_chance_is_not_judged(cells):
    (found,) = judge(cells, Claim(metric="generalisation_gap", size=25, dataset="imdb", delta=0.01))
    assert found.verdict == "inconclusive"
    assert "not above chance" in found.remedy


@pytest.mark.parametrize(
    ("claim", "target", "remedy"),
    [
        (Claim(metric="flops_to_target"), None, "set study.target"),
        (Claim(dataset="nowhere"), 0.7, "use one of test, imdb"),
        (Claim(metric="generalisation_gap"), 0.7, "A gap needs an out-of-domain set"),
        (Claim(arm="lora"), 0.7, "Run the study again"),
    ],
)
def test_a_claim_without_data_is_open_and_says_what_is_missing(cells, claim, target, remedy):
    (found,) = judge(cells, claim, target=target)
    assert (found.verdict, found.estimate) == ("inconclusive", None)
    assert remedy in found.remedy
    assert remedy in found.sentence


def test_one_seed_settles_nothing():
    found = judge(
        make_cells(1, 300),
        Claim(size=100),
        Claim(metric="label_multiplier", size=100, delta=2.0),
        Claim(metric="early_area", size=100),
        seeds=1,
    )
    assert {v.verdict for v in found} == {"inconclusive"}
    assert all("five or more" in v.remedy for v in found)


def test_one_test_item_settles_nothing():
    found = judge(make_cells(5, 1), Claim(size=100), Claim(metric="label_multiplier", size=100, delta=2.0), seeds=5)
    assert {v.verdict for v in found} == {"inconclusive"}
    assert all("use a larger test set" in v.sentence for v in found)
