"""Cells as jobs: submitit's own executor on this machine stands for SLURM, and its signals are sent by hand."""

import signal
import sys
from pathlib import Path

import psutil
import pytest
from worker_kit import ENDLESS, EXACT, assign, points, wait_until

from pipeline.config.schema import Executor
from pipeline.errors import ConfigError
from pipeline.execution.assignment import Assignment, Event, Fixed
from pipeline.execution.on_slurm import SlurmCluster
from pipeline.execution.remote import RemoteExecutor
from pipeline.study.plan import Plan
from pipeline.tracking import events
from pipeline.tracking.spool import attempts
from pipeline.training.results import ResultStore
from tests import tiny

SLOW = (*EXACT, "train.epochs=150", "train.checkpoint_every=never")


def jobs() -> list[psutil.Process]:
    """The processes that run a job's function, and all below them."""
    below = psutil.Process().children(recursive=True)
    tops = [p for p in below if "submitit" in " ".join(p.cmdline()) and "_submit" in " ".join(p.cmdline())]
    return [*tops, *(child for top in tops for child in top.children(recursive=True))]


class Told:
    """Remembers events, and calls `then` once a cell has begun and come to some points."""

    def __init__(self, plan: Plan, cell: Assignment) -> None:
        self.events: list[Event] = []
        self.plan, self.name, self.root = plan, cell.job.cell_id, Path(cell.job.root)
        self.signalled = False

    def __call__(self, event: Event) -> None:
        self.events.append(event)
        if event.state == "started" and not self.signalled:
            self.signalled = True
            wait_until(lambda: points(self.root, self.plan.study_id, self.name) > 3)
            for process in jobs():
                process.send_signal(signal.SIGTERM)


def run(cell: Assignment, told: object, folder: Path, **settings: object) -> None:
    cluster = SlurmCluster(Executor(name="slurm", **settings), folder, kind="local")  # type: ignore[arg-type]
    RemoteExecutor(cluster, workers=1, timeout_seconds=100).run(Fixed([cell]), told)  # type: ignore[arg-type]


def test_a_job_trains_its_cell(tiny_base: Path, reviews: Path, tmp_path: Path) -> None:
    _, cell = assign("train.size=16", "train.epochs=1", overrides=tiny.overrides(tiny_base, reviews, tmp_path))
    found: list[Event] = []
    run(cell, found.append, tmp_path / "slurm")
    assert [event.state for event in found] == ["started", "finished"]
    assert ResultStore(tmp_path).ids() == (cell.job.cell_id,) or ResultStore(tmp_path).ids() == [cell.job.cell_id]


@pytest.mark.slow
def test_a_job_whose_node_is_taken_is_saved_and_sent_again(tiny_base: Path, reviews: Path, tmp_path: Path) -> None:
    plan, cell = assign(*SLOW, overrides=tiny.overrides(tiny_base, reviews, tmp_path))
    told = Told(plan, cell)
    run(cell, told, tmp_path / "slurm")
    assert told.events[-1].state == "finished", told.events
    kinds = sorted(str(events.last_kind(path)) for path in attempts(tmp_path, plan.study_id))
    assert kinds == ["cell_finished", "killed"]
    first = ResultStore(tmp_path).result(cell.job.cell_id)
    assert first.trajectory[0].step == 0
    assert len({p.step for p in first.trajectory}) == len(first.trajectory)


@pytest.mark.slow
def test_a_job_that_fails_says_why(tiny_base: Path, reviews: Path, tmp_path: Path) -> None:
    _, cell = assign("train.size=16", "train.lr=1e30", *ENDLESS, overrides=tiny.overrides(tiny_base, reviews, tmp_path))
    found: list[Event] = []
    run(cell, found.append, tmp_path / "slurm")
    assert found[-1].state == "failed"
    assert "the training diverged" in found[-1].reason


def test_without_sbatch_or_submitit_it_is_said_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="sbatch"):
        SlurmCluster(Executor(name="slurm"), tmp_path)
    monkeypatch.setitem(sys.modules, "submitit", None)
    with pytest.raises(ConfigError, match=r"'\.\[slurm\]'"):
        SlurmCluster(Executor(name="slurm"), tmp_path)
