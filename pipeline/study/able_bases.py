"""Refuses a plan whose bases cannot do what is asked of them, before anything is written for it."""

from pipeline.errors import BaseModelError
from pipeline.execution.local import warm_up
from pipeline.execution.run_in_worker import call
from pipeline.models.base_compatibility import check_able
from pipeline.study.plan import Plan, on_each_base
from pipeline.study.pretraining import pretrainings


def require_able_bases(plan: Plan) -> None:
    """Check in a worker that each base of a missing cell can do the task's kind, and what its arms begin with.

    Raises:
        BaseModelError: one cannot; the message says what it can do.
    """
    if not plan.missing():
        return
    warm_up(plan.hardware.threads)
    _check(on_each_base(plan))
    try:
        _check(pretrainings(plan))
    except BaseModelError as error:
        raise BaseModelError(f"{error} It is what an arm begins with: choose arm.pretraining.objective.") from error


def _check(parts: list[Plan]) -> None:
    wanted = [(p.config.base.name, p.located.directory, p.config.task.kind) for p in parts if p.missing()]
    if wanted:
        call(check_able, wanted=wanted)
