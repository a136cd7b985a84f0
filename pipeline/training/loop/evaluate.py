"""Measures a trained cell on encoded sets, and has audits examine it, beside its training.

It is the same whether the network is still there after its training or was restored from stored weights.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.analysis.metrics import confusion
from pipeline.audits import AUDITS, Examination, Predictor
from pipeline.config.cell import Cell
from pipeline.data.sets import EncodedSet, Prepared
from pipeline.models.few_bits import Bits
from pipeline.models.tokenizer import load_tokenizer
from pipeline.records import AuditResult, CellResult, Evaluation, scores_dtype
from pipeline.storage.evaluations import audit_ids, set_ids
from pipeline.tasks import Example, SummedKind, TaskKind
from pipeline.training.job import Job
from pipeline.training.setup.attribution import Attribute
from pipeline.training.setup.probes import encoded_probe
from pipeline.training.setup.rounded import Rounded

CONFUSED = 30  # classes, above which no confusion matrix is kept
Outputs = Callable[
    [EncodedSet, "np.ndarray | None"], Any
]  # a set, or some of its rows -> the task's per-example outputs
Measurement = tuple[Evaluation | AuditResult, np.ndarray]  # with the rows of its items


@dataclass(frozen=True, kw_only=True)
class Evaluable:
    """A trained cell whose network is at hand; it is what audits are given, see `audits.Subject`.

    `rows` are the train subset's rows in the pool; `measure` gives the outputs on a set, or on some rows of it;
    `attribute` what each character of a text adds to a class, `rounded` the outputs with its own weights in few bits,
    `predictor` answers raw texts.
    """

    job: Job
    task: TaskKind
    prepared: Prepared
    rows: np.ndarray
    measure: Outputs
    attribute: Attribute
    rounded: Rounded
    predictor: Predictor
    _known: dict[str, Any] = field(default_factory=dict, repr=False)  # outputs on whole sets

    @property
    def cell(self) -> Cell:
        """Its settings."""
        return self.job.cell

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes, in the order of the network's outputs."""
        return self.prepared.labels

    @property
    def sets(self) -> Mapping[str, EncodedSet]:
        """The task's sets by name."""
        return self.prepared.sets

    def outputs(self, encoded: EncodedSet, rows: np.ndarray | None = None) -> Any:
        """The task's per-example outputs on a set, or on some rows of it, int [N]."""
        if rows is not None:
            return self.measure(encoded, rows)
        key = f"{encoded.name} {encoded.fingerprint}"
        if key not in self._known:  # scores and audits are read off the same ones
            self._known[key] = self.measure(encoded, None)
        return self._known[key]

    @cached_property
    def tokenizer(self) -> Any:
        """The base's."""
        return load_tokenizer(Path(self.job.base_directory))

    def probe(self, name: str, examples: Sequence[Example]) -> EncodedSet:
        """Examples that are not among the task's sets, encoded as the cell reads texts."""
        return encoded_probe(self.cell, self.tokenizer, self.labels, name, examples)

    @property
    def stored_bytes(self) -> int:
        """Bytes of the weights that it adds to its base, in float32."""
        return self.rounded.stored_bytes

    def in_bits(self, encoded: EncodedSet, bits: Bits) -> tuple[Any, int]:
        """The outputs on a set with these weights rounded to so many bits, and the bytes that they take then."""
        return self.rounded.outputs(encoded, bits)

    def attributions(self, text: str, label: int) -> np.ndarray:
        """How much each character of a text adds to a class, float64 [len(text)]."""
        return self.attribute(text, label)


def measured_beside(subject: Evaluable, there: Callable[[str], bool] = lambda _: False) -> Iterator[Measurement]:
    """Evaluate the cell on every set that is only evaluated, and run its audits; with several ranks, all must call it.

    Args:
        subject: the cell.
        there: whether the one with an id was measured before, and is left out.
    """
    job = subject.job
    for name, number in set_ids(job.cell_id, job.evaluated).items():
        if not there(number):
            yield scored(subject, subject.sets[name], subject.outputs(subject.sets[name]), evaluation_id=number)
    for of, number in audit_ids(job.cell_id, job.audits, job.evaluated).items():
        if not there(number):
            yield _audited(subject, of, number)


def with_measured(result: CellResult, beside: Sequence[Measurement]) -> CellResult:
    """The result of a training with what was measured beside it."""
    records = [record for record, _ in beside]
    return replace(
        result,
        evaluations=(*result.evaluations, *(r for r in records if isinstance(r, Evaluation))),
        audits=tuple(r for r in records if isinstance(r, AuditResult)),
    )


def _audited(subject: Evaluable, of: Examination, number: str) -> Measurement:
    audit = AUDITS[of.audit]
    audited = audit.examine(subject, of.dataset)
    result = AuditResult(
        audit=of.audit,
        version=audit.version,
        items=len(audited.items),
        columns=audited.columns,
        numbers=dict(audited.numbers),
        evaluation_id=number,
        dataset=of.dataset,
    )
    return result, audited.items.astype(np.float32)


def scored(
    subject: Evaluable, encoded: EncodedSet, outputs: Any, *, index: int = 0, evaluation_id: str = ""
) -> tuple[Evaluation, np.ndarray]:
    """What is kept of the outputs on one set.

    Args:
        subject: the cell.
        encoded: the set.
        outputs: the task's per-example outputs on it.
        index: the set's number among those whose scores lie in one file.
        evaluation_id: of an evaluation that is no part of the training.

    Returns:
        The evaluation, and `scores_dtype` [N].
    """
    statistics = _statistics(subject, outputs)
    scores = np.zeros(len(encoded), dtype=scores_dtype(statistics.shape[1]))
    scores["dataset"], scores["item"], scores["group"] = index, np.arange(len(encoded)), encoded.groups
    scores["label"], scores["predicted"] = outputs.labels, outputs.predicted
    scores["score"] = outputs.losses if subject.cell.task.metric == "loss" else outputs.scores
    scores["loss"] = outputs.losses
    if statistics.shape[1]:
        scores["statistics"] = statistics
    return evaluation_of(subject, encoded, outputs, _constant_score(subject, encoded), evaluation_id), scores


def evaluation_of(
    subject: Evaluable, encoded: EncodedSet, outputs: Any, constant: float | None = None, evaluation_id: str = ""
) -> Evaluation:
    """The record of the outputs on a set."""
    return Evaluation(
        dataset=encoded.name,
        role=encoded.role,
        items=len(encoded),
        truncated=encoded.truncated,
        unknown=encoded.unknown,
        fingerprint=encoded.fingerprint,
        metrics=subject.task.measure(outputs),
        constant=constant,
        confusion=_confusion(subject, outputs),
        evaluation_id=evaluation_id,
    )


def _statistics(subject: Evaluable, outputs: Any) -> np.ndarray:
    """What the metric follows from the sums of, float32 [N, K]; K is 0 where it is none of these."""
    if isinstance(subject.task, SummedKind) and subject.cell.task.metric in subject.task.of_sums:
        return subject.task.statistics(outputs)
    return np.zeros((len(outputs.labels), 0), dtype=np.float32)


def _constant_score(subject: Evaluable, encoded: EncodedSet) -> float | None:
    prepared, classes = subject.prepared, len(subject.labels)
    known = prepared.train.known(subject.rows, classes)
    held = encoded.known(np.arange(len(encoded)), classes)
    return subject.task.constant_score(subject.cell.task.metric, known, held)


def _confusion(subject: Evaluable, outputs: Any) -> tuple[tuple[int, ...], ...]:
    classes = len(subject.labels)
    if subject.task.target != "label" or classes > CONFUSED:
        return ()
    return tuple(tuple(row) for row in confusion(outputs.labels, outputs.predicted, classes=classes).tolist())
