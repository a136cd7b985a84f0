"""A set and an audit that are added to a finished study, beside the forward passes that this takes.

python -m tests.bench.evaluate SET OVERRIDES...
"""

import os
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import HeadstartError
from pipeline.study.plan import plan_study
from pipeline.training.job import Job
from tests.bench.options import Options
from tests.bench.rows import Bench, Row
from tests.bench.running import HEADSTART, run

FORWARD, SECONDS = 1.3, 0.5  # times the forward passes, and seconds beside them for each cell
CELLS = 27
# Trainings of two steps; one cell at a time on all cores, as the forward passes are measured.
_STUDY = (
    "base=minilm",
    "task=sentiment",
    "task.data.validation_size=16",
    "study.name=finished",
    "study.question=finished",
    "study.arms=[pretrained,frozen,scratch]",
    "study.sizes=[16,32,64]",
    "study.seeds=[0,1,2]",
    "train.max_steps=2",
    "train.min_steps=0",
    "train.keep=all",
    "executor.workers=1",
    "tracking=none",
)
_WITHOUT = "~task.out_of_domain.imdb"


@dataclass(frozen=True, kw_only=True)
class Added:
    """Seconds of the command and of the forward passes alone, trainings, and sets whose features were computed."""

    command: float
    forward: float
    trained: int
    features: int


def measure(options: Options, bench: Bench, folder: Path) -> list[Row]:
    """`evaluate` on a finished study: another domain of `--test-items` texts, and a metric of as many test items."""
    root = folder / "finished"
    study = (*_STUDY, f"task.data.test_size={options.test_items}", f"task.out_of_domain_size={options.test_items}")
    run([*HEADSTART, "study", *study, _WITHOUT, f"paths.root={root}"])
    rows: list[Row] = []
    for what, dataset, more in (("a set", "imdb", ()), ("an audit", "test", (_WITHOUT, "study.audits=[macro_f1]"))):
        found = [_added(root, folder / "copy", dataset, (*study, *more)) for _ in range(min(options.repetitions, 3))]
        rows += _rows(bench, f"{what} added to {CELLS} finished cells", found)
    return rows


def _rows(bench: Bench, name: str, found: Sequence[Added]) -> Iterator[Row]:
    beyond = [(one.command - FORWARD * one.forward) / CELLS for one in found]
    note = f"seconds of evaluate less {FORWARD} times the forward passes, by the number of cells"
    yield bench.under(f"{name}, beside the forward passes, a cell", beyond, "s", SECONDS, note)
    yield bench.told(f"{name}: evaluate", [one.command for one in found], "s")
    yield bench.told(f"{name}: forward passes", [one.forward for one in found], "s", "a frozen base's once")
    yield bench.near(f"{name}: trainings", max(one.trained for one in found), "", 0)
    yield bench.near(f"{name}: sets of features beyond one", max(0, *(one.features - 1 for one in found)), "", 0)


def _added(root: Path, copy: Path, dataset: str, overrides: Sequence[str]) -> Added:
    given = (*overrides, f"paths.root={copy}")
    _link(root, copy)
    forward = float(run([sys.executable, "-m", "tests.bench.evaluate", dataset, *given]).output.split()[-1])
    _link(root, copy)
    written, features = _results(copy), len(list(copy.glob("features/*")))
    used = run([*HEADSTART, "evaluate", *given])
    if f"Evaluated {CELLS} cells" not in used.output:
        raise HeadstartError(f"evaluate must reach {CELLS} cells, but printed:\n{used.output[-2000:]}")
    return Added(
        command=used.seconds,
        forward=forward,
        trained=len(_results(copy) - written),
        features=len(list(copy.glob("features/*"))) - features,
    )


def _link(root: Path, copy: Path) -> None:
    """The finished study as it was, without its bytes: nothing that is there is ever written to again."""
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(root, copy, copy_function=os.link)


def _results(root: Path) -> set[tuple[Path, int]]:
    return {(path, path.stat().st_mtime_ns) for path in root.glob("cells/*/result.json")}


def main(dataset: str, *overrides: str) -> int:
    """Print the seconds of all cells' forward passes on a set, in this process."""
    import numpy as np
    import torch

    from pipeline.training.setup.restored import restored

    jobs = _jobs(overrides)
    torch.set_num_threads(jobs[0].hardware.threads)
    first, seconds = restored(jobs[0]), 0.0
    first.outputs(first.sets[dataset], np.arange(8))  # what a process does once
    for job in jobs:
        subject = restored(job)
        started = time.perf_counter()
        subject.outputs(subject.sets[dataset])
        seconds += time.perf_counter() - started
    print(seconds)
    return 0


def _jobs(overrides: Sequence[str]) -> list[Job]:
    from pipeline.study.run import run_context
    from pipeline.training.setup.preflight import preflight_of_evaluation

    plan = plan_study(overrides)
    ready = preflight_of_evaluation(
        list(plan.cells.values()),
        plan.located,
        data_fingerprint=plan.data_fingerprint,
        evaluated=plan.evaluated,
        root=plan.root,
    )
    context = run_context(plan, ready)
    return [context.assignment(name, cell).job for name, cell in plan.cells.items()]


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
