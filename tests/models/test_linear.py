"""Linear models on fixed features are solved to their optimum."""

import numpy as np
import pytest
from scipy.special import log_softmax

from pipeline.models.linear import STRENGTHS, LinearModel, solve


@pytest.mark.parametrize("strength", STRENGTHS)
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
