"""Calibration: whether the probability of an answer is the share of such answers that are right."""

import numpy as np

from pipeline.analysis.metrics import brier_scores, calibration_error
from pipeline.audits.audit import AuditReport, Measure, Reader, Subject
from pipeline.audits.kinds import without_classes
from pipeline.tasks import TaskKind


class Calibration:
    """Expected calibration error in 15 bins (Guo et al. 2017) and Brier score, on the task's own test set."""

    name: str = "calibration"
    measure: Measure = Measure(column="brier", called="Brier score", worse="higher", share=False, of="test")
    version: int = 1
    standing: bool = True

    def unable(self, task: TaskKind) -> str | None:
        """See Audit."""
        return without_classes(task)

    def unfit(self, reader: Reader) -> str | None:
        """See Audit. Any texts do."""
        return None

    def examine(self, subject: Subject, dataset: str = "test") -> AuditReport:
        """See Audit."""
        outputs = subject.outputs(subject.sets[dataset])
        squared = brier_scores(outputs.probabilities, outputs.labels)
        return AuditReport(
            numbers={
                "calibration_error": calibration_error(outputs.probabilities, outputs.labels),
                "brier": float(squared.mean()),
            },
            columns=("confidence", "correct", "brier"),
            items=np.stack([outputs.probabilities.max(axis=1), outputs.scores, squared], axis=1).astype(np.float32),
        )
