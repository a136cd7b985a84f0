"""Logistic regression by scikit-learn, and what follows from it: scikit-learn's side of probe_against_sklearn.py."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

GRID = np.logspace(-4, 4, 10)  # scikit-learn's own strengths
MARGIN = 1e-4  # of probability, below which a prediction is a tie
Matrix = Any  # float64 [N, F]: a numpy array or a sparse matrix of scipy


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Texts of one set as a matrix, and what is to be predicted: a class [N], or whether each label applies [N, C]."""

    features: Matrix
    right: np.ndarray

    @property
    def several(self) -> bool:
        """Whether any number of labels apply to a text."""
        return self.right.ndim == 2


@dataclass(frozen=True, kw_only=True)
class Linear:
    """Weights [K, F] and biases [K]; K is 1 of two classes."""

    weights: np.ndarray
    bias: np.ndarray

    def logits(self, features: Matrix) -> np.ndarray:
        """[N, K]."""
        return np.asarray(np.asarray(features @ self.weights.T) + self.bias)

    def probabilities(self, problem: Problem) -> np.ndarray:
        """Probabilities of each class, or of each label, [N, C]."""
        logits = self.logits(problem.features)
        if len(self.bias) > 1 and not problem.several:
            odds = np.exp(logits - logits.max(axis=1, keepdims=True))
            return np.asarray(odds / odds.sum(axis=1, keepdims=True))
        applies = 1 / (1 + np.exp(-logits))
        return applies if problem.several else np.concatenate([1 - applies, applies], axis=1)


def reference(problem: Problem, strength: float, **settings: Any) -> Linear:
    """scikit-learn's logistic regression; a label that all texts have or none has is given its share."""
    from sklearn.linear_model import LogisticRegression

    def fitted(answers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        model = LogisticRegression(C=strength, **settings)
        model.fit(problem.features, answers)
        return model.coef_, model.intercept_

    if not problem.several:
        weights, bias = fitted(problem.right)
        return Linear(weights=weights, bias=bias)
    width, each = problem.features.shape[1], []
    for column in problem.right.T:
        share = np.clip(column.mean(), 1e-3, 1 - 1e-3)
        constant = np.zeros((1, width)), np.log([share / (1 - share)])
        each.append(fitted(column) if len(np.unique(column)) == 2 else constant)
    return Linear(weights=np.concatenate([w for w, _ in each]), bias=np.concatenate([b for _, b in each]))


def objective(model: Linear, problem: Problem, strength: float) -> float:
    """The mean loss plus the penalty, |w|^2 / (2 C N); of several labels, the sum over those that vary."""
    chosen, varied = model.probabilities(problem), slice(None)
    if problem.several:
        varied = np.ptp(problem.right, axis=0) > 0
        losses = -np.log(np.where(problem.right > 0, chosen, 1 - chosen))[:, varied].sum(axis=1)
    else:
        losses = -np.log(chosen[np.arange(len(chosen)), problem.right])
    return float(losses.mean() + (model.weights[varied] ** 2).sum() / (2 * strength * len(losses)))


def strength_of(model: Linear, problem: Problem, strengths: Sequence[float]) -> float:
    """The C whose optimum the model is: there the losses' gradient is -w / C, so that C = |w|^2 / -(w * gradient).

    Raises:
        ValueError: it is none of `strengths`, so that the model is no optimum.
    """
    probabilities, right = model.probabilities(problem), problem.right
    if not problem.several:
        right = np.eye(probabilities.shape[1])[right]
    missing = (probabilities - right)[:, -len(model.bias) :]
    gradient = np.asarray(problem.features.T @ missing).T
    solved = float((model.weights**2).sum() / -(model.weights * gradient).sum())
    nearest = min(strengths, key=lambda strength: abs(np.log(strength / solved)))
    if not 0.9 < solved / nearest < 1.1:
        raise ValueError(f"A solved model must be an optimum at one of {strengths}, but this one fits C={solved:.3g}.")
    return nearest


def predicted(probabilities: np.ndarray, several: bool) -> tuple[np.ndarray, np.ndarray]:
    """The prediction for each text, and whether it is a tie, [N]."""
    if several:
        return probabilities > 0.5, (np.abs(2 * probabilities - 1) < MARGIN).any(axis=1)
    first, second = np.sort(probabilities, axis=1)[:, -1:-3:-1].T
    return probabilities.argmax(axis=1), first - second < MARGIN


def scores(told: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The score of each text: 1 where its class is right, or the F1 of its labels."""
    if right.ndim == 1:
        return np.asarray((told == right).astype(np.float64))
    sizes = told.sum(axis=1) + right.sum(axis=1)
    return np.where(sizes == 0, 1.0, 2 * (told & (right > 0)).sum(axis=1) / np.maximum(sizes, 1))


def by_validation(train: Problem, validation: Problem, test: Problem) -> tuple[float, float]:
    """scikit-learn's way: the strength of GRID with the best validation score, and the test score there."""
    candidates = []
    for strength in GRID:
        model = reference(train, float(strength), max_iter=1000)
        score, tested = (
            float(scores(predicted(model.probabilities(p), p.several)[0], p.right).mean()) for p in (validation, test)
        )
        candidates.append((score, -float(strength), tested))
    best = max(candidates)
    return -best[1], best[2]
