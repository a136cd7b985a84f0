"""Verdicts in words, made from their fields, and how the report sets them."""

import math
import typing
from collections import defaultdict
from dataclasses import replace
from typing import Any

import pytest
from synthetic_report import estimate, make_findings, make_verdicts

from pipeline.records import Obstacle, ObstacleKind, Refutation, Verdict
from pipeline.report.verdict_sentences import REFUTATIONS, next_step, verdict_sentence
from pipeline.report.verdicts import VerdictView, verdict_views
from pipeline.report.wording import MINUS, PLUS_MINUS, TIMES


def view(verdict: Verdict) -> VerdictView:
    """How the report shows `verdict`."""
    findings = make_findings(("pretrained", "scratch"), (100, 400), 3)
    return verdict_views(replace(findings, verdicts=(verdict,)))[0]


SUPPORTED, OPEN, REFUTED = make_verdicts((100, 400), 3)


def test_the_sentence_is_what_was_found_and_the_numbers_stand_below() -> None:
    shown = view(SUPPORTED)
    assert shown.kind == "supported"
    assert shown.sentence == "Pretrained scores 18.2 points more than scratch at 100 labels."
    assert f"95% interval 15.1 to 21.3; 3 seeds {TIMES} 1,500 items" in shown.details
    assert "the smallest effect that matters is 2 points" in shown.details


def test_a_refuted_claim_says_how() -> None:
    shown = view(REFUTED)
    assert (shown.kind, shown.how) == ("refuted", "too small")
    assert f"{MINUS}1.5 to 0.9" in shown.details


def test_an_open_claim_says_what_would_settle_it() -> None:
    assert view(OPEN).next_step == "No number of seeds would settle it; more test items would."
    coming = replace(OPEN, helps="seeds", next_look=8, chance=0.4)
    assert view(coming).next_step == "The next look is at 8 seeds. The chance that it settles this is about 40%."
    assert view(replace(OPEN, helps="seeds", seeds_needed=12)).next_step.startswith(
        "No look is left. A new study would need about 12 seeds"
    )


@pytest.mark.parametrize(
    ("obstacle", "why", "remedy"),
    [
        (
            Obstacle(kind="unknown_dataset", dataset="imbd"),
            "Not every cell has scores on 'imbd'.",
            "Evaluate the cells that lack them, or use one of test, imdb.",
        ),
        (
            Obstacle(kind="missing_cells", cells=("a", "b", "c", "d", "e"), numbers={"seeds": 3}),
            "Not judged yet. The look, at 3 seeds, lacks a, b, c and 2 more.",
            "Run the study again",
        ),
    ],
)
def test_a_claim_without_data_has_no_interval_and_says_why(obstacle: Obstacle, why: str, remedy: str) -> None:
    shown = view(replace(OPEN, estimate=None, obstacles=(obstacle,)))
    assert shown.strip is None
    assert shown.details == ""
    assert why in shown.sentence
    assert shown.next_step.startswith(remedy)


def test_an_obstacle_to_a_measured_claim_is_said_with_its_remedy() -> None:
    chance = Obstacle(kind="at_chance", arm="scratch", dataset="imdb", numbers={"low": 0.4, "chance": 0.5})
    verdict = replace(REFUTED, verdict="inconclusive", refutation=None, obstacles=(chance, Obstacle(kind="one_item")))
    said = "Scratch is not above chance on imdb, so its gap has no meaning. One test item cannot show"
    assert view(verdict).next_step.startswith(said[0].lower() + said[1:])
    assert view(verdict).next_step.endswith("Add labels. Use a larger test set.")


@pytest.mark.parametrize(
    ("obstacle", "said"),
    [
        (
            Obstacle(
                kind="not_converged", arm="scratch", size=100,
                numbers={"late_gain": 0.031, "low": 0.012, "high": 0.05, "level": 0.95},
            ),
            "scratch n=100 has not converged: from the third quarter of its steps to the last it gained 3.1 points "
            "(95% interval 1.2% to 5.0%), and twice that would undo the verdict. Train every arm longer",
        ),
        (
            Obstacle(kind="not_converged", arm="scratch", size=100, numbers={"late_loss_fall": 0.12}),
            "its validation loss still fell by 12% over the last quarter of its steps.",
        ),
        (
            Obstacle(kind="below_constant", arm="scratch", dataset="test", numbers={"score": 0.103, "constant": 0.44}),
            "scratch scores 10.3% on test, and the best answer that reads no text 44.0%: the verdict does not hold",
        ),
        (
            Obstacle(kind="below_words", arm="scratch", dataset="test", numbers={"score": 0.587, "words": 0.605}),
            "A bag of words scores 60.5% where scratch scores 58.7%",
        ),
        (
            Obstacle(
                kind="two_kinds_of_seeds", cells=("pretrained n=100 seed=4",),
                numbers={"rare": 1, "seeds": 5, "distance": 0.18, "p": 0.002},
            ),
            "1 of 5 seeds lie 18 points from the others (pretrained n=100 seed=4), as 0.2% of Gaussian seeds would",
        ),
        (
            Obstacle(
                kind="skewed_seeds", arm="pretrained", size=100,
                numbers={"factor": 1.15, "level": 0.9917, "low": 0.018, "high": 0.142},
            ),
            "the 99.17% interval has to be up to 1.15 times as wide, 1.8 to 14.2, and then the verdict does not hold. "
            "More seeds would tell",
        ),
        (
            Obstacle(
                kind="unseen_failures", arm="pretrained", size=100,
                numbers={"seeds": 5, "failed": 0, "share": 0.4507, "loss": 0.08},
            ),
            "5 seeds cannot rule out that up to 45% do. One that fails keeps its start, 8 points worse on validation: "
            "a mean that is 3.6 points worse would undo the verdict. More seeds would tell",
        ),
        (
            Obstacle(
                kind="unseen_failures", arm="pretrained", size=100,
                numbers={"seeds": 10, "failed": 3, "share": 0.6066, "loss": 0.1},
            ),
            "3 trainings of pretrained kept the start, and with 10 seeds up to 61% may. The others gained 10 points "
            "on validation: a mean that is 3.1 points worse would undo the verdict.",
        ),
        (
            Obstacle(
                kind="unseen_failures", arm="pretrained", size=100,
                numbers={"seeds": 10, "failed": 3, "share": 0.0873, "loss": 0.1},
            ),
            "but with 10 seeds it may be 9% in truth. The others gained 10 points on validation: a mean that is 2.1 "
            "points better would undo the verdict.",
        ),
        (
            Obstacle(kind="some_kept_start", arm="pretrained", size=100, numbers={"seeds": 5, "failed": 2}),
            "2 of 5 trainings of pretrained n=100 kept the start: what is compared here is trainings that improve on "
            "it. Try another train.lr.",
        ),
        (
            Obstacle(
                kind="no_training_improved", arm="pretrained", size=100, numbers={"seeds": 5, "share": 0.4507},
            ),
            "All 5 trainings of pretrained n=100 kept the start, but up to 45% of its trainings may do better than "
            "that, and none shows by how much. Try another train.lr.",
        ),
    ],
)  # fmt: skip
def test_what_withholds_a_clear_verdict_is_said_with_its_numbers(obstacle: Obstacle, said: str) -> None:
    shown = view(replace(SUPPORTED, verdict="inconclusive", obstacles=(obstacle,)))
    assert (shown.kind, said in shown.next_step) == ("inconclusive", True), shown.next_step


def test_trainings_that_failed_are_named_where_a_claim_cannot_be_judged() -> None:
    failed = Obstacle(kind="failed_cells", cells=("pretrained n=100 seed=3",), numbers={"seeds": 5})
    shown = view(replace(SUPPORTED, verdict="inconclusive", obstacles=(failed,), estimate=None))
    assert shown.sentence.startswith("It cannot be judged. 1 training failed (pretrained n=100 seed=3).")
    assert "run the study again" in shown.next_step


def test_labels_from_a_small_pool_are_told_with_it() -> None:
    assert "than scratch at 100 of the 250 labels at hand" in view(replace(SUPPORTED, pool=250)).sentence
    assert "at all 100 labels" in view(replace(SUPPORTED, size="all", pool=100)).sentence


def test_a_multiplier_is_told_with_the_validation_labels_counted_in() -> None:
    """60 labels instead of 12 are five times as many; with 128 more that choose the best point, 188 instead of 140."""
    asked = replace(SUPPORTED, metric="label_multiplier", labels=12, labels_against=60.0, validation_labels=128)
    assert "better than scratch with 60, 1.34 times as many counting the 128 validation labels" in view(asked).sentence
    assert "validation" not in view(replace(asked, validation_labels=0)).sentence


def test_every_kind_of_obstacle_and_refutation_has_its_words() -> None:
    findings = make_findings(("pretrained", "scratch"), (100, 400), 3)
    for kind in typing.get_args(ObstacleKind):
        obstacle = Obstacle(kind=kind, arm="scratch", size=100, dataset="imdb", numbers=defaultdict(lambda: 1.0))
        open_ = replace(OPEN, obstacles=(obstacle,))
        assert verdict_sentence(findings, open_).startswith("Inconclusive: at 100 labels pretrained is"), kind
        assert next_step(findings, open_), kind
    for how in typing.get_args(Refutation):
        assert verdict_sentence(findings, replace(REFUTED, refutation=how)).startswith(f"Refuted ({REFUTATIONS[how]}):")


@pytest.mark.parametrize(
    ("changes", "asked", "zone"),
    [
        ({}, "the smallest effect that matters is 2 points", "matters from +2 points"),
        (
            {"test": "not_inferior", "margin": 0.01},
            "a loss of up to 1 points does not matter",
            f"allowed from {MINUS}1",
        ),
        (
            {"test": "not_inferior", "margin": 0.01, "direction": "lower"},
            "a gain of up to 1 points does not matter",
            "allowed from +1 points",
        ),
        (
            {"test": "equivalent", "margin": 0.015},
            "a difference of up to 1.5 points does not matter",
            f"allowed within {PLUS_MINUS}1.5 points",
        ),
        (
            {"metric": "label_multiplier", "delta": 2.0, "labels_against": 200.0},
            "the smallest multiplier that matters is 2",
            "claimed from 0",
        ),
    ],
)
def test_what_a_claim_asks_is_said_and_drawn(changes: dict[str, Any], asked: str, zone: str) -> None:
    shown = view(replace(SUPPORTED, **changes))
    assert asked in shown.details
    assert shown.strip is not None
    assert f"{shown.strip.zone} {shown.strip.delta_text}".startswith(zone)


def test_the_strip_of_an_equivalence_lies_on_both_sides_of_nothing() -> None:
    near = replace(SUPPORTED, test="equivalent", margin=0.02, estimate=estimate(0.003, 0.01, 3))
    strip = view(near).strip
    assert strip is not None
    assert strip.delta < strip.low < strip.nothing < strip.high < strip.edge < 100


def test_the_strip_places_the_interval_on_the_right_side_of_the_threshold() -> None:
    strip = view(SUPPORTED).strip
    assert strip is not None
    assert strip.nothing < strip.delta < strip.low < strip.value < strip.high
    assert strip.edge == 100.0


def test_the_strip_of_a_claim_downwards_has_its_threshold_below_nothing() -> None:
    strip = view(REFUTED).strip
    assert strip is not None
    assert strip.delta < strip.low < strip.value < strip.nothing
    assert strip.edge == 0.0
    assert strip.delta_text == f"{MINUS}2 points"


def test_an_interval_without_end_is_drawn_open() -> None:
    strip = view(replace(OPEN, estimate=estimate(0.1, 0, low=0.05, high=math.inf))).strip
    assert strip is not None
    assert strip.open_high
    assert not strip.open_low
    assert strip.high == 100.0
    both = view(replace(OPEN, estimate=estimate(0.1, 0, low=-math.inf, high=math.inf))).strip
    assert both is not None
    assert both.open_low
    assert both.open_high
