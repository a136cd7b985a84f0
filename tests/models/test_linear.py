"""Linear models on fixed features are solved to their optimum."""

import numpy as np
import pytest
from scipy.special import log_softmax

from pipeline.models.logistic_regression import ALL_STRENGTHS, Judge, LinearModel, solve, solve_by_validation
from pipeline.tasks.kind import Linear


@pytest.mark.parametrize("strength", ALL_STRENGTHS)
def test_the_optimum_is_reached_whatever_the_precision_of_the_features(strength: float) -> None:
    generator = np.random.default_rng(0)
    features, labels = generator.normal(size=(60, 40)).astype(np.float32), np.arange(60) % 3
    targets = np.eye(3)[labels]

    def objective(model: LinearModel) -> float:
        losses = -(targets * log_softmax(model.logits(features.astype(np.float64)), axis=1)).sum()
        return float(losses + (model.weights**2).sum() / (2 * strength))

    single, _ = solve(features, targets, linear="softmax", strength=strength)
    double, _ = solve(features.astype(np.float64), targets, linear="softmax", strength=strength)
    assert objective(single) == pytest.approx(objective(double), rel=1e-8)


def ranked(model_ranks: list[float]) -> Judge:
    """A judge that ranks the models it is shown by these numbers, one after the other."""
    ranks = iter(model_ranks)
    return lambda logits: (next(ranks), 0.0)


@pytest.mark.parametrize(
    ("ranks", "chosen"),
    [
        ([1, 2, 3, 4, 5, 6, 7, 8, 9, 9], 1e5),
        ([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 1e6),
        ([8, 7, 6, 5, 4, 3, 2, 1, 9, 9], 1e-4),
        ([8, 8, 6, 5, 4, 3, 2, 1, 7], 1e-3),
        ([1, 2, 3, 9, 9, 6, 7, 8], 1.0),
    ],
)
def test_the_search_goes_on_past_an_end_of_the_grid_while_validation_improves(
    ranks: list[float], chosen: float
) -> None:
    features, targets = np.random.default_rng(0).normal(size=(30, 4)), np.eye(3)[np.arange(30) % 3]
    solved = solve_by_validation(features, targets, features, ranked(ranks), linear="softmax")
    assert solved.strength == pytest.approx(chosen)


@pytest.mark.parametrize("linear", ["softmax", "sigmoid"])
def test_features_that_have_much_in_common_lead_to_the_same_optimum(linear: Linear) -> None:
    generator = np.random.default_rng(0)
    features, targets = generator.normal(size=(60, 5)), np.eye(3)[np.arange(60) % 3]
    moved = features + 30.0
    solved = solve_by_validation(moved, targets, moved, ranked([0, 0, 0, 0, 9, 0, 0, 0]), linear=linear)
    plain, _ = solve(features, targets, linear=linear, strength=10.0)
    assert solved.model.logits(moved) == pytest.approx(plain.logits(features), abs=1e-6)
