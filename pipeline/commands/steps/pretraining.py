"""Trains what the arms of a study, a sweep or a single training go on from, before any cell of theirs."""

from collections.abc import Callable

from pipeline.study.plan import Plan
from pipeline.study.pretraining import pretrainings
from pipeline.study.progress import Progress
from pipeline.study.run import run


def pretrain(plan: Plan, before_training: Callable[[], object] = lambda: None) -> None:
    """Train on the task's own text, where an arm of `plan` asks for it; the cells that need what fails say so.

    Args:
        plan: whose arms they are.
        before_training: called before the first of these trainings starts.

    Raises:
        UnequalStartError, DataError, BaseModelError, ConfigError: as `pipeline.study.run.run`.
    """
    for before in pretrainings(plan):
        with Progress(before) as progress:
            run(before, progress.watch, before_training=before_training)
