"""Trains what a plan misses. The coordinator: it holds no model, imports nothing heavy, and outlives any worker."""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipeline.config.cell import Cell
from pipeline.config.privacy import may_show_texts
from pipeline.errors import UnequalStartError
from pipeline.execution.assignment import Event, Fixed
from pipeline.execution.choose import executor_of
from pipeline.execution.leftovers import clear_staged
from pipeline.execution.local import warm_up
from pipeline.execution.run_context import RunContext
from pipeline.execution.run_in_worker import call
from pipeline.files import is_locked
from pipeline.hardware import at_most
from pipeline.records import FailedCell
from pipeline.study.plan import Plan, on_each_base
from pipeline.study.pretraining import lacking, pretrainings
from pipeline.study.retention import Retention, keep_weights, retention
from pipeline.study.workload import running_order
from pipeline.tracking.spool import mirrored, reconcile, reuse
from pipeline.training.libraries import versions
from pipeline.training.setup.preflight import Preflight, preflight

Watch = Callable[[Event], None]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a plan's cells."""

    finished: tuple[str, ...]
    trained: tuple[str, ...]
    failed: tuple[FailedCell, ...]

    def then(self, later: "Outcome") -> "Outcome":
        """This run and a later one, of a plan that goes on from this one's."""
        return Outcome(finished=later.finished, trained=self.trained + later.trained, failed=self.failed + later.failed)


def run(
    plan: Plan,
    watch: Watch,
    *,
    before_training: Callable[[], object] = lambda: None,
    affords: Callable[[str], bool] = lambda _: True,
    tell: Callable[[Sequence[str]], object] = lambda _: None,
) -> Outcome:
    """Train every missing cell of `plan`; whatever was finished before is used again.

    Args:
        watch: told of each cell that starts, finishes or fails.
        before_training: called once nothing was refused, before the first cell starts.
        affords: asked before each cell; the first one that it refuses ends the run.
        tell: given sentences on the data that were read and on what will be kept, before the first cell starts.

    Raises:
        UnequalStartError: finished cells were trained with other versions of the libraries.
        DataError, BaseModelError, ConfigError: found before any cell starts.
    """
    missing = plan.missing()
    reasons: dict[str, str] = {}
    if not missing:
        before_training()
    else:
        check_versions(plan)
        warm_up(plan.hardware.threads)
        prepared = [(part, prepare(part)) for part in on_each_base(plan) if part.missing()]
        kept = retention(plan, (planned for _, ready in prepared for planned in ready.memory))
        before_training()
        tell([*(f"Data: {sentence}" for sentence in prepared[0][1].look), *([kept.sentence] if kept.sentence else [])])
        reasons = _train(plan, prepared, kept, watch, affords)
    _mirror_reused(plan)
    return Outcome(
        finished=tuple(name for name in plan.cells if plan.store.has(name)),
        trained=tuple(name for name in missing if plan.store.has(name)),
        failed=tuple(_failed(name, cell, reasons[name]) for name, cell in plan.cells.items() if name in reasons),
    )


def check_versions(plan: Plan) -> None:
    """Refuse to train further cells beside finished ones that could not be compared with them.

    Raises:
        UnequalStartError: what was used then and is here now, and the cells of then.
    """
    here, finished = versions(), plan.results()
    for result in finished:
        then = result.start_line.versions
        if changed := [f"{n} {then.get(n)} then, {here[n]} here" for n in here if then.get(n) != here[n]]:
            old = [r.cell_id for r in finished if r.start_line.versions == then]
            raise UnequalStartError(
                f"{len(old)} finished cells of this study were trained with other versions: {'; '.join(changed)}. "
                "Cells of one study must share them. Install those versions again, or have these cells trained anew: "
                f"delete {plan.store.cells}/{{{','.join(old[:20])}}}{' and so on' if len(old) > 20 else ''}."
            )


def failures(plan: Plan) -> tuple[FailedCell, ...]:
    """The missing cells whose last attempt failed, with the reasons that were kept."""
    kept = {name: plan.store.failure(name) for name in plan.missing()}
    lines_of = {name: path.read_text(encoding="utf-8").splitlines() for name, path in kept.items() if path.is_file()}
    return tuple(_failed(name, plan.cells[name], lines[0]) for name, lines in lines_of.items() if lines)


def prepare(plan: Plan) -> Preflight:
    """Data, subsets and networks of all cells, which have one base, checked in a worker."""
    return call(
        preflight,
        cells=list(plan.cells.values()),
        located=plan.located,
        data_fingerprint=plan.data_fingerprint,
        evaluated=plan.evaluated,
        hardware=plan.hardware,
        root=plan.root,
        audits=plan.audits,
    )


def clear_leftovers(plan: Plan) -> None:
    """Record attempts that were killed as killed, and remove the half-written folders they left.

    To be called before a study is recorded as started, which would else be taken for one that was killed.
    """
    own = [name for part in (plan, *pretrainings(plan)) for name in part.cells]
    if not any(is_locked(plan.store.lock_file(name)) for name in own):  # else another coordinator is at work
        reconcile(plan.root, plan.study_id)
    clear_staged(plan.root)


def _train(
    plan: Plan,
    prepared: Sequence[tuple[Plan, Preflight]],
    kept: Retention,
    watch: Watch,
    affords: Callable[[str], bool],
) -> dict[str, str]:
    """Train what is missing of `plan`, whose parts on each base are `prepared`; why cells failed."""
    reasons: dict[str, str] = {}
    own = tuple(plan.missing())

    def notify(event: Event) -> None:
        if event.state == "failed":
            reasons[event.cell_id] = event.reason
        if event.state == "finished":
            keep_weights(plan, kept, plan.cells[event.cell_id], own)
        watch(event)

    left_out = lacking(plan)
    for name, reason in left_out.items():
        notify(Event(cell_id=name, state="started"))
        notify(Event(cell_id=name, state="failed", reason=reason))
    contexts = _contexts(prepared)
    order = [name for name in running_order(plan) if name not in left_out]
    executor = executor_of(plan.config.executor, contexts[order[0]].hardware if order else plan.hardware, plan.root)
    assignments = (contexts[name].assignment(name, plan.cells[name]) for name in order)
    executor.run(Fixed(assignments, lambda each: affords(each.job.cell_id)), notify)
    return reasons


def _contexts(prepared: Sequence[tuple[Plan, Preflight]]) -> dict[str, RunContext]:
    """What each cell stands on. Cells of several bases run side by side, as many as fit for the largest base."""
    own_contexts = [(part, run_context(part, ready)) for part, ready in prepared]
    hardware = min((own.hardware for _, own in own_contexts), key=lambda each: each.workers)
    return {name: dataclasses.replace(own, hardware=hardware) for part, own in own_contexts for name in part.cells}


def run_context(plan: Plan, ready: Preflight) -> RunContext:
    """What the cells of `plan` stand on; where executor.workers is not given, as many run as find memory."""
    asked = plan.config.executor.workers
    return RunContext(
        study_id=plan.study_id,
        root=plan.root,
        hardware=plan.hardware if asked else at_most(plan.hardware, ready.at_once),
        located=plan.located,
        data_fingerprint=plan.data_fingerprint,
        evaluated=plan.evaluated,
        audits=plan.audits,
        preflight=ready,
    )


def _mirror_reused(plan: Plan) -> None:
    """Record cells that were finished before, or meanwhile by somebody else, under this study too, once."""
    known, shown = mirrored(plan.root, plan.study_id), may_show_texts(plan.config)
    for name, cell in plan.cells.items():
        if name not in known and plan.store.has(name):
            reuse(plan.root, plan.study_id, cell, plan.result(name), plan.store.samples(name) if shown else ())


def _failed(name: str, cell: Cell, reason: str) -> FailedCell:
    return FailedCell(cell_id=name, arm=cell.arm.name, size=cell.train.size, seed=cell.train.seed, reason=reason)
