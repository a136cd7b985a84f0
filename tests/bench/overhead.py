"""What a cell costs beyond training and evaluating: from its fork to its first step, from its tests to its record.

python -m tests.bench.overhead EVENTS.json OVERRIDES...
"""

import itertools
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.execution.assignment import Event
from pipeline.files import write_text
from pipeline.records import from_json, to_json
from pipeline.storage.results import ResultStore
from pipeline.study.plan import plan_study
from pipeline.study.run import run as run_plan
from pipeline.tracking import events
from pipeline.tracking.spool import spool
from tests.bench.options import Options
from tests.bench.rows import Bench, Row
from tests.bench.running import run

BAR = 1.0  # seconds
CELLS = 3  # for each repetition
# Sets so small that evaluating them takes next to nothing, and a training of two steps.
_TINY = (
    "base=minilm",
    "task=sentiment",
    "~task.out_of_domain.imdb",
    "task.data.test_size=16",
    "task.data.validation_size=16",
    "study.name=overhead",
    "study.question=overhead",
    "study.arms=[pretrained]",
    "study.sizes=[32]",
    "train.epochs=2",
    "train.min_steps=0",
    "tracking=none",
)


@dataclass(frozen=True, kw_only=True)
class Timed:
    """An executor's event and when the coordinator heard of it, in seconds since 1970."""

    at: float
    cell_id: str
    state: str


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """All events of a study, in their order."""

    events: tuple[Timed, ...]

    def forks(self) -> dict[str, float]:
        """When each cell that took over a worker was forked: right after the end of the one before it."""
        pairs = itertools.pairwise(self.events)
        return {new.cell_id: old.at for old, new in pairs if (old.state, new.state) == ("finished", "started")}


@dataclass(frozen=True, kw_only=True)
class Overhead:
    """Seconds of one cell outside of training and validation."""

    before: float  # fork to first step
    fork: float  # the part of it before the worker begins to train: fork and claim of the cell
    testing: float  # the final tests, which follow the last step
    after: float  # end of the tests to record


def measure(options: Options, bench: Bench, folder: Path) -> list[Row]:
    """Cells of the embedded default on as many workers as there are cores, weights kept as by default."""
    root, written = folder / "overhead", folder / "events.json"
    seeds = list(range(CELLS * options.repetitions + 2))
    given = (*_TINY, f"study.seeds={seeds}".replace(" ", ""), f"paths.root={root}")
    run([sys.executable, "-m", "tests.bench.overhead", str(written), *given])
    forks = from_json(Timeline, written.read_text(encoding="utf-8"), str(written)).forks()
    found = [_of(root, cell_id, fork) for cell_id, fork in forks.items()]
    note = "tests and validation are work and left out; every cell but those that wait for the study's first import"
    return [
        bench.under("overhead of a cell", [o.before + o.after for o in found], "s", BAR, note),
        bench.told("overhead, fork to first step", [o.before for o in found], "s"),
        bench.told("overhead, fork alone", [o.fork for o in found], "s", "until the worker has claimed its cell"),
        bench.told("overhead, tests to record", [o.after for o in found], "s"),
        bench.told("tests on tiny sets", [o.testing for o in found], "s", "two of 16 items, 32 of the train subset"),
    ]


def _of(root: Path, cell_id: str, forked: float) -> Overhead:
    """A point is recorded after its evaluation, so the mean evaluation is taken off the time to the first point."""
    log = next(events.read(path)[0] for path in spool(root).glob(f"*/{cell_id}@*.jsonl"))
    points = [event.at / 1000 for event in log if isinstance(event.body, events.CellPoint)]
    recorded = next(event.at / 1000 for event in log if isinstance(event.body, events.CellFinished))
    measured = ResultStore(root).result(cell_id).measured
    return Overhead(
        before=points[0] - measured.evaluation_seconds / len(points) - forked,
        fork=log[0].at / 1000 - forked,
        testing=measured.finished_at - points[-1],
        after=recorded - measured.finished_at,
    )


def main(arguments: Sequence[str]) -> int:
    """Run the study that the overrides describe and write down when each cell started and finished."""
    heard: list[Timed] = []

    def watch(event: Event) -> None:
        heard.append(Timed(at=time.time(), cell_id=event.cell_id, state=event.state))

    run_plan(plan_study(arguments[1:]), watch)
    write_text(Path(arguments[0]), to_json(Timeline(events=tuple(heard))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
