"""Storage: what is left of the score when the weights that a cell adds to its base are kept in 8 or 4 bits."""

from typing import TYPE_CHECKING

import numpy as np

from pipeline.audits.audit import AuditReport, Measure, Reader, Subject
from pipeline.audits.kinds import without_classes
from pipeline.tasks import TaskKind

if TYPE_CHECKING:
    from pipeline.models.few_bits import Bits


class Storage:
    """Bytes that a cell adds to its base, whose own weights are shared by all tasks, and the score of each test item at
    these bytes and at fewer bits a weight.

    Args:
        name: of the audit.
        bits: of each weight.
    """

    version: int = 1
    standing: bool = False

    def __init__(self, name: str, bits: "Bits") -> None:
        self.name, self.bits = name, bits
        self.measure = Measure(
            column=f"score_{bits}bit", called=f"score with weights in {bits} bits", worse="lower", of="test"
        )

    def unable(self, task: TaskKind) -> str | None:
        """See Audit."""
        return without_classes(task)

    def unfit(self, reader: Reader) -> str | None:
        """See Audit. Any texts do."""
        return None

    def examine(self, subject: Subject, dataset: str = "test") -> AuditReport:
        """See Audit."""
        test = subject.sets[dataset]
        whole, (rounded, size) = subject.outputs(test), subject.in_bits(test, self.bits)
        items = np.stack([whole.scores, rounded.scores, whole.predicted != rounded.predicted], axis=1)
        return AuditReport(
            numbers={
                "stored_bytes": float(subject.stored_bytes),
                f"stored_bytes_{self.bits}bit": float(size),
                "score": float(items[:, 0].mean()),
                self.measure.column: float(items[:, 1].mean()),
                "changed": float(items[:, 2].mean()),
            },
            columns=("score", self.measure.column, "changed"),
            items=items.astype(np.float32),
        )
