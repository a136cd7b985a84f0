"""The comparison of solved arms with scikit-learn finds models that are no optimum, and agrees on a tiny base."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from experiment_files import import_file

from pipeline.models.logistic_regression import ALL_STRENGTHS, solve
from tests import tiny

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
Kind = tuple[Any, Any]  # a problem, and our model of it


@pytest.fixture(scope="module")
def sklearn_side() -> Any:
    return import_file(EXPERIMENTS / "sklearn_reference.py")


@pytest.fixture(params=["two classes", "three classes", "several labels"])
def solved(request: pytest.FixtureRequest, sklearn_side: Any) -> Kind:
    """60 texts of 5 features, and our model at C = 10."""
    generator = np.random.default_rng(0)
    features, several = generator.normal(size=(60, 5)), request.param == "several labels"
    right = generator.integers(2, size=(60, 4)) if several else np.arange(60) % (2 if "two" in request.param else 3)
    targets = right.astype(np.float64) if several else np.eye(int(right.max()) + 1)[right]
    model, _ = solve(features, targets, linear="sigmoid" if several else "softmax", strength=10.0)
    weights, bias = model.weights, model.bias
    if request.param == "two classes":
        weights, bias = weights[1:] - weights[:1], bias[1:] - bias[:1]
    return sklearn_side.Problem(features=features, right=right), sklearn_side.Linear(weights=weights, bias=bias)


def test_the_strength_and_the_objective_of_a_solved_model_are_found_again(solved: Kind, sklearn_side: Any) -> None:
    problem, model = solved
    assert sklearn_side.strength_of(model, problem, ALL_STRENGTHS) == 10.0
    theirs = sklearn_side.reference(problem, 10.0, solver="newton-cg", tol=1e-9)
    ours = sklearn_side.objective(model, problem, 10.0)
    assert ours == pytest.approx(sklearn_side.objective(theirs, problem, 10.0), rel=1e-9)
    other = sklearn_side.reference(problem, 1.0)
    assert sklearn_side.objective(other, problem, 10.0) > ours * (1 + 1e-6)


def test_a_model_that_is_no_optimum_is_refused(solved: Kind, sklearn_side: Any) -> None:
    problem, model = solved
    halved = sklearn_side.Linear(weights=model.weights / 2, bias=model.bias)
    with pytest.raises(ValueError, match="must be an optimum"):
        sklearn_side.strength_of(halved, problem, ALL_STRENGTHS)


def test_both_arms_agree_with_scikit_learn(
    tiny_base: Path, reviews: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(str(EXPERIMENTS))
    script = import_file(EXPERIMENTS / "probe_against_sklearn.py")
    world = [o for o in tiny.overrides(tiny_base, reviews, tmp_path) if not o.startswith("task=")]
    rows = script.rows_of("classification", "24", [*world, "base.pooling=mean", "study.seeds=[0]"])
    assert {row.arm for row in rows} == {"frozen", "bag_of_words"}
    for row in rows:
        assert abs(row.objective) < 1e-6, row
        assert row.differing == 0
    said = "\n".join(script.table(rows))
    assert "| `frozen` | classification | 24 | 1 |" in said
    assert "`bag_of_words`, 1 cells" in said
