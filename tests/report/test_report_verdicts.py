"""A verdict's sentence is set in parts, and none of them is lost."""

import math
from dataclasses import replace

import pytest
from synthetic_report import estimate, make_findings, make_verdicts

from pipeline.records import Verdict
from pipeline.report.verdicts import VerdictView, verdict_views
from pipeline.report.wording import MINUS, TIMES


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
    assert view(OPEN).next_step == "Larger sizes of scratch would narrow it."
    bare = replace(OPEN, sentence="Inconclusive: not enough cells.", remedy="The next look is at 8 seeds.")
    assert view(bare).next_step == "The next look is at 8 seeds."


def test_a_sentence_of_another_form_is_shown_whole() -> None:
    shown = view(replace(SUPPORTED, sentence="It holds (see below)."))
    assert shown.sentence == "It holds (see below)."
    assert "+18.2 points (+15.1 to +21.3)" in shown.details


def test_a_claim_without_data_has_no_interval() -> None:
    shown = view(replace(OPEN, estimate=None, sentence="Inconclusive: no cell of pretrained has finished."))
    assert shown.strip is None
    assert shown.sentence == "No cell of pretrained has finished."
    assert shown.next_step == "Larger sizes of scratch would narrow it."


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


@pytest.mark.parametrize("delta", [2.0, 0.5])
def test_the_threshold_of_a_ratio_downwards_lies_below_one_however_it_is_stated(delta: float) -> None:
    ratio = estimate(0.3, 0, low=0.2, high=0.4)
    strip = view(replace(OPEN, direction="lower", delta=delta, estimate=ratio)).strip
    assert strip is not None
    assert strip.high < strip.delta < strip.nothing
    assert strip.delta_text == f"0.5{TIMES}"


def test_an_interval_without_end_is_drawn_open() -> None:
    strip = view(OPEN).strip
    assert strip is not None
    assert strip.open_high
    assert not strip.open_low
    assert strip.high == 100.0
    both = view(replace(OPEN, estimate=estimate(2.0, 0, low=0.0, high=math.inf))).strip
    assert both is not None
    assert both.open_low
    assert both.open_high
