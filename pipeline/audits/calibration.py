"""Calibration: whether the probability of an answer is the share of such answers that are right."""

import numpy as np

from pipeline.analysis.metrics import brier_scores, calibration_error
from pipeline.audits.audit import AuditReport, Measure, Subject
from pipeline.tasks import KINDS, ClassOutputs, TaskKind


class Calibration:
    """Expected calibration error in 15 bins (Guo et al. 2017) and Brier score, on the task's own test set."""

    name: str = "calibration"
    measure: Measure = Measure(column="brier", called="Brier score", worse="higher", share=False, of_test=True)
    version: int = 1
    standing: bool = True

    def unable(self, task: TaskKind) -> str | None:
        """See Audit."""
        if issubclass(task.outputs_type, ClassOutputs):
            return None
        able = [name for name, each in KINDS.items() if issubclass(each.outputs_type, ClassOutputs)]
        return f"{task.name} gives no probability of one class a text. It examines {', '.join(able)}."

    def examine(self, subject: Subject) -> AuditReport:
        """See Audit."""
        outputs = subject.outputs(subject.sets["test"])
        squared = brier_scores(outputs.probabilities, outputs.labels)
        return AuditReport(
            numbers={
                "calibration_error": calibration_error(outputs.probabilities, outputs.labels),
                "brier": float(squared.mean()),
            },
            columns=("confidence", "correct", "brier"),
            items=np.stack([outputs.probabilities.max(axis=1), outputs.scores, squared], axis=1).astype(np.float32),
        )
