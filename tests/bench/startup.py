"""From the start of `study` in a new process, its data prepared, to the first cell's first step."""

import shlex
import subprocess
import time
from pathlib import Path

from pipeline.errors import HeadstartError
from pipeline.tracking import events
from pipeline.tracking.spool import spool
from tests.bench.options import Options
from tests.bench.rows import Bench, Row
from tests.bench.running import HEADSTART, start
from tests.bench.workload import prepare_once

BAR = 15.0  # seconds
PATIENCE = 300.0  # seconds after which the study is given up
_OWN_SEEDS = 1000  # each repetition has a seed of its own, so that no cell is finished before


def measure(options: Options, bench: Bench, folder: Path) -> list[Row]:
    """The quickstart study with its default settings, stopped as soon as a cell takes its first step."""
    root = folder / "startup"
    prepare_once("study", ["experiments=quickstart", f"paths.root={root}"], folder)
    seconds = [_first_step(root, _OWN_SEEDS + number) for number in range(options.repetitions)]
    note = "quickstart, default tracking; validation at step 0 included, so the figure is above the true one"
    return [bench.under("study start to first step", seconds, "s", BAR, note)]


def _first_step(root: Path, seed: int) -> float:
    started = time.time()
    command = [*HEADSTART, "study", "experiments=quickstart", f"study.seeds=[{seed}]", f"paths.root={root}"]
    process = start(command)
    try:
        at = _wait_for_point(root, started, process)
    finally:
        process.terminate()
        output, _ = process.communicate()
    if at is None:
        raise HeadstartError(
            f"No step within {PATIENCE:g} s of {shlex.join(command)}, which printed:\n{output[-2000:]}"
        )
    return at - started


def _wait_for_point(root: Path, started: float, process: "subprocess.Popen[str]") -> float | None:
    """When the first point of a trajectory was recorded, in seconds since 1970; None where there is none."""
    while process.poll() is None and time.time() - started < PATIENCE:
        logs = [events.read(path)[0] for path in spool(root).glob("*/*@*.jsonl")]
        points = [event.at / 1000 for log in logs for event in log if isinstance(event.body, events.CellPoint)]
        new = [at for at in points if at > started]
        if new:
            return min(new)
        time.sleep(0.05)
    return None
