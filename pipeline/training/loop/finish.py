"""Measures a fitted cell on the sets that are part of its training, and writes its result."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pipeline.data.subsets import train_sample
from pipeline.records import CellResult, Evaluation, to_json
from pipeline.storage.evaluations import Evaluations
from pipeline.storage.results import SAMPLES, ResultStore
from pipeline.storage.tensors import write_tensors
from pipeline.training.loop.evaluate import Measurement, evaluation_of, scored
from pipeline.training.loop.evaluation_callback import converged_gain
from pipeline.training.loop.fitted import Fitted


def finish(fitted: Fitted) -> tuple[CellResult, np.ndarray]:
    """Per-example scores on validation and test and the cell's result; with several ranks, all must call it."""
    prepared, tested = fitted.prepared, fitted.cell.tested
    measured = [scored(fitted, prepared.validation, fitted.trajectory.best_outputs)]
    if tested:
        measured.append(scored(fitted, prepared.test, fitted.outputs(prepared.test), index=1))
    evaluations = [evaluation for evaluation, _ in measured]
    if tested:
        evaluations.append(_train_score(fitted))
    return _result(fitted, tuple(evaluations)), np.concatenate([scores for _, scores in measured])


def save(
    store: ResultStore, fitted: Fitted, result: CellResult, scores: np.ndarray, beside: Sequence[Measurement] = ()
) -> None:
    """Write the finished cell in one step, with what was measured `beside` its training."""
    with store.writing(fitted.cell, result, scores, np.stack(fitted.trajectory.item_scores)) as folder:
        text = json.dumps(result.start_line.versions, indent=2, sort_keys=True)
        (folder / "environment.json").write_text(text + "\n", encoding="utf-8")
        if fitted.samples:
            (folder / SAMPLES).write_text(to_json(fitted.samples), encoding="utf-8")
        for record, items in beside:
            Evaluations(folder).write(record, items)
        if fitted.cell.train.keep != "none":
            _save_weights(fitted, folder / "weights")


def _save_weights(fitted: Fitted, folder: Path) -> None:
    """What is trained or was initialised here: a fixed base is not stored again with each cell."""
    folder.mkdir()
    write_tensors(folder / "trained.safetensors", fitted.tensors())
    fitted.save_beside(folder)


def _train_score(fitted: Fitted) -> Evaluation:
    labels = np.asarray(fitted.prepared.train.labels)[fitted.rows]
    rows = fitted.rows[train_sample(labels, fitted.cell.train.seed)]
    whole = evaluation_of(fitted, fitted.prepared.train, fitted.outputs(fitted.prepared.train, rows))
    return dataclasses.replace(whole, dataset="train", role="train", items=len(rows))


def _result(fitted: Fitted, evaluations: tuple[Evaluation, ...]) -> CellResult:
    trajectory, cell = fitted.trajectory, fitted.cell
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
