"""Live progress of a study: cells done, running and failed, and the time left."""

import functools
import math
import time
from collections.abc import Callable, Sequence

from rich.text import Text

from pipeline.execution.assignment import Event
from pipeline.execution.live import LiveLine
from pipeline.study.plan import Plan
from pipeline.study.workload import Examples, examples_of, work_of


class Progress(LiveLine):
    """Shows one line that is kept up to date on a terminal, and a line per finished cell elsewhere.

    Args:
        most: the seconds that a budget still allows; None if there is none.
    """

    def __init__(self, plan: Plan, most: Callable[[], float] | None = None) -> None:
        self.plan, self.most = plan, most
        self.missing = plan.missing()
        self.began = time.monotonic()
        self.started: dict[str, float] = {}
        self.done: dict[str, float] = {}  # cell -> seconds it took
        self.failed: set[str] = set()
        super().__init__()

    @functools.cached_property
    def examples(self) -> Examples:
        """Those of the study's data, which are prepared when the first cell starts."""
        return examples_of(self.plan)

    def opening(self) -> str | None:
        """See `LiveLine`."""
        if not self.missing:
            return None
        return (
            f"{self.plan.config.study.name}: {len(self.plan.cells)} trainings (cells), "
            f"{len(self.plan.cells) - len(self.missing)} finished before, "
            f"{len(self.missing)} to train, {self._at_a_time()}. Preparing …"
        )

    def show(self, sentences: Sequence[str]) -> None:
        """Print what is known before the first cell starts."""
        for sentence in sentences:
            self.console.print(sentence, markup=False)

    def watch(self, event: Event) -> None:
        """Take note of what happened to a cell."""
        now = time.monotonic()
        if event.state == "started":
            self.started[event.cell_id] = now
            return
        seconds = now - self.started[event.cell_id]
        cell = self.plan.cells[event.cell_id]
        (self.failed.add(event.cell_id) if event.state == "failed" else self.done.setdefault(event.cell_id, seconds))
        text = f"{event.state} {cell.key.label} seed={cell.key.seed} in {seconds:.0f} s"
        text += f": {event.reason}" if event.reason else ""
        self.console.print(f"[{len(self.done) + len(self.failed)}/{len(self.missing)}] {text} {self._left()}")

    def line(self) -> Text:
        """See `LiveLine`."""
        running = len(self.started) - len(self.done) - len(self.failed)
        elapsed = time.monotonic() - self.began
        return Text(
            f"{len(self.done)} done, {running} running, {len(self.failed)} failed of {len(self.missing)}; "
            f"{duration(elapsed)} gone {self._left()}"
        )

    def _left(self) -> str:
        """Time left: the work of the cells still to do, at the pace of those done."""
        done = dict(self.done)  # the line is also asked for by another thread
        over = set(done) | self.failed
        telling = [n for n in done if not self.missing[n].method.solved]  # a head's pace is not a network's
        if not telling or len(over) == len(self.missing):
            return ""
        work = {name: work_of(cell, self.examples) for name, cell in self.missing.items()}
        pace = sum(done[n] for n in telling) / sum(work[n] for n in telling)
        left = sum(each for name, each in work.items() if name not in over)
        at_once = self.plan.hardware.workers
        if self.plan.hardware.elsewhere:
            at_once = max(1, len(self.started) - len(over))
        needed, budget = left * pace / at_once, self.most() if self.most else math.inf
        if budget < needed:
            return (
                f"(all cells would take about {duration(needed)} more, the budget ends in {duration(max(budget, 0.0))})"
            )
        return f"(about {duration(needed)} left)"

    def _at_a_time(self) -> str:
        if self.plan.hardware.elsewhere:
            return "as many at a time as the cluster has room for"
        return f"{self.plan.hardware.workers} at a time"


def duration(seconds: float) -> str:
    """ "45 s", "12 min" or "3 h 20 min"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
