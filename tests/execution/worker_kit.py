"""Cells handed to the local executor, and a look at its workers."""

import itertools
import sys
import time
from collections.abc import Callable, Sequence
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from pipeline.execution.assignment import Assignment, Event, Fixed
from pipeline.execution.local import LocalExecutor, warm_up
from pipeline.execution.worker import Place, work
from pipeline.records import CellResult
from pipeline.storage.results import ResultStore
from pipeline.study.plan import Plan, plan_cell
from pipeline.study.run import prepare, run_context
from pipeline.tracking import events
from pipeline.tracking.spool import attempts
from tests import tiny

EXACT = ("arm.head=fresh", "train.size=40", "train.lr=3e-3", "train.epochs=5", "train.eval_every=16", "train.dropout=0")
ENDLESS = ("train.epochs=20000", "train.max_steps=0", "train.eval_every=16")  # minutes, for a test that ends it


def assign(*settings: str, overrides: Sequence[str]) -> tuple[Plan, Assignment]:
    """The cell that `settings` describe, ready for an executor."""
    plan = plan_cell([*overrides, *settings])
    warm_up(plan.hardware.threads)
    ((name, cell),) = plan.cells.items()
    return plan, run_context(plan, prepare(plan)).assignment(name, cell)


def run(
    assignments: Sequence[Assignment],
    *,
    workers: int = 2,
    timeout_seconds: float = 100.0,
    on_start: Callable[[Event], None] = lambda _: None,
) -> dict[str, Event]:
    """Run them; the last event of each cell."""
    told: dict[str, Event] = {}

    def notify(event: Event) -> None:
        told[event.cell_id] = event
        if event.state == "started":
            on_start(event)

    LocalExecutor(workers=workers, timeout_seconds=timeout_seconds).run(Fixed(assignments), notify)
    return told


def finished(root: Path, *settings: str, base: Path, data: Path) -> tuple[CellResult, np.ndarray, list[str]]:
    """One cell through the executor: its result, its scores, and what was recorded of it."""
    plan, cell = assign(*EXACT, *settings, overrides=tiny.overrides(base, data, root))
    told = run([cell])[cell.job.cell_id]
    assert told.state == "finished", told.reason
    store = ResultStore(root)
    name = cell.job.cell_id
    result = store.result(name)
    of_points = store.validation(result).mean(axis=1)
    np.testing.assert_allclose(of_points, [p.validation_score for p in result.trajectory], rtol=1e-6)
    return result, store.scores(name), record(root, plan.study_id, name)


def workers() -> list[psutil.Process]:
    """The living children of the warm server."""
    server = psutil.Process(forkserver._forkserver._forkserver_pid)  # type: ignore[attr-defined]
    return [p for p in server.children() if p.status() != psutil.STATUS_ZOMBIE]


def wait_until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """Look again and again; fail if it takes too long."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def work_in_little_memory(assignment: Assignment, place: Place, line: Connection | None = None) -> None:
    """As `work`, in a process that from its fourth step on has memory for four texts at a time, if it is rank 1."""
    import torch

    from pipeline.training.loop.lightning_module import CellModule

    losses = CellModule._loss

    def cramped(self: CellModule, batch: dict[str, Any]) -> torch.Tensor:
        if place.rank == 1 and self.first + self.trainer.global_step >= 3 and len(batch["labels"]) > 4:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return losses(self, batch)

    CellModule._loss = cramped  # type: ignore[method-assign]
    work(assignment, place, line)


def work_without_averaging(assignment: Assignment, place: Place, line: Connection | None = None) -> None:
    """As `work`, in a process that cannot average gradients through shared memory."""
    from pipeline.training.distributed.shared_memory import SharedMemory

    def refuse(self: SharedMemory, values: object) -> None:
        raise RuntimeError("No gradient is averaged in shared memory.")

    SharedMemory.average = refuse  # type: ignore[method-assign]
    work(assignment, place, line)


def imported_by(assignment: Assignment) -> set[str]:
    """As `work`; the packages of which the cell had to import something itself."""
    before = set(sys.modules)
    work(assignment, Place(rank=0, local_rank=0, port=0))
    return {name.partition(".")[0] for name in set(sys.modules) - before}


def record(root: Path, study_id: str, cell_id: str) -> list[str]:
    """The kinds of the events recorded of the cell's only attempt, points left out."""
    (path,) = [p for p in attempts(root, study_id) if p.name.startswith(cell_id)]
    kinds = [type(event.body).__name__ for event in events.read(path)[0]]
    return [kind for kind in kinds if kind != "CellPoint"]


def points(root: Path, study_id: str, cell_id: str) -> int:
    """How many points of its trajectory the cell has recorded so far."""
    found = [p for p in attempts(root, study_id) if p.name.startswith(cell_id)]
    return sum(type(e.body).__name__ == "CellPoint" for path in found for e in events.read(path)[0])


def work_that_breaks(where: str, error: BaseException, rank: int, *given: Any) -> None:
    """As `work`, in a process that of this rank raises `error` when its network is built, in a step, or at its end."""
    import pipeline.training.loop.finish
    import pipeline.training.loop.fit
    from pipeline.training.loop.lightning_module import CellModule

    assignment, place, line = given
    owner, name = {
        "setup": (pipeline.training.loop.fit, "assemble"),
        "fit": (CellModule, "_loss"),
        "evaluation": (pipeline.training.loop.finish, "finish"),
    }[where]
    whole, calls = getattr(owner, name), itertools.count()

    def breaks(*args: Any, **named: Any) -> Any:
        if place.rank == rank and (where != "fit" or next(calls) == 3):
            raise error
        return whole(*args, **named)

    setattr(owner, name, breaks)
    work(assignment, place, line)
