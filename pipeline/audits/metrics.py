"""Metrics of a task's kind that cells were not trained for, measured on each test set once they are finished."""

import numpy as np

from pipeline.audits.audit import AuditReport, Measure, Reader, Subject
from pipeline.records.metrics import MEANS, SHARES, called, higher_is_better
from pipeline.tasks import KINDS, Outputs, SummedKind, TaskKind
from pipeline.tasks.texts.corpus_metrics import OF_SUMS


class OtherMetric:
    """A metric other than `task.metric`, which has decided what was trained and which weights are the best.

    Args:
        metric: its name.
    """

    version: int = 1
    standing: bool = False

    def __init__(self, metric: str) -> None:
        self.name = metric
        self.measure = Measure(
            column=f"{metric}_1" if metric in OF_SUMS else metric,
            called=called(metric),
            worse="lower" if higher_is_better(metric) else "higher",
            share=metric in SHARES,
            of="every_set",
            metric=metric,
        )

    def unable(self, task: TaskKind) -> str | None:
        """See Audit."""
        if self.name in task.metrics:
            return None
        return f"{task.name} is not measured by {self.name}. Its metrics are {', '.join(task.metrics)}."

    def unfit(self, reader: Reader) -> str | None:
        """See Audit. Any texts do."""
        return None

    def examine(self, subject: Subject, dataset: str = "test") -> AuditReport:
        """See Audit. A column of scores or of predicted classes, or one for each number that is summed."""
        outputs = subject.outputs(subject.sets[dataset])
        items = self._items(subject.task, outputs)
        summed = tuple(f"{self.name}_{number}" for number in range(1, items.shape[1] + 1))
        return AuditReport(
            numbers={self.name: subject.task.measure(outputs)[self.name]},
            columns=summed if self.name in OF_SUMS else (self.name,),
            items=items.astype(np.float32),
        )

    def _items(self, task: TaskKind, outputs: Outputs) -> np.ndarray:
        if isinstance(task, SummedKind) and self.name in OF_SUMS:
            return task.statistics(outputs)
        if self.name == "loss":
            return outputs.losses[:, None]
        return (outputs.scores if self.name in MEANS else outputs.predicted)[:, None]


OTHER_METRICS = tuple(OtherMetric(name) for name in dict.fromkeys(m for each in KINDS.values() for m in each.metrics))
