"""The data behind the figures, and that drawing them changes no text."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic_report import accuracy, estimate, make_cell, make_findings, make_study

from pipeline.config.compose import compose
from pipeline.config.rules.validate import checked
from pipeline.config.schema import Arm, Look
from pipeline.config.search_path import own_root
from pipeline.errors import ConfigError
from pipeline.records import Findings, TrajectoryPoint
from pipeline.report.figures.axes import round_ticks, spread
from pipeline.report.figures.early_accuracy import early_accuracy
from pipeline.report.figures.learning_curves import learning_curves
from pipeline.report.figures.ratios import costs_to_target, label_multipliers, ratio_ticks, tick_label
from pipeline.report.figures.trajectories import trajectories
from pipeline.report.palette import Palette
from pipeline.report.svg import drawing_settings, themed_svg

ARMS, SIZES = ("pretrained", "scratch"), (100, 400, "all")
PALETTE = Palette.of(Arm(name=arm) for arm in ARMS)


@pytest.fixture
def findings() -> Findings:
    """Two arms at three sizes, the last one all of the data."""
    return make_findings(ARMS, SIZES, 3)


def test_a_learning_curve_has_a_point_with_its_interval_at_every_size(findings: Findings) -> None:
    curve = learning_curves(findings)[0].curves[0]
    assert curve.arm == "pretrained"
    assert [p.items for p in curve.points] == [100, 400, 7676]
    assert curve.points[0].value == pytest.approx(accuracy("pretrained", 100))
    assert curve.points[0].high - curve.points[0].low == pytest.approx(0.042)


def test_the_in_domain_panel_comes_first_and_all_share_one_score_axis(findings: Findings) -> None:
    turned = replace(findings, scores=tuple(reversed(findings.scores)))
    first, second = learning_curves(turned)
    assert first.title == "Accuracy on test (in domain)"
    assert second.title == "Accuracy on imdb (out of domain)"
    assert (first.low, first.high) == (second.low, second.high)
    lowest = min(s.estimate.low for s in findings.scores)
    assert first.low < min(lowest, first.chance)


def test_the_size_all_is_drawn_at_its_number_of_labels(findings: Findings) -> None:
    assert [t.label for t in learning_curves(findings)[0].ticks] == ["100", "400", "7,676\nall"]


def test_a_run_that_has_stopped_keeps_its_last_score_in_the_mean() -> None:
    def run(seed: int, scores: list[float]) -> object:
        cell = make_cell("scratch", 100, seed)
        points = [
            TrajectoryPoint(
                step=i,
                examples=32 * i,
                flops=1.0 * i,
                train_loss=None,
                validation_loss=0.5,
                validation_score=score,
                learning_rate=1e-3,
            )
            for i, score in enumerate(scores)
        ]
        return replace(cell, trajectory=tuple(points))

    made = make_study(arms=("scratch",), sizes=(100,), seeds=2)
    track = trajectories(made.findings, [run(0, [0.5, 0.6]), run(1, [0.5, 0.7, 0.9])])[0].tracks[0]  # type: ignore[list-item]
    assert track.examples == (0.0, 32.0, 64.0)
    assert track.mean == pytest.approx((0.5, 0.65, 0.75))
    assert track.low == pytest.approx((0.5, 0.6, 0.6))
    assert track.high == pytest.approx((0.5, 0.7, 0.9))


def test_a_multiplier_past_the_largest_size_is_marked_as_a_bound(findings: Findings) -> None:
    rows = label_multipliers(findings)[0].rows
    assert [r.is_bound for r in rows] == [False, False, True]
    assert rows[2].ceiling == 1.0
    assert rows[0].ceiling == pytest.approx(76.76)
    assert rows[2].text.startswith("> 1")


def test_the_ratio_axis_holds_every_finite_number_and_one(findings: Findings) -> None:
    for panel in (*label_multipliers(findings), *costs_to_target(findings, "flops")):
        shown = [x for r in panel.rows for x in (r.value, r.low, r.high) if math.isfinite(x) and x > 0]
        assert panel.low < min(1.0, *shown)
        assert panel.high > max(1.0, *shown)


def test_costs_in_another_unit_are_not_mixed_in(findings: Findings) -> None:
    assert costs_to_target(findings, "flops")
    assert costs_to_target(findings, "seconds") == ()


def test_early_accuracy_lists_the_arms_in_the_order_of_the_study(findings: Findings) -> None:
    turned = replace(findings, early=tuple(reversed(findings.early)))
    for panel in early_accuracy(turned):
        assert [r.arm for r in panel.rows] == list(ARMS)


def test_many_sizes_are_thinned_to_twelve_panels() -> None:
    made = make_study(arms=("scratch",), sizes=tuple(range(100, 2100, 100)), seeds=1)
    panels = trajectories(made.findings, made.cells)
    assert len(panels) == 12
    assert (panels[0].title, panels[-1].title) == ("100 labels", "2,000 labels")


@given(st.lists(st.integers(), min_size=1), st.integers(2, 20))
def test_spread_keeps_the_ends_and_never_more_than_asked(items: list[int], most: int) -> None:
    kept = spread(items, most)
    assert len(kept) == min(len(items), most)
    assert (kept[0], kept[-1]) == (items[0], items[-1])


@given(st.floats(1, 1e7), st.floats(1, 1e4))
def test_ticks_lie_within_their_axis(first: float, factor: float) -> None:
    last = first * factor
    ticks = round_ticks(first, last)
    assert 1 <= len(ticks) <= 4
    assert all(first <= t <= last * 1.000001 for t in ticks)


@given(st.floats(1e-4, 0.9), st.floats(1.1, 1e4))
def test_ratio_ticks_are_few_and_one_is_among_them(low: float, high: float) -> None:
    ticks = ratio_ticks(low, high)
    assert 1.0 in ticks
    assert len(ticks) <= 5


def test_a_ratio_below_one_is_labelled_as_a_fraction() -> None:
    assert tick_label(0.25) == "1/4\N{MULTIPLICATION SIGN}"
    assert tick_label(4.0) == "4\N{MULTIPLICATION SIGN}"


def test_an_arm_has_the_colours_of_its_settings_whatever_the_others_are() -> None:
    own = Arm(name="own", look=Look(light="#123456", dark="#abcdef", marker="D"))
    found = Palette.of([Arm(name="lora"), own]).looks["own"]
    assert (found.light, found.dark, found.marker) == ("#123456", "#abcdef", "D")


def test_arms_without_colours_of_their_own_or_with_those_of_another_are_told_apart() -> None:
    same = Look(light="#123456", dark="#abcdef", marker="D")
    arms = [Arm(name="one", look=same), Arm(name="other", look=same), *(Arm(name=f"own_{i}") for i in range(3))]
    looks = Palette.of(arms).looks.values()
    assert len({look.light for look in looks}) == len({look.marker for look in looks}) == 5


def test_every_preset_has_a_look_of_its_own() -> None:
    looks = [compose([f"arm={path.stem}"]).arm.look for path in (own_root() / "conf" / "arm").glob("*.yaml")]
    assert len({look.light for look in looks}) == len({look.marker for look in looks}) == len(looks)


@pytest.mark.parametrize("colour", ["red", "#12345", "#123456;}body{display:none"])
def test_a_colour_that_is_none_is_refused(colour: str) -> None:
    with pytest.raises(ConfigError, match=r"arm\.look\.light must be a colour like #0068a8"):
        checked({"arm": {"look": {"light": colour}}})


def test_labels_are_never_read_as_formulas(findings: Findings) -> None:
    named = replace(findings.scores[0], dataset="$x_1$ <b> \\frac", estimate=estimate(0.7, 0.02))
    panel = learning_curves(replace(findings, scores=(named,)))[0]
    with drawing_settings():
        figure = panel.draw(PALETTE.placeholders)
        svg = themed_svg(figure, name="p", title=panel.title, variables=PALETTE.variables)
    assert "$x_1$ &lt;b&gt; \\frac" in svg
    assert "<b>" not in svg
