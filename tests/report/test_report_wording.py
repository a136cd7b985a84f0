"""Numbers in words."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic_report import estimate

from pipeline.report import wording
from pipeline.report.wording import MINUS, TIMES


def test_shares_read_in_per_cent_and_points() -> None:
    scale = wording.scale_of("accuracy")
    assert scale.score(0.7988) == "79.9%"
    assert scale.change(0.182) == "+18.2 points"
    assert scale.change(-0.031) == f"{MINUS}3.1 points"
    assert scale.span(estimate(0.799, 0.021)) == "77.8 to 82.0"


def test_other_metrics_read_in_decimals() -> None:
    scale = wording.scale_of("matthews")
    assert scale.score(0.51234) == "0.512"
    assert scale.change(-0.05) == f"{MINUS}0.050"


def test_differences_of_logarithms_read_as_ratios() -> None:
    scale = wording.scale_of_claim("accuracy", "latency")
    assert scale.change(1.0) == "2 times"
    assert scale.change(-2.0) == "0.25 times"
    assert scale.amount(-1.0) == "a factor of 2"
    assert scale.span(estimate(1.0, 1.0), signed=True) == "1 to 4"
    assert scale.number(math.inf) == "> 1,048,576"
    assert scale.number(math.nan) == wording.MISSING
    assert scale.edge(1.0, both_ways=False) == f"2{TIMES}"
    assert scale.edge(-1.0, both_ways=True) == f"2{TIMES}"
    assert scale.nothing == f"1{TIMES}"
    assert wording.scale_of_claim("loss", "bias") is wording.PERCENT
    assert wording.scale_of_claim("loss", None) is wording.PLAIN
    assert wording.PERCENT.edge(-0.02, both_ways=False) == f"{MINUS}2 points"
    assert wording.PERCENT.edge(0.0, both_ways=False) == wording.PERCENT.nothing == "0"


def test_what_rounds_to_zero_has_no_sign() -> None:
    assert wording.PERCENT.signed(0.0001) == "0.0"
    assert wording.PERCENT.signed(-0.0001) == "0.0"


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (wording.flops(1.3e12), "1.3 TFLOPs"),
        (wording.flops(875e9), "875 GFLOPs"),
        (wording.flops(999_960_000), "1.0 GFLOPs"),
        (wording.byte_size(90_855_944), "90.9 MB"),
        (wording.byte_size(512), "512 B"),
        (wording.short_count(22_713_986), "22.7 M"),
        (wording.count(7676), "7,676"),
        (wording.duration(0.84), "0.8 s"),
        (wording.duration(42.2), "42 s"),
        (wording.duration(200), "3 min 20 s"),
        (wording.duration(59.7), "1 min 00 s"),
        (wording.duration(3900), "1 h 05 min"),
        (wording.ratio(6.31), f"6.3{TIMES}"),
        (wording.ratio(0.4567), f"0.46{TIMES}"),
        (wording.ratio(123.4), f"123{TIMES}"),
        (wording.p_value(0.0004), "< 0.001"),
        (wording.p_value(0.0312), "0.031"),
        (wording.plural(1, "seed"), "1 seed"),
        (wording.plural(1500, "item"), "1,500 items"),
    ],
)
def test_numbers_are_formatted_for_people(shown: str, expected: str) -> None:
    assert shown == expected


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (2.0, 9.5, "2 to 9.5"),
        (2.0, math.inf, "2 to > 16"),
        (16.0, math.inf, "> 16"),
        (0.0, 3.0, "< 0.5 to 3"),
        (-math.inf, 3.0, "< 0.5 to 3"),
        (math.nan, 3.0, "no interval"),
    ],
)
def test_a_censored_end_names_the_edge_of_what_was_measured(low: float, high: float, expected: str) -> None:
    assert wording.ratio_span(estimate(4.0, 0, low=low, high=high), 0.5, 16.0) == expected


def test_an_open_end_without_an_edge_reads_or_more() -> None:
    assert wording.ratio_span(estimate(4.0, 0, low=2.95, high=math.inf)) == "3 or more"
    assert wording.ratio_span(estimate(4.0, 0, low=0.0, high=math.inf)) == "without bounds"


def test_what_stands_behind_numbers_names_level_seeds_and_items() -> None:
    assert wording.behind([estimate(0.5, 0.1)]) == f"95% interval, 3 seeds {TIMES} 1,500 items"
    both = [estimate(0.5, 0.1), estimate(0.5, 0.1, seeds=5)]
    assert wording.behind(both) == f"95% intervals, 3 to 5 seeds {TIMES} 1,500 items"
    assert wording.behind([estimate(0.5, 0.1, items=0)]) == "95% interval, 3 seeds"


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_every_float_can_be_shown(value: float) -> None:
    for show in (wording.PERCENT.change, wording.PERCENT.score, wording.PLAIN.change, wording.ratio):
        assert show(value)


@given(st.floats(0, 1e15))
def test_counts_and_sizes_stay_short(value: float) -> None:
    for show in (wording.flops, wording.byte_size, wording.short_count):
        assert len(show(value)) <= 14
