"""Metrics of one evaluation set, from gold and predicted classes or numbers."""

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Classes = npt.NDArray[Any]  # of any integer type
UNDECIDED = -1  # the prediction where several classes are equally likely: a miss, whatever is right
_CONSTANT = 1e-20  # a variance that is rounding alone


def decided(values: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
    """The class of the greatest value in each row of `values` [N, C], int32 [N]; UNDECIDED where several share it.

    Taking the first of several would hand the class that comes first in the alphabet the credit for every tie.
    """
    greatest = values.max(axis=1, keepdims=True)
    alone = (values == greatest).sum(axis=1) == 1
    return np.where(alone, values.argmax(axis=1), UNDECIDED).astype(np.int32)


def accuracy(labels: Classes, predicted: Classes) -> float:
    """The share of items [N] whose predicted class is the gold one.

    Raises:
        ValueError: the arrays differ in length or are empty.
    """
    _check(labels, predicted)
    return float(np.mean(labels == predicted))


def macro_f1(labels: Classes, predicted: Classes, *, classes: int) -> float:
    """The unweighted mean over classes of F1 = 2 TP / (2 TP + FP + FN), from labels [N] and predictions [N].

    It averages over the classes that occur among `labels`; F1 of one that is never predicted is 0.

    Raises:
        ValueError: the arrays differ in length or are empty.
    """
    _check(labels, predicted)
    return float(weighted_macro_f1(labels, predicted[None], np.ones((1, len(labels))), classes=classes)[0, 0])


def weighted_macro_f1(labels: Classes, predicted: Classes, weights: npt.NDArray[Any], *, classes: int) -> Floats:
    """Macro F1 [B, S] of predictions [S, N] under B item weightings [B, N], as the bootstrap needs it."""
    total = np.zeros((len(weights), len(predicted)))
    counted = np.zeros((len(weights), 1))
    for k in range(classes):
        gold, answers = labels == k, predicted == k
        support = weights @ gold.astype(weights.dtype)
        hits = weights @ (answers & gold).T.astype(weights.dtype)
        claims = weights @ answers.T.astype(weights.dtype)
        total += 2.0 * hits / np.maximum(support[:, None] + claims, 1e-12)
        counted += (support > 0)[:, None]
    return np.asarray(total / np.maximum(counted, 1.0))


def overlap_f1(right: npt.NDArray[Any], told: npt.NDArray[Any]) -> Floats:
    """F1 of the labels told of each item, [N], from those that are right and those told, bool [N, C].

    F1 = 2 |right and told| / (|right| + |told|), and 1 where both are empty.
    """
    hits = (right & told).sum(axis=1)
    sizes = right.sum(axis=1) + told.sum(axis=1)
    return np.where(sizes == 0, 1.0, 2.0 * hits / np.maximum(sizes, 1))


def f1_of_sums(sums: npt.NDArray[Any]) -> Floats:
    """F1 over all labels of all items, [...], from sums [..., 2] of hits and of labels right and told."""
    hits, sizes = sums[..., 0], sums[..., 1]
    return np.where(sizes == 0, 1.0, 2.0 * hits / np.maximum(sizes, 1))


def moments(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> Floats:
    """Of each of N pairs of numbers 1, x, y, xx, yy and xy, [N, 6], from the means of all of them on."""
    x, y = (numbers.astype(np.float64) - numbers.mean(dtype=np.float64) for numbers in (one, other))
    return np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=1)


def pearson_of_sums(sums: npt.NDArray[Any]) -> Floats:
    """Pearson's correlation [...] from sums [..., 6] of `moments`; 0 where one of the two is constant."""
    count, x, y, xx, yy, xy = np.moveaxis(sums, -1, 0)
    spreads = np.stack([count * xx - x * x, count * yy - y * y])
    varied = (spreads > _CONSTANT * count**2).all(axis=0)
    return np.where(varied, (count * xy - x * y) / np.sqrt(np.where(varied, spreads, 1.0).prod(axis=0)), 0.0)


def correlations(numbers: npt.NDArray[Any], told: npt.NDArray[Any]) -> tuple[float, float]:
    """Pearson's and Spearman's (of ranks, ties sharing theirs) between numbers [N] and those told of them [N].

    Both are 0 where either is constant, or where there are fewer than two items.
    """
    from scipy.stats import pearsonr, spearmanr

    if len(numbers) < 2 or np.ptp(numbers) == 0 or np.ptp(told) == 0:
        return 0.0, 0.0
    pairs = numbers.astype(np.float64), told.astype(np.float64)
    return float(pearsonr(*pairs).statistic), float(spearmanr(*pairs).statistic)


def calibration_error(probabilities: npt.NDArray[Any], labels: Classes, *, bins: int = 15) -> float:
    """How far the probability of the answer is from the share of right answers, on average over items (ECE).

    Items are put in bins of equal width by the probability of their answer; a bin's gap counts by its items (Guo et al.
    2017, section 2).

    Args:
        probabilities: [N, C], rows that sum up to one.
        labels: gold classes, [N].
    """
    told = probabilities.max(axis=1).astype(np.float64)
    right = (decided(probabilities) == labels).astype(np.float64)
    place = np.clip(np.ceil(told * bins).astype(int) - 1, 0, bins - 1)
    gaps = np.bincount(place, weights=right - told, minlength=bins)
    return float(np.abs(gaps).sum() / len(labels))


def brier_scores(probabilities: npt.NDArray[Any], labels: Classes) -> npt.NDArray[np.float64]:
    """The squared distance of each item's probabilities [N, C] from the truth, from 0 to 2, [N].

    Their mean is the Brier score (Brier 1950).
    """
    truth = np.eye(probabilities.shape[1])[labels]
    return np.asarray(((probabilities.astype(np.float64) - truth) ** 2).sum(axis=1))


def confusion(labels: Classes, predicted: Classes, *, classes: int) -> npt.NDArray[np.int64]:
    """How many items of each class (rows) were predicted as each class (columns), [C, C], UNDECIDED ones left out."""
    told = predicted != UNDECIDED
    cells = labels[told].astype(np.int64) * classes + predicted[told]
    return np.bincount(cells, minlength=classes**2).reshape(classes, classes)


def _check(labels: Classes, predicted: Classes) -> None:
    if labels.shape != predicted.shape or labels.ndim != 1 or not len(labels):
        raise ValueError(
            f"labels and predictions must be two [N] arrays, N > 0, not {labels.shape} and {predicted.shape}"
        )
