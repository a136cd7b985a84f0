"""Linear models on fixed features: convex problems, solved to their optimum by scikit-learn.

A softmax over classes is multinomial logistic regression, a sigmoid for each output a logistic regression of its own,
whose targets may be any share from 0 to 1. The sum of the losses plus |w|^2 / (2 C) is what becomes smallest; the bias
is not penalised. So the optimum is the same for centred features, on which the solver takes far fewer steps where
features have much in common.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.tasks.kind import Linear

# C from strong to weak regularisation. The search goes on past an end of the grid for as long as validation improves.
ALL_STRENGTHS = tuple(10.0**power for power in range(-5, 7))
GRID = ALL_STRENGTHS[2:10]
_TOLERANCE = 1e-10  # of the gradient's largest component; less beyond the grid, where a penalty hardly bends the loss
_ITERATIONS = 20_000

Features = Any  # float [N, F]: a numpy array or a sparse matrix of scipy
Judge = Callable[[np.ndarray], tuple[float, float]]  # logits [N, C] -> what is to be greatest, and then


@dataclass(frozen=True, kw_only=True)
class LinearModel:
    """Logits are x·weights^T + bias. `weights` float64 [C, F], `bias` float64 [C]."""

    weights: np.ndarray
    bias: np.ndarray

    @classmethod
    def of_layer(cls, layer: Any) -> "LinearModel":
        """What a torch.nn.Linear computes."""
        weights = layer.weight.detach().cpu().double().numpy()
        bias = np.zeros(len(weights)) if layer.bias is None else layer.bias.detach().cpu().double().numpy()
        return cls(weights=weights, bias=bias)

    def logits(self, features: Features) -> np.ndarray:
        """Float64 [N, C]."""
        logits: np.ndarray = np.asarray(features @ self.weights.T) + self.bias
        return logits

    def shifted(self, centre: np.ndarray) -> "LinearModel":
        """What gives the same logits for features that `centre` [F] has not been taken from."""
        return LinearModel(weights=self.weights, bias=self.bias - self.weights @ centre)

    def stored(self) -> "LinearModel":
        """The same in the precision that it is stored in, float32."""
        return LinearModel(weights=_single(self.weights), bias=_single(self.bias))

    def tensors(self) -> dict[str, Any]:
        """Torch tensors by name, float32, to be stored."""
        import torch

        return {name: torch.from_numpy(values.astype(np.float32)) for name, values in vars(self).items()}


@dataclass(frozen=True, kw_only=True)
class Solved:
    """The model of the strength that validation chose, and what all of them took.

    `iterations` are the solver's, summed over strengths and outputs; `flops` are theirs, and those of judging.
    """

    model: LinearModel
    strength: float
    iterations: int
    flops: float


def solve(
    features: Features, targets: np.ndarray, *, linear: Linear, strength: float, bias: bool = True, start: Any = None
) -> tuple[LinearModel, int]:
    """The optimum at one strength, and the iterations to it.

    Args:
        features: float [N, F].
        targets: float64 [N, C], shares that each row of a softmax sums to 1 of.
        linear: how outputs are read.
        strength: C, the inverse of the penalty.
        bias: whether outputs have one.
        start: a model from which the solver sets out.
    """
    features = features.astype(np.float64, copy=False)  # in float32 the solver stops before the optimum
    if linear == "softmax":
        return _softmax(features, targets, strength, bias, start)
    each = [_sigmoid(features, column, strength, bias) for column in targets.T]
    weights, biases = np.stack([w for w, _, _ in each]), np.array([b for _, b, _ in each])
    return LinearModel(weights=weights, bias=biases), sum(n for _, _, n in each)


def solve_by_validation(
    train: Features, targets: np.ndarray, validation: Features, judge: Judge, *, linear: Linear, bias: bool = True
) -> Solved:
    """The optimum at the strength whose model `judge` ranks first on validation; of equals the strongest penalty.

    Products are computed by one thread: they are small, and several cells run beside each other.
    """
    from threadpoolctl import threadpool_limits

    centre = None if hasattr(train, "nnz") or not bias else train.mean(axis=0, dtype=np.float64)
    centred = train if centre is None else train.astype(np.float64) - centre
    iterations, judged = 0, 0

    def solved(strength: float, start: LinearModel | None) -> _Tried:
        nonlocal iterations, judged
        model, steps = solve(centred, targets, linear=linear, strength=strength, bias=bias, start=start)
        iterations, judged = iterations + steps, judged + 1
        plain = model if centre is None else model.shifted(centre)
        return _Tried(rank=judge(plain.logits(validation)), strength=strength, model=plain, inner=model)

    with threadpool_limits(limits=1, user_api="blas"):
        best = _search(solved)
    outputs = targets.shape[1] if linear == "softmax" and targets.shape[1] > 2 else 1
    flops = 4.0 * outputs * _entries(train) * iterations + 2.0 * targets.shape[1] * _entries(validation) * judged
    return Solved(model=best.model, strength=best.strength, iterations=iterations, flops=flops)


@dataclass(frozen=True, kw_only=True)
class _Tried:
    """One strength's model. `inner` reads centred features, and is where the solver sets out for the next strength."""

    rank: tuple[float, float]
    strength: float
    model: LinearModel
    inner: LinearModel


def _search(solved: Callable[[float, LinearModel | None], _Tried]) -> _Tried:
    """The first of the best over the grid, and beyond an end of it for as long as the next strength is better."""
    best = latest = solved(GRID[0], None)
    for strength in GRID[1:]:
        latest = solved(strength, latest.inner)
        best = latest if latest.rank > best.rank else best
    weaker = [strength for strength in ALL_STRENGTHS if strength > GRID[-1]]
    stronger = [strength for strength in reversed(ALL_STRENGTHS) if strength < GRID[0]]
    beyond = {GRID[-1]: weaker, GRID[0]: stronger}.get(best.strength, ())
    for strength in beyond:
        latest = solved(strength, best.inner)
        if latest.rank <= best.rank:
            break
        best = latest
    return best


def _softmax(
    features: Features, targets: np.ndarray, strength: float, bias: bool, start: LinearModel | None
) -> tuple[LinearModel, int]:
    """Of two classes one logistic regression, half of which each class has; a class without a text stays last."""
    labels, classes = targets.argmax(axis=1), targets.shape[1]
    seen = np.unique(labels)
    solver = _solver(strength, bias)
    if len(seen) > 2 and start is not None:
        solver.set_params(warm_start=True)
        solver.classes_, solver.coef_, solver.intercept_ = seen, start.weights[seen].copy(), start.bias[seen].copy()
    weights, biases = np.zeros((classes, features.shape[1])), np.full(classes, 0.0)
    if len(seen) == 1:
        return LinearModel(weights=weights, bias=np.eye(classes)[seen[0]]), 0
    solver.fit(features, labels)
    if len(seen) == 2:
        weights[seen] = np.concatenate([-solver.coef_, solver.coef_]) / 2
        biases[seen] = np.concatenate([-solver.intercept_, solver.intercept_]) / 2
    else:
        weights[seen], biases[seen] = solver.coef_, solver.intercept_
    return LinearModel(weights=weights, bias=biases), int(solver.n_iter_.max())


def _sigmoid(features: Features, targets: np.ndarray, strength: float, bias: bool) -> tuple[np.ndarray, float, int]:
    """A text whose target is a share counts as that share of a text with the answer 1, and the rest of one with 0."""
    import scipy.sparse

    stack = scipy.sparse.vstack if scipy.sparse.issparse(features) else np.concatenate
    shared = ((targets > 0) & (targets < 1)).any()
    twice = stack([features, features]) if shared else features
    answers = np.repeat([1, 0], len(targets)) if shared else (targets > 0.5).astype(int)
    shares = np.concatenate([targets, 1 - targets]) if shared else np.ones(len(targets))
    if len(np.unique(answers[shares > 0])) == 1:  # a label that applies to all or to none: its odds, half a text added
        there = float(targets.sum())
        return np.zeros(features.shape[1]), float(np.log((there + 0.5) / (len(targets) - there + 0.5))), 0
    solver = _solver(strength, bias)
    solver.fit(twice, answers, sample_weight=shares)
    return solver.coef_[0], float(solver.intercept_[0]) if bias else 0.0, int(solver.n_iter_.max())


def _solver(strength: float, bias: bool) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(
        C=strength,
        fit_intercept=bias,
        solver="lbfgs",
        tol=_TOLERANCE / max(1.0, strength / GRID[-1]),
        max_iter=_ITERATIONS,
    )


def _single(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float32).astype(np.float64)


def _entries(features: Features) -> int:
    """Numbers that a product with the features has to look at."""
    return int(features.nnz) if hasattr(features, "nnz") else int(np.prod(features.shape))
