"""Memorisation: how well the loss distinguishes the texts that a cell was trained on from other texts."""

from typing import Final

import numpy as np

from pipeline.audits.audit import AuditReport, Measure, Reader, Subject
from pipeline.data.subsets import train_sample
from pipeline.tasks import TaskKind

FALSE_POSITIVES: Final = 0.01  # share of the test texts that are taken for training texts


class Memorisation:
    """Membership inference by the loss alone (Yeom et al. 2018): the lower it is, the likelier a training text.

    The area under its ROC curve is the mean over test texts of the share of training texts whose loss is lower, ties
    counting half: 0.5 is chance, and 1 separates them perfectly.
    """

    name: str = "memorisation"
    measure: Measure = Measure(column="auc", called="memorisation of training texts", worse="higher", of="test")
    version: int = 1
    standing: bool = False

    def unable(self, task: TaskKind) -> str | None:
        """See Audit. Every kind has a loss."""
        return None

    def unfit(self, reader: Reader) -> str | None:
        """See Audit. Any texts do."""
        return None

    def examine(self, subject: Subject, dataset: str = "test") -> AuditReport:
        """See Audit."""
        test = subject.outputs(subject.sets[dataset]).losses
        trained = np.sort(subject.outputs(subject.sets["train"], _trained_on(subject)).losses)
        shares = placements(test, trained)
        caught = np.searchsorted(trained, np.quantile(test, FALSE_POSITIVES), side="left") / len(trained)
        return AuditReport(
            numbers={
                "auc": float(shares.mean()),
                "caught": float(caught),
                "loss_trained": float(trained.mean(dtype=np.float64)),
                "loss_test": float(test.mean(dtype=np.float64)),
            },
            columns=("auc", "loss"),
            items=np.stack([shares, test], axis=1).astype(np.float32),
        )


def placements(others: np.ndarray, ordered: np.ndarray) -> np.ndarray:
    """For each value the share of `ordered` that is lower, where ties count half: float64 [N]."""
    below, upto = (np.searchsorted(ordered, others, side=side) for side in ("left", "right"))
    return np.asarray((below + upto) / (2.0 * len(ordered)))


def _trained_on(subject: Subject) -> np.ndarray:
    """The rows that the train score is measured on too."""
    labels = np.asarray(subject.sets["train"].labels)[subject.rows]
    return np.asarray(subject.rows[train_sample(labels, subject.cell.train.seed)])
