"""Our side: one Headstart cell with all cores, and a study of such cells in parallel, through the command line."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.records import CellResult
from pipeline.storage.results import ResultStore
from pipeline.tracking import events
from pipeline.tracking.spool import spool
from tests.bench.running import HEADSTART, run


@dataclass(frozen=True, kw_only=True)
class OurResult:
    """What the cells took, and whether each of them got each test item right (bool [cells, N])."""

    rate: float  # training examples a second, all workers together, while they train
    span_rate: float  # the same from the first cell's first step to the last cell's record, tests and all included
    correct: np.ndarray


def train_cells(command: str, overrides: tuple[str, ...], root: Path, seeds: range, workers: int) -> OurResult:
    """Run the command and read what its cells left.

    The rate counts what the peer's counts: from a cell's first step to its last, validation left out. Cells of one size
    on `workers` workers, each worker with equally many, keep all of them busy, so that together they train
    (all examples) in (all their training seconds / workers).
    """
    run([*HEADSTART, command, *overrides])
    store = ResultStore(root)
    found = [result for result in map(store.result, store.ids()) if result.key.seed in seeds]
    examples = sum(result.cost.examples for result in found)
    seconds = sum(result.measured.training_seconds for result in found) / workers
    return OurResult(
        rate=examples / seconds,
        span_rate=examples / _span(root, {result.cell_id for result in found}),
        correct=np.stack([_correct(store, result) for result in sorted(found, key=lambda r: r.key.seed)]),
    )


def _span(root: Path, cells: set[str]) -> float:
    """Seconds from the first step of any of the cells to the record of the last."""
    logs = [events.read(path)[0] for path in spool(root).glob("*/*@*.jsonl") if path.name.split("@")[0] in cells]
    first = min(event.at for log in logs for event in log if isinstance(event.body, events.CellPoint))
    last = max(event.at for log in logs for event in log if isinstance(event.body, events.CellFinished))
    return (last - first) / 1000


def _correct(store: ResultStore, result: CellResult) -> np.ndarray:
    index = next(i for i, evaluation in enumerate(result.evaluations) if evaluation.role == "in_domain")
    scores = store.scores(result.cell_id)
    return np.asarray(scores["score"][scores["dataset"] == index] > 0.5)
