"""Heads that are set before the first step: solved on features as a linear probe, or at the means of their classes."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from pipeline.config.cell import Cell
from pipeline.data.sets import EncodedSet, Prepared
from pipeline.errors import BaseModelError
from pipeline.models.build import Network, last_linear
from pipeline.models.logistic_regression import Features, LinearModel, Solved, solve_by_validation
from pipeline.records.metrics import higher_is_better
from pipeline.tasks import LinearKind, WordwiseKind
from pipeline.training.setup.inputs import TokenInputs

MARGIN = 2.0  # nats in favour of a class, at its own mean and on average, against another
_SCALES = tuple(2.0**-halvings for halvings in range(8))  # of logits, from as they are to next to nothing
_AT_ONCE = 1024  # texts whose outputs are read at a time

Read = Callable[[EncodedSet, "np.ndarray | None"], Features]  # features of a set, or of some of its rows
InputsOf = Callable[[EncodedSet, "np.ndarray | None"], TokenInputs]


def remembered(read: Read) -> Read:
    """`read`, which computes the features of the train subset and of validation once, however often they are asked."""
    known: dict[tuple[str, bytes | None], Features] = {}

    def once(encoded: EncodedSet, rows: np.ndarray | None) -> Features:
        if encoded.role not in ("train", "validation"):  # test sets are read a single time, and may be large
            return read(encoded, rows)
        key = encoded.name, None if rows is None else rows.tobytes()
        if key not in known:
            known[key] = read(encoded, rows)
        return known[key]

    return once


def solve_head(
    cell: Cell, task: LinearKind, prepared: Prepared, rows: np.ndarray, *, read: Read, inputs: InputsOf, bias: bool
) -> Solved:
    """The linear model that is the best on validation, of those solved on the train subset `rows`.

    Args:
        read: features of texts.
        inputs: what the task knows beside the tokens of a set's texts.
        bias: whether the layer has one.
    """
    train, validation = prepared.train, prepared.validation
    beside = {name: np.asarray(values)[rows] for name, values in train.beside.items()}
    targets = task.targets(np.asarray(train.labels)[rows], beside, len(prepared.labels))
    sign = 1.0 if higher_is_better(cell.task.metric) else -1.0
    judged = inputs(validation, None)

    def judge(logits: np.ndarray) -> tuple[float, float]:
        metrics = task.measure(read_out(task, judged, logits))
        score, loss = sign * metrics[cell.task.metric], -metrics["loss"]
        return (loss, score) if cell.train.best_by == "loss" else (score, loss)

    linear = task.linear or "softmax"  # of a kind that answers for words, each has one class
    return solve_by_validation(read(train, rows), targets, read(validation, None), judge, linear=linear, bias=bias)


def calibrated(model: LinearModel, task: LinearKind, inputs: TokenInputs, features: Features) -> LinearModel:
    """The model with its logits shrunk as far as makes the loss on a set the smallest; its answers stay the same.

    A model that was solved on few texts is surer of them than of any others: their loss is next to nothing, and so is
    what a network that starts with it could learn from them.

    Args:
        inputs, features: of the set, which the model was not solved on.
    """
    logits = model.logits(features)
    losses = {scale: task.measure(read_out(task, inputs, scale * logits))["loss"] for scale in _SCALES}
    best = min(losses, key=lambda scale: losses[scale])
    return LinearModel(weights=best * model.weights, bias=best * model.bias)


def read_out(task: LinearKind, inputs: TokenInputs, logits: np.ndarray) -> Any:
    """The task's per-example outputs of a whole set by its logits [N, C], or by those of all words, [T, C]."""
    kept, read = list[np.ndarray](), 0
    for start in range(0, len(inputs), _AT_ONCE):
        items = np.arange(start, min(start + _AT_ONCE, len(inputs)))
        batch = inputs.collate(items)
        rows = task.words_in(batch) if isinstance(task, WordwiseKind) else len(items)
        kept.append(task.answers(torch.from_numpy(logits[read : read + rows]).float(), batch).float().numpy())
        read += rows
    return task.outputs(np.concatenate(kept), inputs.labels)


def class_means(features: np.ndarray, labels: np.ndarray, classes: int) -> LinearModel:
    """A text falls to the class whose mean is nearest (Snell et al. 2017); each class has one text at least.

    The logit of a class with mean m is proportional to x·(m - o) - (m - o)·(m + o)/2, whose greatest is that of the
    nearest mean; o, the mean of all classes, keeps numbers small where features have much in common.

    Args:
        features: float32 [N, H].
        labels: int [N].
        classes: how many there are.
    """
    exact = features.astype(np.float64)
    means = np.stack([exact[labels == label].mean(axis=0) for label in range(classes)])
    apart = ((means[:, None] - means[None]) ** 2).sum(axis=2)[np.triu_indices(classes, 1)]
    scale, middle = 2 * MARGIN / float(apart.mean()), means.mean(axis=0)
    bias = -scale / 2 * ((means - middle) * (means + middle)).sum(axis=1)
    return LinearModel(weights=scale * (means - middle), bias=bias)


def put_in_place(network: Network, model: LinearModel) -> None:
    """Let the network's last linear layer compute as `model`.

    Raises:
        BaseModelError: the model has a bias, and the layer has none.
    """
    last = last_linear(network.model, network.base_prefix)
    if last.bias is None and model.bias.any():
        raise BaseModelError(
            f"arm.head=class_means needs a head that ends in a linear layer with a bias, and that of "
            f"{type(network.model).__name__} does not. Use arm.head=probe, or base.pooling=mean or last."
        )
    with torch.no_grad():
        last.weight.copy_(torch.from_numpy(model.weights))
        if last.bias is not None:
            last.bias.copy_(torch.from_numpy(model.bias))
