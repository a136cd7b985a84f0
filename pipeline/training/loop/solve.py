"""Cells that are solved instead of trained in steps: a linear probe on a fixed base, or a linear model on words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.audits import Predictor
from pipeline.data.sets import EncodedSet, Prepared
from pipeline.data.subsets import nested_subset
from pipeline.errors import ConfigError
from pipeline.models.build import Network, last_linear
from pipeline.models.logistic_regression import LinearModel, Solved
from pipeline.records import Cost, Measured, StartLine, TrajectoryPoint
from pipeline.records.metrics import higher_is_better
from pipeline.storage.item_scores import made_of
from pipeline.tasks import LinearKind, linear_kind, unsolvable
from pipeline.training.cost import parameter_counts, peak_memory_bytes
from pipeline.training.job import Job
from pipeline.training.loop.fitted import Fitted, Report
from pipeline.training.loop.stopwatch import Stopwatch
from pipeline.training.setup import predictor, rounded
from pipeline.training.setup.assembly import assemble, forward_flops
from pipeline.training.setup.attribution import Attribute, of_network, of_words
from pipeline.training.setup.features import reader_of
from pipeline.training.setup.heads import InputsOf, Read, put_in_place, read_out, remembered, solve_head
from pipeline.training.setup.inputs import TokenInputs
from pipeline.training.setup.samples import compared, exercises
from pipeline.training.setup.start_line import start_line
from pipeline.training.setup.word_model import WordModel, word_features


@dataclass(kw_only=True)
class _Points:
    """The two points of a solved cell: the start, and the optimum, which is kept."""

    sign: float
    points: list[TrajectoryPoint] = field(default_factory=list)
    item_scores: list[np.ndarray] = field(default_factory=list)
    best_step: int = 0
    best_outputs: Any = None
    stopped_by: str = "solved"

    def add(self, point: TrajectoryPoint, item_scores: np.ndarray, outputs: Any) -> None:
        """One point more, which is the best so far."""
        self.points.append(point)
        self.item_scores.append(item_scores)
        self.best_outputs = outputs


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What is solved: how texts become features, the model before, and what both cost.

    `examined` answers exercises: the network or the model on words, once the solved model is in it.
    """

    read: Read
    inputs: InputsOf
    start: LinearModel
    bias: bool
    spent: float  # FLOPs of the features of train subset and validation
    line: StartLine
    network: Network | None
    parameters: tuple[int, int]  # all, and those that are solved
    planned_memory_bytes: int
    libraries_bytes: int
    put: Callable[[LinearModel], Any]  # lets the model be this one; returns what answers for it
    attribute: Callable[[LinearModel], Attribute]
    predictor: Callable[[LinearModel], Predictor]
    tensors: Callable[[LinearModel], Mapping[str, Any]]
    save_beside: Callable[[Path], None] = lambda folder: None


def solve_cell(job: Job, report: Report) -> Fitted:
    """Solve `job`'s cell.

    Args:
        report: called with both points. A cell that is solved is over before it could be given up.

    Raises:
        ConfigError: the task's kind poses no convex problem.
        BaseModelError, DataError, StorageError: what was there when the study was planned is gone or changed.
    """
    clock = Stopwatch()
    cell, task = job.cell, linear_kind(job.cell.task.kind)
    if task is None:
        raise ConfigError([unsolvable(cell.arm.name, cell.method.name, cell.task.kind)])
    prepared = job.data()
    rows = nested_subset(np.asarray(prepared.train.labels), cell.train.size, cell.train.seed)
    subject = (_words if cell.method.reads == "words" else _probe)(job, prepared, task, rows)
    asked = exercises(job, task, prepared)
    before = asked.answers(subject.put(subject.start)) if asked else []
    solved = solve_head(cell, task, prepared, rows, read=subject.read, inputs=subject.inputs, bias=subject.bias)
    solved = replace(solved, model=solved.model.stored())
    measure = _Measure(task=task, subject=subject, prepared=prepared, rows=rows, metric=cell.task.metric)
    points = measure.points(solved, tested=cell.tested)
    seconds = clock.seconds
    for point in points.points:
        report(point)
    return Fitted(
        job=job,
        task=task,
        network=subject.network,
        prepared=prepared,
        rows=rows,
        trajectory=points,
        start_line=subject.line,
        cost=_cost(subject, solved, points.points[-1]),
        clock=clock,
        measured=_measured(job, subject, clock.started_at, seconds, len(points.points)),
        samples=compared(asked, before, subject.put(solved.model)),
        measure=lambda encoded, some: measure.outputs(solved.model, encoded, some),
        attribute=subject.attribute(solved.model),
        rounded=rounded.of_linear(solved.model, measure.outputs),
        predictor=subject.predictor(solved.model),
        tensors=lambda: subject.tensors(solved.model),
        save_beside=subject.save_beside,
    )


@dataclass(frozen=True, kw_only=True)
class _Measure:
    """Measures the start and the solved model on validation."""

    task: LinearKind
    subject: Subject
    prepared: Prepared
    rows: np.ndarray
    metric: str

    def points(self, solved: Solved, *, tested: bool) -> _Points:
        """Both points; a trial of a sweep has the second alone."""
        points = _Points(sign=1.0 if higher_is_better(self.metric) else -1.0, best_step=max(1, solved.iterations))
        if tested:
            points.add(*self._point(self.subject.start, 0, 0.0, None))
        train = self.outputs(solved.model, self.prepared.train, self.rows)
        loss = float(np.mean(train.losses, dtype=np.float64))
        points.add(*self._point(solved.model, points.best_step, self.subject.spent + solved.flops, loss))
        return points

    def _point(
        self, model: LinearModel, step: int, flops: float, loss: float | None
    ) -> tuple[TrajectoryPoint, np.ndarray, Any]:
        outputs = self.outputs(model, self.prepared.validation, None)
        metrics = self.task.measure(outputs)
        point = TrajectoryPoint(
            step=step,
            examples=len(self.rows) if step else 0,
            flops=flops,
            train_loss=loss,
            validation_loss=metrics["loss"],
            validation_score=metrics[self.metric],
            learning_rate=0.0,
        )
        return point, made_of(self.task, self.metric, outputs), outputs

    def outputs(self, model: LinearModel, encoded: EncodedSet, rows: np.ndarray | None) -> Any:
        """What a model answers to a set, or to some rows of it."""
        features = self.subject.read(encoded, rows)
        return read_out(self.task, self.subject.inputs(encoded, rows), model.logits(features))


def _probe(job: Job, prepared: Prepared, task: LinearKind, rows: np.ndarray) -> Subject:
    built = assemble(job, prepared, task, rows)
    network = built.network
    last = last_linear(network.model, network.base_prefix)
    lengths = np.concatenate([prepared.train.lengths[rows], prepared.validation.lengths])

    def put(model: LinearModel) -> Network:
        put_in_place(network, model)
        return network

    return Subject(
        read=remembered(reader_of(job, network, prepared).of),
        inputs=built.inputs.of,
        start=LinearModel.of_layer(last),
        bias=last.bias is not None,
        spent=built.spent + forward_flops(built.flops, lengths),
        line=start_line(job, network, train_items=rows, lengths=prepared.train.lengths[rows], dropout=built.dropout),
        network=network,
        parameters=parameter_counts(network.model),
        planned_memory_bytes=built.planned_memory_bytes,
        libraries_bytes=built.libraries_bytes,
        put=put,
        attribute=lambda _: of_network(job, network, task),
        predictor=lambda _: predictor.of_network(job, network, prepared.labels),
        tensors=lambda _: network.stored(),
    )


def _words(job: Job, prepared: Prepared, task: LinearKind, rows: np.ndarray) -> Subject:
    features = word_features(task, prepared, rows)
    classes = len(prepared.labels)
    start = LinearModel(weights=np.zeros((classes, features.width)), bias=np.zeros(classes))
    count = classes * (features.width + 1)

    def put(model: LinearModel) -> WordModel:
        return WordModel(task=task, counter=features.counter, model=model)

    return Subject(
        read=remembered(features.of),
        inputs=lambda encoded, some: TokenInputs(encoded, task, job.vocabulary, some),
        start=start,
        bias=True,
        spent=0.0,
        line=start_line(job, None, train_items=rows, lengths=prepared.train.lengths[rows], dropout=0.0),
        network=None,
        parameters=(count, count),
        planned_memory_bytes=0,
        libraries_bytes=0,
        put=put,
        attribute=lambda model: of_words(put(model)),
        predictor=lambda model: predictor.of_words(job, put(model), prepared.labels),
        tensors=lambda model: model.tensors(),
        save_beside=features.counter.save,
    )


def _cost(subject: Subject, solved: Solved, last: TrajectoryPoint) -> Cost:
    parameters, trained = subject.parameters
    return Cost(
        flops=last.flops,
        examples=last.examples,
        steps=last.step,
        parameters=parameters,
        trained_parameters=trained,
        stored_bytes=subject.network.stored_bytes if subject.network else 4 * trained,
    )


def _measured(job: Job, subject: Subject, started: float, seconds: float, points: int) -> Measured:
    return Measured(
        seconds=seconds,
        training_seconds=seconds,
        evaluation_seconds=0.0,
        trajectory_seconds=(*(0.0,) * (points - 1), seconds),
        peak_memory_bytes=peak_memory_bytes(),
        libraries_bytes=subject.libraries_bytes,
        planned_memory_bytes=subject.planned_memory_bytes,
        started_at=started,
        finished_at=started + seconds,
        threads=job.hardware.threads,
        devices=job.hardware.devices,
        concurrency=job.concurrency,
    )
