"""A slope as a mean over items: what numpy and the jackknife say, and intervals that hold where nothing differs."""

import numpy as np
import pytest

from pipeline.analysis.crossed_interval import item_part, mean_over
from pipeline.analysis.slope import slope_by_item


def data(items: int = 80) -> tuple[np.ndarray, np.ndarray]:
    """Scores of 0 and 1 that fall along a skewed number."""
    rng = np.random.default_rng(1)
    at = rng.gamma(0.5, 1.0, items)
    return (rng.random(items) < 0.9 - 0.1 * at).astype(np.float32), at


def test_their_mean_is_the_slope_of_least_squares() -> None:
    scores, at = data()
    assert slope_by_item(scores, at).mean() == pytest.approx(np.polyfit(at, scores, 1)[0], rel=1e-12)
    assert slope_by_item(3 - 2 * at, at) == pytest.approx(np.full(len(at), -2.0))


def test_the_variance_of_their_mean_is_that_of_the_jackknife() -> None:
    scores, at = data()
    without = [np.polyfit(np.delete(at, i), np.delete(scores, i), 1)[0] for i in range(len(at))]
    expected = (len(at) - 1) ** 2 / len(at) * np.var(without, ddof=1)
    assert slope_by_item(scores, at).var(ddof=1) / len(at) == pytest.approx(expected, rel=1e-9)


def test_they_are_those_of_a_difference_where_two_are_subtracted() -> None:
    scores, at = data()
    other = np.roll(scores, 3)
    apart = slope_by_item(scores, at) - slope_by_item(other, at)
    assert apart == pytest.approx(slope_by_item(scores - other, at))
    assert slope_by_item(scores + 5, at) == pytest.approx(slope_by_item(scores, at))


@pytest.mark.parametrize("at", [np.zeros(5), np.array([0.0, 0.0, 0.0, 0.0, 7.0])])
def test_items_that_allow_no_slope_are_refused(at: np.ndarray) -> None:
    with pytest.raises(ValueError, match="must be at several values"):
        slope_by_item(np.array([1.0, 0.0, 1.0, 1.0, 0.0]), at)


def logistic(values: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-values)))


def told_apart(rng: np.random.Generator, steeper: float) -> bool:
    """Whether the interval of one arm's slope less another's excludes 0, where it is `steeper` in the logit.

    Each arm has five seeds, and items differ in how hard they are.
    """
    at, ease = rng.binomial(12, rng.beta(0.5, 6.0, 300)) / 1.2, rng.normal(0, 1.2, 300)
    chances = [1 / (1 + np.exp(-(1.5 + ease - slope * at))) for slope in (0.2 + steeper, 0.2)]
    one, other = (np.array([slope_by_item(rng.random(300) < chance, at) for _ in range(5)]) for chance in chances)
    low, high = mean_over((one - other).mean(axis=1), [item_part(one - other)]).interval(0.95)
    return not low <= 0 <= high


def test_two_arms_of_one_slope_are_told_apart_no_more_often_than_the_level_says() -> None:
    rng = np.random.default_rng(2)
    assert sum(told_apart(rng, 0.0) for _ in range(200)) <= 19  # of 200 at 5%: more in 1 of 300 series


def test_a_steeper_slope_is_found_the_more_often_the_steeper_it_is() -> None:
    rng = np.random.default_rng(3)
    often = [sum(told_apart(rng, steeper) for _ in range(40)) for steeper in (0.1, 0.3, 0.9)]
    assert often == sorted(often)
    assert often[0] < 30 < 36 <= often[-1]
