"""A sweep as a source of cells: a trial is begun whenever there is room, and judged as its cells come to their end."""

import dataclasses
import statistics
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import Trial, TrialState

from pipeline.config.cell import Cell, cell_of
from pipeline.config.rules.sweeping import PAUSING, seeds_of
from pipeline.config.schema import Config
from pipeline.config.settings import assigned
from pipeline.errors import ConfigError
from pipeline.execution.assignment import Assignment, Event
from pipeline.execution.run_context import RunContext
from pipeline.records import CellResult, TrajectoryPoint
from pipeline.sweep import objectives
from pipeline.sweep.pruning_schedule import pauses
from pipeline.sweep.trial_lineage import LOSSES, PAUSED_AT, RUNGS, number_of
from pipeline.sweep.trial_registry import CELLS, MOST_RETRIES, RETRIES, TrialRegistry
from pipeline.tracking.spool import mirrored, reuse


@dataclass(frozen=True, kw_only=True)
class TrialEnd:
    """What became of a trial: `state` is "complete", "pruned", "failed" (then with a reason) or "lost".

    Of a trial that pauses it is "paused", and "going on" if it does.
    """

    number: int
    state: str
    values: tuple[float, ...] = ()
    reason: str = ""


@dataclass
class _Open:
    """A trial in progress: its cells still to come, and the results it has."""

    trial: Trial
    to_do: list[tuple[str, Cell]]
    results: list[CellResult] = field(default_factory=list)
    attempt: str = ""  # of the cell that is in training
    pause: int | None = None  # training examples after which it has to wait for the others
    losses: dict[int, float] = field(default_factory=dict)  # on validation, by training examples

    @property
    def number(self) -> int:
        """Of the trial, that of its beginning where it goes on after a pause."""
        return number_of(self.trial)


class Search:
    """See `Source` in execution/assignment.py. `tell` hears of every trial that ends."""

    def __init__(
        self, registry: TrialRegistry, context: RunContext, config: Config, tell: Callable[[TrialEnd], None]
    ) -> None:
        self.registry, self.context, self.config, self.tell = registry, context, config, tell
        self.open: list[_Open] = []
        self.recorded = mirrored(context.root, context.study_id)
        self.trained: set[str] = set()  # cells whose weights may be ours to delete
        self.judged = config.sweep.pruner != "none" and len(seeds_of(config)) == 1
        self.pausing = config.sweep.pruner == PAUSING

    def take(self) -> Assignment | None:
        """The next cell: of a trial in progress that has another seed to come, or of a new trial."""
        while (trial := self._idle() or self._begin()) is not None:
            try:
                assignment = self._advance(trial)
            except UpdateFinishedTrialError:
                self._let_go(trial)
                continue
            if assignment:
                return assignment
        return None

    def _let_go(self, opened: _Open) -> None:
        """Of a trial that others took for lost, since no sign of life came from here, and have begun again."""
        self.open = [other for other in self.open if other is not opened]
        self.tell(TrialEnd(number=opened.number, state="lost"))

    def _idle(self) -> _Open | None:
        return next((t for t in self.open if not t.attempt), None)

    def _begin(self) -> _Open | None:
        begun = self.registry.begin()
        if begun is None:
            return None
        trial, values = begun
        opened = _Open(trial=trial, to_do=[])
        self.open.append(opened)
        try:
            opened.to_do = self._cells(values)
        except ConfigError as error:  # values that are sound one by one and not together
            self._end(opened, TrialState.FAIL, reason="; ".join(error.violations))
            return self._begin()
        trial.set_user_attr(CELLS, [name for name, _ in opened.to_do])
        if self.pausing:
            self._look_ahead(opened)
        return opened

    def _look_ahead(self, opened: _Open) -> None:
        """Where the trial pauses next."""
        ((_, cell),) = opened.to_do
        rungs = pauses(cell, self.config, self.context)
        opened.trial.set_user_attr(RUNGS, rungs)
        before = opened.trial.user_attrs.get(PAUSED_AT, 0)
        opened.pause = next((rung for rung in rungs if rung > before), None)
        if before:
            self.tell(TrialEnd(number=opened.number, state="going on"))

    def _cells(self, values: dict[str, Any]) -> list[tuple[str, Cell]]:
        changed = assigned(self.config, values)
        cell = cell_of(changed, precision=self.context.hardware.precision, tested=False)
        seeds = seeds_of(self.config)
        cells = [dataclasses.replace(cell, train=dataclasses.replace(cell.train, seed=s)) for s in seeds]
        return [(self.context.identity(c), c) for c in cells]

    def _advance(self, opened: _Open) -> Assignment | None:
        """The trial's next cell to train; None once it is over. Finished cells are used again, and cost nothing."""
        while opened in self.open and opened.to_do:
            name, cell = opened.to_do.pop(0)
            if not self.context.store.has(name):
                assignment = self.context.assignment(
                    name, cell, trial=opened.number, judged=self.judged, pausing=self.pausing
                )
                opened.attempt = assignment.attempt_id
                return assignment
            result = self.context.store.result(name)
            self._mirror(cell, result, opened.number)
            if self.judged:
                self._report_trajectory(opened.trial, result)
            self._absorb(opened, result)
        return None

    def _mirror(self, cell: Cell, result: CellResult, trial: int) -> None:
        """Record a cell that was finished before under this sweep too, once."""
        if result.cell_id not in self.recorded:
            reuse(self.context.root, self.context.study_id, cell, result, trial=trial)
            self.recorded.add(result.cell_id)

    def _report_trajectory(self, trial: Trial, result: CellResult) -> None:
        """What the pruner would have seen, had the cell been trained now."""
        for point in result.trajectory:
            if point.step:
                trial.report(objectives.value_at(self.config.sweep.objectives[0], point), point.examples)

    def stop(self, assignment: Assignment, point: TrajectoryPoint) -> bool:
        """See `Source`: what the pruner says. A start is no sign of what a training comes to."""
        opened = self._of(assignment.attempt_id)
        if opened is None or point.step == 0:
            return False
        try:
            opened.trial.report(objectives.value_at(self.config.sweep.objectives[0], point), point.examples)
            opened.losses[point.examples] = point.validation_loss
            if self.pausing:
                return opened.pause is not None and point.examples >= opened.pause
            return bool(opened.trial.should_prune())
        except UpdateFinishedTrialError:
            return True

    def notify(self, event: Event) -> None:
        """Take in what happened to a cell."""
        opened = self._of(event.attempt_id)
        if opened is None or event.state == "started":
            return
        opened.attempt = ""
        try:
            self._settle(opened, event)
        except UpdateFinishedTrialError:
            self._let_go(opened)

    def _settle(self, opened: _Open, event: Event) -> None:
        if event.state == "finished":
            self.recorded.add(event.cell_id)
            self.trained.add(event.cell_id)
            self._absorb(opened, self.context.store.result(event.cell_id))
        elif event.state == "pruned":
            self._note_losses(opened)
            self._end(opened, TrialState.PRUNED)
        elif event.killed and opened.trial.user_attrs.get(RETRIES, 0) < MOST_RETRIES:
            self._end(opened, TrialState.FAIL)
        else:
            self._end(opened, TrialState.FAIL, reason=event.reason)

    def _of(self, attempt: str) -> _Open | None:
        return next((t for t in self.open if t.attempt == attempt), None)

    def _absorb(self, opened: _Open, result: CellResult) -> None:
        opened.results.append(result)
        if opened.to_do:
            if self._falls_behind(opened):
                self._end(opened, TrialState.PRUNED)
            return
        if len(opened.results) > 1:
            self._falls_behind(opened)  # its last report, for others to be compared with
        opened.losses = {point.examples: point.validation_loss for point in result.trajectory if point.step}
        self._note_losses(opened)
        for name, most in self.config.sweep.constraints.items():
            (value,) = objectives.values([name], opened.results)
            opened.trial.set_constraint(name, value - most)
        self._end(opened, TrialState.COMPLETE, values=objectives.values(self.config.sweep.objectives, opened.results))

    def _note_losses(self, opened: _Open) -> None:
        """What a trial is compared by with others that have paused."""
        if self.pausing:
            opened.trial.set_user_attr(LOSSES, opened.losses)

    def _falls_behind(self, opened: _Open) -> bool:
        """Report the seed that has just ended; whether the pruner would go on."""
        if self.config.sweep.pruner == "none":
            return False
        seen = [objectives.value(self.config.sweep.objectives[0], r) for r in opened.results]
        shown = seen[-1] if self.config.sweep.pruner == "wilcoxon" else statistics.fmean(seen)
        opened.trial.report(shown, len(seen))
        return bool(opened.trial.should_prune())

    def _end(self, opened: _Open, state: TrialState, *, values: tuple[float, ...] = (), reason: str = "") -> None:
        self.open.remove(opened)
        self.registry.finish(opened.trial, values or None, state, reason)
        if state == TrialState.COMPLETE and self.config.train.keep in ("seeds", "best"):
            self._drop_weights()
        given_up = "paused" if self.pausing else "pruned"
        word = {TrialState.COMPLETE: "complete", TrialState.PRUNED: given_up}.get(state, "failed" if reason else "lost")
        self.tell(TrialEnd(number=opened.number, state=word, values=values, reason=reason))

    def _drop_weights(self) -> None:
        """Of all cells trained here but those of the best trial."""
        best = {name for trial in self.registry.best() for name in trial.user_attrs.get(CELLS, ())}
        for name in self.trained - best:
            self.context.store.drop_weights(name)
        self.trained &= best
