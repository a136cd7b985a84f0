"""Evaluates finished cells, from their stored weights, on what they lack: sets that were added, and audits."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from pipeline.errors import HeadstartError
from pipeline.execution import worker
from pipeline.execution.assignment import Assignment
from pipeline.execution.local import warm_up
from pipeline.execution.run_in_worker import call
from pipeline.hardware import Resolved
from pipeline.study.plan import Plan, on_each_base
from pipeline.study.run import check_versions, run_context
from pipeline.training.setup.preflight import preflight_of_evaluation

_NAMED = 20  # cells that a sentence names


@dataclass(frozen=True, kw_only=True)
class Evaluated:
    """What became of the finished cells that lacked an evaluation.

    Args:
        done: those that were evaluated.
        without_weights: those that cannot be, since their weights were not kept.
        failed: by cell, why it could not be evaluated.
    """

    done: tuple[str, ...] = ()
    without_weights: tuple[str, ...] = ()
    failed: dict[str, str] | None = None

    @property
    def left_out(self) -> tuple[str, ...]:
        """Cells that still lack an evaluation."""
        return (*self.without_weights, *(self.failed or {}))

    def sentences(self, plan: Plan) -> Iterator[str]:
        """What could not be evaluated, and the remedy."""
        if self.without_weights:
            names = self.without_weights
            shown = f"{{{','.join(names[:_NAMED])}}}" if names[1:] else names[0]
            more = " and so on" if names[_NAMED:] else ""
            yield (
                f"{len(names)} finished cells cannot be evaluated, since their weights were not kept. To have them "
                f"trained again, with their weights kept, delete {plan.store.cells}/{shown}{more} and run the same "
                "study with train.keep=all."
            )
        for name, reason in (self.failed or {}).items():
            yield f"Cell {name} could not be evaluated: {reason}"


def evaluate(plan: Plan) -> Evaluated:
    """Evaluate those finished cells of `plan` that lack a set or an audit and whose weights are there.

    Raises:
        UnequalStartError: they were trained with other versions of the libraries than are here.
        DataError: a set cannot serve, for example since it has labels that training lacks.
    """
    lacking = sorted({cell for cells in plan.coverage(*plan.cells).lacking().values() for cell in cells})
    there = {name for name in lacking if plan.store.weights(name)}
    gone = tuple(name for name in lacking if name not in there)
    if not there:
        return Evaluated(without_weights=gone)
    check_versions(plan)
    warm_up(plan.hardware.threads)
    assignments = [each for part in on_each_base(plan) for each in _assignments(part, there)]
    pool = ThreadPoolExecutor(plan.hardware.workers)  # each call waits for a process of its own
    try:
        reasons = dict(zip((a.job.cell_id for a in assignments), pool.map(_evaluate, assignments), strict=True))
    finally:
        pool.shutdown(cancel_futures=True)  # after Ctrl-C, what has not begun
    failed = {name: reason for name, reason in reasons.items() if reason}
    return Evaluated(done=tuple(n for n in reasons if n not in failed), without_weights=gone, failed=failed)


def _assignments(part: Plan, names: set[str]) -> list[Assignment]:
    """Of the cells of a plan with one base, those to be evaluated."""
    cells = {name: cell for name, cell in part.cells.items() if name in names}
    if not cells:
        return []
    ready = call(
        preflight_of_evaluation,
        cells=list(cells.values()),
        located=part.located,
        data_fingerprint=part.data_fingerprint,
        evaluated=part.evaluated,
        root=part.root,
        audits=part.audits,
    )
    own = replace(run_context(part, ready), hardware=_alone(part.hardware))
    return [own.assignment(name, cell) for name, cell in cells.items()]


def _alone(hardware: Resolved) -> Resolved:
    """One process for each cell, however many have trained it."""
    return replace(hardware, devices=1, strategy="single", compile=False)


def _evaluate(assignment: Assignment) -> str:
    """Why it failed; empty if it did not."""
    try:
        call(worker.evaluate, assignment=assignment)
    except HeadstartError as error:
        return str(error)
    return ""
