"""Storage: what is left of the score when the weights that a cell adds to its base are kept in 8 bits."""

import numpy as np

from pipeline.audits.audit import AuditReport, Measure, Reader, Subject
from pipeline.audits.kinds import without_classes
from pipeline.tasks import TaskKind


class Storage:
    """Bytes that a cell adds to its base, whose own weights are shared by all tasks, and the score of each test item at
    these bytes and at 8 bits a weight.
    """

    name: str = "storage"
    measure: Measure = Measure(column="score_8bit", called="score with weights in 8 bits", worse="lower", of="test")
    version: int = 1
    standing: bool = False

    def unable(self, task: TaskKind) -> str | None:
        """See Audit."""
        return without_classes(task)

    def unfit(self, reader: Reader) -> str | None:
        """See Audit. Any texts do."""
        return None

    def examine(self, subject: Subject, dataset: str = "test") -> AuditReport:
        """See Audit."""
        test = subject.sets[dataset]
        whole, (rounded, size) = subject.outputs(test), subject.in_eight_bits(test)
        items = np.stack([whole.scores, rounded.scores, whole.predicted != rounded.predicted], axis=1)
        return AuditReport(
            numbers={
                "stored_bytes": float(subject.stored_bytes),
                "stored_bytes_8bit": float(size),
                "score": float(items[:, 0].mean()),
                "score_8bit": float(items[:, 1].mean()),
                "changed": float(items[:, 2].mean()),
            },
            columns=("score", "score_8bit", "changed"),
            items=items.astype(np.float32),
        )
