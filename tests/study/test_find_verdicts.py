"""Verdicts on claims, and their sentences."""

import dataclasses
import re

import numpy as np
import pytest

from pipeline.config.schema import Base, Claim, Study, Task
from pipeline.records import Findings, Verdict
from pipeline.report.verdict_sentences import verdict_sentence
from pipeline.report.wording import MINUS, TIMES
from pipeline.study.finding.findings import Basis, find
from tests.study.synthetic_cells import SyntheticCell, loader, starting_well, synthetic_cells

ARMS = ("pretrained", "frozen", "scratch")
SIZES: tuple[int | str, ...] = (25, 100, 400, 1600)


def make_cells(seeds: int = 6, items: int = 1500) -> list[SyntheticCell]:
    rng = np.random.default_rng(1)
    return synthetic_cells(ARMS, SIZES, range(seeds), items, rng, out_of_domain=("imdb",), out_items=400)


@pytest.fixture(scope="module")
def cells() -> list[SyntheticCell]:
    return make_cells()


def judge(cells: list[SyntheticCell], *claims: Claim, seeds: int = 6, target: float | None = 0.7) -> list[Verdict]:
    return list(findings_of(cells, *claims, seeds=seeds, target=target).verdicts)


def said(cells: list[SyntheticCell], *claims: Claim, target: float | None = 0.7) -> list[str]:
    """The sentences on the claims."""
    found = findings_of(cells, *claims, target=target)
    return [verdict_sentence(found, verdict) for verdict in found.verdicts]


def findings_of(cells: list[SyntheticCell], *claims: Claim, seeds: int = 6, target: float | None = 0.7) -> Findings:
    study = Study(
        name="s",
        arms=ARMS,
        sizes=SIZES,
        seeds=tuple(range(seeds)),
        target=target,
        claims={f"claim{i}": claim for i, claim in enumerate(claims)},
    )
    results = [result for result, _ in cells]
    basis = Basis(study=study, base=Base(name="minilm"), task=Task(name="sentiment"))
    return find(basis, results, loader(cells))


def test_a_large_difference_is_supported_in_a_sentence_for_people(cells):
    (found,) = judge(cells, Claim(size=100, delta=0.02))
    assert found.verdict == "supported"
    assert re.fullmatch(
        r"Supported: pretrained scores \d+\.\d points more than scratch at 100 labels "
        rf"\(95% interval \d+\.\d to \d+\.\d; 6 seeds {TIMES} 1,500 items\); the smallest effect that matters is "
        r"2 points\.",
        said(cells, Claim(size=100, delta=0.02))[0],
    )


def test_a_difference_in_the_other_direction_is_refuted_as_opposite(cells):
    claim = Claim(arm="scratch", against="pretrained", size=100)
    (found,) = judge(cells, claim)
    assert (found.verdict, found.refutation) == ("refuted", "opposite")
    (text,) = said(cells, claim)
    assert text.startswith("Refuted (opposite): scratch scores")
    assert "points less than pretrained" in text
    assert f"interval of the difference {MINUS}" in text


def test_a_real_but_small_difference_is_refuted_as_too_small(cells):
    (found,) = judge(cells, Claim(size=100, delta=0.4))
    assert (found.verdict, found.refutation) == ("refuted", "too_small")
    assert said(cells, Claim(size=100, delta=0.4))[0].startswith("Refuted (too small): pretrained scores")


def test_a_difference_near_the_smallest_that_matters_is_open_and_names_the_seeds(cells):
    measured = judge(cells, Claim(size=100))[0].estimate
    assert measured is not None
    (found,) = judge(cells, Claim(size=100, delta=measured.value - 0.004))
    assert found.verdict == "inconclusive"
    assert found.seeds_needed is None or found.seeds_needed > 6
    assert found.helps == ("seeds" if found.seeds_needed else "test_items")
    (text,) = said(cells, Claim(size=100, delta=measured.value - 0.004))
    assert ("A new study would need" if found.seeds_needed else "more test items would") in text


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


def test_a_label_multiplier_is_judged_by_scores_at_that_many_labels(cells):
    claims = (
        Claim(metric="label_multiplier", size=100, delta=4.0),
        Claim(metric="label_multiplier", size=25, delta=64.0),
        Claim(metric="label_multiplier", size=1600, delta=2.0),
    )
    cells = starting_well(cells)
    supported, refuted, outside = judge(cells, *claims)
    assert (supported.verdict, supported.labels_against) == ("supported", 400)
    assert supported.estimate.value == pytest.approx(mean(cells, "pretrained", 100) - mean(cells, "scratch", 400))
    assert (refuted.verdict, refuted.refutation) == ("refuted", "too_small")
    assert (outside.verdict, outside.estimate) == ("inconclusive", None)
    assert [(o.kind, o.numbers) for o in outside.obstacles] == [("size_outside", {"labels": 3200})]
    texts = said(cells, *claims)
    assert re.search(r"with 100 labels pretrained is \d+\.\d points better than scratch with 400, 1.6 times", texts[0])
    assert "1.6 times as many counting the 400 validation labels of both (9" in texts[0]
    assert "Inconclusive: it cannot be judged." in texts[2]
    assert "Add 3200 to study.sizes." in texts[2]


def test_between_two_sizes_a_multiplier_is_read_linearly_in_the_logarithm(cells):
    between = Claim(metric="label_multiplier", size=100, delta=2.0)
    (found,) = judge(cells, between)
    assert [(t.arm, t.size, t.weight) for t in found.terms] == [
        ("pretrained", 100, 1.0), ("scratch", 100, pytest.approx(-0.5)), ("scratch", 400, pytest.approx(-0.5)),
    ]  # fmt: skip
    halfway = (mean(cells, "scratch", 100) + mean(cells, "scratch", 400)) / 2
    assert found.estimate.value == pytest.approx(mean(cells, "pretrained", 100) - halfway)
    assert "than scratch with 200 (read between 100 and 400)" in said(cells, between)[0]


def test_between_two_sizes_the_interval_holds_the_differences_from_both(cells):
    """Else a curve that bends there, and is read as if it were straight, would support what is not so."""
    (found,) = judge(cells, Claim(metric="label_multiplier", size=100, delta=2.0))
    smaller, larger = (judge(cells, Claim(metric="label_multiplier", size=100, delta=d))[0] for d in (1.0 + 1e-9, 4.0))
    assert found.estimate.low == pytest.approx(larger.estimate.low)
    assert found.estimate.high == pytest.approx(smaller.estimate.high, abs=1e-6)
    assert found.estimate.p is None
    (open_,) = judge(cells, Claim(metric="label_multiplier", size=25, delta=9.0))
    assert (open_.verdict, open_.helps) == ("inconclusive", "size_between")
    assert "Add 225 to study.sizes" in said(cells, Claim(metric="label_multiplier", size=25, delta=9.0))[0]


def test_a_multiplier_with_a_margin_may_lose_that_much(cells):
    planted = Claim(metric="label_multiplier", size=100, delta=8.0)  # what the cells are made with
    strict, allowed = judge(
        starting_well(cells), planted, dataclasses.replace(planted, test="not_inferior", margin=0.1)
    )
    assert (strict.verdict, allowed.verdict) == ("inconclusive", "supported")
    assert strict.estimate == allowed.estimate


def mean(cells: list[SyntheticCell], arm: str, size: int) -> float:
    """The mean score on the test set."""
    own = [scores for result, scores in cells if (result.key.arm, result.key.size) == (arm, size)]
    return float(np.mean([scores["score"][scores["dataset"] == 0].mean(dtype=np.float64) for scores in own]))


def test_a_ratio_claimed_to_be_lower_reads_two_and_a_half_alike(cells):
    half, two = (
        Claim(metric="label_multiplier", arm="scratch", against="pretrained", size=400, direction="lower", delta=d)
        for d in (0.5, 2.0)
    )
    assert [v.verdict for v in judge(starting_well(cells), half, two)] == ["supported", "supported"]


def test_early_area_and_generalisation_gaps_are_judged(cells):
    claims = (
        Claim(metric="early_area", size=400),
        Claim(metric="generalisation_gap", size=1600, dataset="imdb", direction="lower", delta=0.2),
    )
    assert [v.verdict for v in judge(starting_well(cells), *claims)] == ["supported", "refuted"]
    of_area, of_gap = said(cells, *claims)
    assert "on validation" in of_area
    assert "from the test to imdb pretrained loses" in of_gap


def test_what_arms_tell_before_training_and_what_training_brings_are_judged(cells):
    claims = (
        Claim(metric="initial_score", size=400, delta=0.05),
        Claim(metric="gain_over_start", size=400),
        Claim(metric="gain_over_start", size=400, arm="pretrained", against="pretrained"),
    )
    initial, gain, own = judge(cells, *claims)
    of_start, of_gain, of_own = said(cells, *claims)
    starts = {a: _points(cells, a, 0) for a in ("pretrained", "scratch")}
    assert initial.estimate.value == pytest.approx((starts["pretrained"] - starts["scratch"]).mean())
    assert "before training pretrained scores" in of_start
    ends = _points(cells, "pretrained", -1)
    assert gain.estimate.value == pytest.approx((ends - starts["scratch"]).mean())
    assert "than the start of scratch on validation" in of_gain
    assert own.estimate.value == pytest.approx((ends - starts["pretrained"]).mean())
    assert "than its own start on validation" in of_own


def _points(cells: list[SyntheticCell], arm: str, point: int) -> np.ndarray:
    own = [result for result, _ in cells if (result.key.arm, result.key.size) == (arm, 400)]
    return np.array([r.trajectory[point].validation_score for r in sorted(own, key=lambda r: r.key.seed)])


def test_a_gap_of_an_arm_at_chance_is_not_judged(cells):
    claim = Claim(metric="generalisation_gap", size=25, dataset="imdb", delta=0.01)
    (found,) = judge(cells, claim)
    assert found.verdict == "inconclusive"
    assert [(o.kind, o.arm, o.dataset) for o in found.obstacles] == [("at_chance", "scratch", "imdb")]
    assert found.obstacles[0].numbers["low"] <= found.obstacles[0].numbers["chance"] == 0.5
    assert "scratch is not above chance on imdb" in said(cells, claim)[0]


@pytest.mark.parametrize(
    ("claim", "kind", "remedy"),
    [
        (Claim(dataset="nowhere"), "unknown_dataset", "use one of test, imdb"),
        (Claim(metric="generalisation_gap"), "gap_without_dataset", "A gap needs an out-of-domain set"),
        (Claim(arm="lora"), "missing_cells", "Run the study again"),
    ],
)
def test_a_claim_without_data_is_open_and_says_what_is_missing(cells, claim, kind, remedy):
    (found,) = judge(cells, claim)
    assert (found.verdict, found.estimate) == ("inconclusive", None)
    assert [obstacle.kind for obstacle in found.obstacles] == [kind]
    assert remedy in said(cells, claim)[0]


def test_one_seed_settles_nothing():
    found = judge(
        make_cells(1, 300),
        Claim(size=100),
        Claim(metric="label_multiplier", size=100, delta=2.0),
        Claim(metric="early_area", size=100),
        seeds=1,
    )
    assert {v.verdict for v in found} == {"inconclusive"}
    assert all([o.kind for o in v.obstacles] == ["one_seed"] for v in found)


def test_one_test_item_settles_nothing():
    found = judge(make_cells(5, 1), Claim(size=100), Claim(metric="label_multiplier", size=100, delta=2.0), seeds=5)
    assert {v.verdict for v in found} == {"inconclusive"}
    assert all([o.kind for o in v.obstacles] == ["one_item"] for v in found)
