"""The command line, run here on the warm server or in a process group of its own, and a look at what it left."""

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from pipeline.cli import main
from pipeline.language import Sentence
from pipeline.records import decode
from pipeline.study.plan import Plan, plan_study


@dataclass(frozen=True)
class Done:
    """What a command returned and said."""

    code: int
    out: str
    err: str


def command(capsys: pytest.CaptureFixture[str], *arguments: str) -> Done:
    """Run it in this process."""
    capsys.readouterr()
    code = main(arguments)
    said = capsys.readouterr()
    return Done(code, said.out, said.err)


def start(*arguments: str, **environment: str) -> "subprocess.Popen[str]":
    """Run it in a session of its own, as a terminal would, with these variables changed."""
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=os.environ | environment,
    )


def family(process: "subprocess.Popen[str]") -> list[psutil.Process]:
    """The living processes of its session, itself included."""
    found = []
    for other in psutil.process_iter():
        try:
            if os.getsid(other.pid) == process.pid and other.status() != psutil.STATUS_ZOMBIE:
                found.append(other)
        except (ProcessLookupError, psutil.NoSuchProcess):
            continue
    return found


def wait_until(condition: Callable[[], bool], seconds: float = 100.0) -> None:
    """Look again and again; fail if it takes too long."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def struck(
    begin: "Callable[[int], subprocess.Popen[str]]",
    processes: "Callable[[subprocess.Popen[str]], Sequence[psutil.Process]]",
    moment: int,
    *,
    window: tuple[float, float],
) -> "tuple[subprocess.Popen[str], int]":
    """Begin a command, and at a moment in these seconds send kill -9 or SIGTERM to one of its processes.

    Where it was over before, another is begun and struck earlier; `begin` is told how many were. Gives the one that was
    struck, and how many were over before it.
    """
    first, last = window
    for before in range(6):
        process = begin(before)
        time.sleep(random.Random(moment).uniform(first, first + (last - first) / 2**before))
        if _strike(processes(process), moment):
            return process, before
        process.communicate(timeout=600)
    raise AssertionError("each time the command was over before it was struck")


def _strike(processes: Sequence[psutil.Process], moment: int) -> bool:
    """Whether one of them was there to be struck."""
    for victim in random.Random(moment).sample(processes, len(processes)):
        try:
            victim.send_signal((signal.SIGKILL, signal.SIGTERM)[moment % 2])
        except psutil.NoSuchProcess:
            continue
        return True
    return False


def stop(process: "subprocess.Popen[str]", number: signal.Signals) -> Done:
    """Send the signal to the whole group, as a terminal does, and see what was said."""
    os.killpg(process.pid, number)
    out, err = process.communicate(timeout=60)
    return Done(process.returncode, out, err)


def planned(arguments: Sequence[str]) -> Plan:
    """The plan of `study` with these arguments."""
    return plan_study(list(arguments))


def findings(plan: Plan) -> dict[str, Any]:
    """findings.json without what may differ between two runs."""
    found = json.loads((plan.folder / "findings.json").read_text(encoding="utf-8"))
    assert isinstance(found.pop("measured"), dict)
    return dict(found)


def staged(root: Path) -> list[Path]:
    """Folders and files that were begun and not finished, logs and locks aside."""
    return [p for p in root.rglob(".*") if ".staged-" in p.name or p.name.endswith(".tmp")]


def runs(root: Path, kind: str) -> list[tuple[str, str]]:
    """(name, status) of the runs of this kind in the local store, read from its file."""
    query = (
        "select runs.name, runs.status from runs join tags on tags.run_uuid = runs.run_uuid "
        "where tags.key = 'kind' and tags.value = ? order by runs.name"
    )
    with sqlite3.connect(root / "tracking" / "mlflow.db") as store:
        return [(str(name), str(status)) for name, status in store.execute(query, (kind,))]


def metrics(root: Path, kind: str, key: str) -> list[tuple[float, int]]:
    """(value, step) of a metric of the runs of this kind, in the order of steps."""
    query = (
        "select metrics.value, metrics.step from metrics join tags on tags.run_uuid = metrics.run_uuid "
        "where tags.key = 'kind' and tags.value = ? and metrics.key = ? order by metrics.step"
    )
    with sqlite3.connect(root / "tracking" / "mlflow.db") as store:
        return [(float(value), int(step)) for value, step in store.execute(query, (kind, key))]


def one_finished_run_a_cell(*plans: Plan) -> None:
    """In the dashboard's store: each cell finished once, whatever else was begun was killed, and nothing still runs."""
    root = plans[0].root
    cells, studies = runs(root, "cell"), runs(root, "study")
    finished = [name for name, status in cells if status == "FINISHED"]
    every = [cell for plan in plans for cell in plan.cells.values()]
    assert finished == sorted(f"{cell.key.label} seed {cell.key.seed}" for cell in every)
    assert {status for _, status in [*cells, *studies]} <= {"FINISHED", "KILLED"}
    assert [status for _, status in studies].count("FINISHED") == len(plans)


def files_with(root: Path, *words: str) -> list[str]:
    """The files under `root` in which any of the words stands."""
    needles = [word.encode() for word in words]
    return [str(p) for p in root.rglob("*") if p.is_file() and any(n in p.read_bytes() for n in needles)]


def copy(root: Path, target: Path) -> Path:
    """A copy of finished results, to be played with."""
    shutil.copytree(root, target)
    return target


def sentences(kept: list[Any]) -> list[str]:
    """The texts of sentences as a findings.json keeps them."""
    return [str(decode(Sentence, each)) for each in kept]
