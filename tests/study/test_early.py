"""What is read off validation varies with the validation items, too: early area, initial score, gain over the start."""

import dataclasses
import math

import numpy as np
import pytest
from scipy.special import stdtrit
from synthetic_cells import VALIDATION_ITEMS, SyntheticCell, loader, synthetic_cells

from pipeline.config.schema import Base, Claim, Study, Task
from pipeline.records import CellResult, Estimate, Findings
from pipeline.study.finding.findings import Basis, find

SEEDS = tuple(range(5))


def study_of(claim: Claim) -> Study:
    return Study(
        name="s", question="q?", arms=("pretrained", "scratch"), sizes=(100,), seeds=SEEDS, claims={"claim": claim}
    )


def starting_at(result: CellResult, score: float) -> CellResult:
    first, *rest = result.trajectory
    return dataclasses.replace(result, trajectory=(dataclasses.replace(first, validation_score=score), *rest))


def cells() -> list[SyntheticCell]:
    """Pretrained cells begin at 0.6 and those from scratch at 0.5, under every seed."""
    made = synthetic_cells(("pretrained", "scratch"), (100,), SEEDS, 200, np.random.default_rng(0))
    return [(starting_at(r, 0.6 if r.key.arm == "pretrained" else 0.5), scores) for r, scores in made]


def judged(claim: Claim, made: list[SyntheticCell]) -> tuple[Findings, Estimate]:
    basis = Basis(study=study_of(claim), base=Base(name="minilm"), task=Task(name="sentiment"))
    found = find(basis, [r for r, _ in made], loader(made))
    estimate = found.verdicts[0].estimate
    assert estimate is not None
    return found, estimate


def item_half(share: float, level: float) -> float:
    """Student's t over items of which this share differs by 1, all others by 0."""
    variance = share * (1 - share) / (VALIDATION_ITEMS - 1)
    return float(stdtrit(VALIDATION_ITEMS - 1, 0.5 + level / 2)) * math.sqrt(variance)


def test_starts_that_are_the_same_under_every_seed_have_the_interval_of_their_items():
    _, estimate = judged(Claim(metric="initial_score", size=100), cells())
    assert (estimate.seeds, estimate.items) == (5, VALIDATION_ITEMS)
    assert estimate.value == pytest.approx(0.1)
    assert estimate.high - estimate.value == pytest.approx(item_half(0.1, 0.95))


def test_a_start_that_does_not_vary_over_seeds_is_no_proof_of_its_size():
    """All seeds agree on 10 points, of which 400 items cannot tell them from 8 at 95%."""
    found, estimate = judged(Claim(metric="initial_score", size=100, delta=0.08), cells())
    assert estimate.low < 0.08
    assert found.verdicts[0].verdict == "inconclusive"


def test_the_table_of_early_accuracy_answers_for_other_validation_items():
    found, _ = judged(Claim(size=100), cells())
    scratch = next(e for e in found.early if e.arm == "scratch")
    assert scratch.untrained.items == VALIDATION_ITEMS
    assert scratch.untrained.high - scratch.untrained.value == pytest.approx(item_half(0.5, 0.95))


def test_a_gain_adds_what_varies_over_seeds_and_over_items_as_squares():
    made = cells()
    _, estimate = judged(Claim(metric="gain_over_start", size=100), made)
    ends = [r.trajectory[-1].validation_score for r, _ in made if r.key.arm == "pretrained"]
    seeds = float(stdtrit(4, 0.975)) * float(np.std(ends, ddof=1)) / math.sqrt(5)
    assert estimate.value == pytest.approx(np.mean(ends) - 0.5)
    items = math.sqrt((estimate.high - estimate.value) ** 2 - seeds**2)
    assert items == pytest.approx(item_half(float(np.mean(ends)) - 0.5, 0.95), rel=0.05)


def test_an_area_has_both_parts_too():
    made = cells()
    _, estimate = judged(Claim(metric="early_area", size=100), made)
    assert estimate.items == VALIDATION_ITEMS
    assert estimate.high - estimate.low > item_half(0.1, 0.95)
