"""Live progress of a sweep: trials done and running, and the best so far."""

import time

from optuna.trial import TrialState
from rich.text import Text

from pipeline.config.rules.sweeping import directions
from pipeline.config.schema import Config
from pipeline.execution.assignment import Event
from pipeline.execution.live import LiveLine
from pipeline.sweep.objectives import name_of
from pipeline.sweep.search import TrialEnd
from pipeline.sweep.trial_registry import TrialRegistry


class SweepProgress(LiveLine):
    """Shows one line that is kept up to date on a terminal, and a line for each trial that ends."""

    def __init__(self, registry: TrialRegistry, config: Config, *, workers: int) -> None:
        self.name, self.asked, self.workers = registry.name, registry.asked, workers
        over, self.paused = registry.counted(), len(registry.paused())
        self.before, self.nothing_to_do = len(over) - self.paused, registry.over()
        self.objective = name_of(config.sweep.objectives[0])
        self.upwards = directions(config)[0] == "maximize"
        self.best: float | None = None
        for trial in over:
            self._compare(trial.values[0] if trial.state == TrialState.COMPLETE else None)
        self.done, self.running = self.before, 0
        self.began = time.monotonic()
        super().__init__()

    def opening(self) -> str | None:
        """See `LiveLine`."""
        if self.nothing_to_do:
            return None
        over = f"{self.before} of them over{self._waiting()}"
        cells = "1 cell" if self.workers == 1 else f"{self.workers} cells"
        return f"{self.name}: {self.asked} trials, {over}, {cells} at a time."

    def watch(self, event: Event) -> None:
        """Take note of a cell that starts or ends."""
        self.running += 1 if event.state == "started" else -1

    def tell(self, end: TrialEnd) -> None:
        """Take note of a trial that ends."""
        if end.state == "lost":
            self.console.print(f"trial {end.number} was lost with its worker and is begun again")
            return
        if end.state in ("paused", "going on"):
            self.paused = max(0, self.paused + (1 if end.state == "paused" else -1))  # others' may go on here
            self.console.print(f"trial {end.number} {'goes on' if end.state == 'going on' else 'pauses'}")
            return
        self.done += 1
        better = self._compare(end.values[0] if end.values else None)
        came_to = f" {self.objective} {end.values[0]:.4f}" if end.values else ""
        mark = ", the best so far" if better else (f" (best {self.best:.4f})" if self.best is not None else "")
        why = f": {end.reason}" if end.reason else ""
        self.console.print(f"[{self.done}/{self.asked}] trial {end.number} {end.state}{came_to}{mark}{why}")

    def _waiting(self) -> str:
        return f", {self.paused} paused" if self.paused else ""

    def _compare(self, value: float | None) -> bool:
        if value is None or (self.best is not None and (value <= self.best if self.upwards else value >= self.best)):
            return False
        self.best = value
        return True

    def line(self) -> Text:
        """See `LiveLine`."""
        best = "none yet" if self.best is None else f"{self.best:.4f}"
        gone = time.monotonic() - self.began
        over = f"{self.done} of {self.asked} trials over{self._waiting()}"
        return Text(f"{over}, {self.running} cells running; best {best}; {gone:.0f} s")
