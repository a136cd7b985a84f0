"""Tests a fitted cell on every evaluation set and writes its result."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.analysis.metrics import confusion
from pipeline.data.sets import EncodedSet
from pipeline.data.subsets import nested_subset
from pipeline.records import CellResult, Evaluation, scores_dtype, to_json
from pipeline.tasks import SummedKind
from pipeline.training.fitted import Fitted
from pipeline.training.results import SAMPLES, ResultStore
from pipeline.training.tensors import write_tensors
from pipeline.training.trajectory import converged_gain

CONFUSED = 30  # classes, above which no confusion matrix is kept
TRAIN_SAMPLE = 400  # rows of the train subset, each class's share of it, that the train score is measured on


def finish(fitted: Fitted) -> tuple[CellResult, np.ndarray]:
    """Per-example scores on every set and the cell's result; with several ranks, all must call it."""
    prepared, tested = fitted.prepared, fitted.job.cell.tested
    validation, *tests = prepared.measured(tested=tested)
    measured = [_scored(fitted, validation, 0, fitted.trajectory.best_outputs)]
    measured += [_evaluate(fitted, encoded, index) for index, encoded in enumerate(tests, start=1)]
    evaluations = [evaluation for evaluation, _ in measured]
    if tested:
        evaluations.append(_train_score(fitted))
    return _result(fitted, tuple(evaluations)), np.concatenate([scores for _, scores in measured])


def save(store: ResultStore, fitted: Fitted, result: CellResult, scores: np.ndarray) -> None:
    """Write the finished cell in one step."""
    with store.writing(fitted.job.cell, result, scores, np.stack(fitted.trajectory.item_scores)) as folder:
        text = json.dumps(result.start_line.versions, indent=2, sort_keys=True)
        (folder / "environment.json").write_text(text + "\n", encoding="utf-8")
        if fitted.samples:
            (folder / SAMPLES).write_text(to_json(fitted.samples), encoding="utf-8")
        if fitted.job.cell.train.keep != "none":
            _save_weights(fitted, folder / "weights")


def _save_weights(fitted: Fitted, folder: Path) -> None:
    """What is trained or was initialised here: a fixed base is not stored again with each cell."""
    folder.mkdir()
    write_tensors(folder / "trained.safetensors", fitted.tensors())
    fitted.save_beside(folder)


def _evaluate(fitted: Fitted, encoded: EncodedSet, index: int) -> tuple[Evaluation, np.ndarray]:
    return _scored(fitted, encoded, index, fitted.outputs(encoded, None))


def _scored(fitted: Fitted, encoded: EncodedSet, index: int, found: Any) -> tuple[Evaluation, np.ndarray]:
    statistics = _statistics(fitted, found)
    scores = np.zeros(len(encoded), dtype=scores_dtype(statistics.shape[1]))
    scores["dataset"], scores["item"], scores["group"] = index, np.arange(len(encoded)), encoded.groups
    scores["label"], scores["predicted"] = found.labels, found.predicted
    scores["score"] = found.losses if fitted.job.cell.task.metric == "loss" else found.scores
    scores["loss"] = found.losses
    if statistics.shape[1]:
        scores["statistics"] = statistics
    return _evaluation(fitted, encoded, found, _constant_score(fitted, encoded)), scores


def _statistics(fitted: Fitted, found: Any) -> np.ndarray:
    """What the metric follows from the sums of, float32 [N, K]; K is 0 where it is none of these."""
    if isinstance(fitted.task, SummedKind) and fitted.job.cell.task.metric in fitted.task.of_sums:
        return fitted.task.statistics(found)
    return np.zeros((len(found.labels), 0), dtype=np.float32)


def _constant_score(fitted: Fitted, encoded: EncodedSet) -> float | None:
    prepared, metric = fitted.prepared, fitted.job.cell.task.metric
    known = prepared.train.known(fitted.rows, len(prepared.labels))
    return fitted.task.constant_score(metric, known, encoded.known(np.arange(len(encoded)), len(prepared.labels)))


def _evaluation(fitted: Fitted, encoded: EncodedSet, found: Any, constant: float | None = None) -> Evaluation:
    return Evaluation(
        dataset=encoded.name,
        role=encoded.role,
        items=len(encoded),
        truncated=encoded.truncated,
        unknown=encoded.unknown,
        fingerprint=encoded.fingerprint,
        metrics=fitted.task.measure(found),
        constant=constant,
        confusion=_confusion(fitted, found),
    )


def _confusion(fitted: Fitted, found: Any) -> tuple[tuple[int, ...], ...]:
    classes = len(fitted.prepared.labels)
    if fitted.task.target != "label" or classes > CONFUSED:
        return ()
    return tuple(tuple(row) for row in confusion(found.labels, found.predicted, classes=classes).tolist())


def _train_score(fitted: Fitted) -> Evaluation:
    labels = np.asarray(fitted.prepared.train.labels)[fitted.rows]
    rows = fitted.rows[train_sample(labels, fitted.job.cell.train.seed)]
    whole = _evaluation(fitted, fitted.prepared.train, fitted.outputs(fitted.prepared.train, rows))
    return dataclasses.replace(whole, dataset="train", role="train", items=len(rows))


def train_sample(labels: np.ndarray, seed: int) -> np.ndarray:
    """TRAIN_SAMPLE positions of a train subset whose classes are `labels` [N], or all of them: a stratified sample."""
    size = max(min(TRAIN_SAMPLE, len(labels)), len(np.unique(labels)))
    return nested_subset(labels, size, seed)


def _result(fitted: Fitted, evaluations: tuple[Evaluation, ...]) -> CellResult:
    trajectory, cell = fitted.trajectory, fitted.job.cell
    clock = fitted.clock
    seconds = clock.seconds
    measured = dataclasses.replace(fitted.measured, finished_at=clock.started_at + seconds, seconds=seconds)
    return CellResult(
        cell_id=fitted.job.cell_id,
        key=cell.key,
        train_items=len(fitted.rows),
        pool_items=len(fitted.prepared.train),
        labels=fitted.prepared.labels,
        metric=cell.task.metric,
        higher_is_better=trajectory.sign > 0,
        evaluations=evaluations,
        trajectory=tuple(trajectory.points),
        best_step=trajectory.best_step,
        stopped_by=trajectory.stopped_by,
        converged_gain=None if cell.method.solved else converged_gain(trajectory.points, sign=trajectory.sign),
        checkpoint=fitted.network.checkpoint if fitted.network else None,
        start_line=fitted.start_line,
        cost=fitted.cost,
        measured=measured,
    )
