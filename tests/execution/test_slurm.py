"""Cells as jobs: submitit's own executor, or a SLURM in miniature; the signals of a real one are sent by hand."""

import signal
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from worker_kit import ENDLESS, EXACT, assign, points, wait_until

from pipeline.config.schema import Executor
from pipeline.errors import ConfigError
from pipeline.execution.assignment import Assignment, Event, Fixed
from pipeline.execution.on_slurm import SlurmCluster
from pipeline.execution.remote import RemoteExecutor
from pipeline.storage.checkpoints import Standing
from pipeline.storage.results import ResultStore
from pipeline.study.plan import Plan
from pipeline.tracking import events
from pipeline.tracking.spool import attempts
from tests import fake_slurm, slurm_kit, tiny
from tests.standing import standing, went_on_from

SLOW = (*EXACT, "train.epochs=150", "train.checkpoint_every=never")


def jobs() -> list[psutil.Process]:
    """The processes that run a job's function, and all below them."""
    below = psutil.Process().children(recursive=True)
    tops = [p for p in below if "submitit" in " ".join(p.cmdline()) and "_submit" in " ".join(p.cmdline())]
    return [*tops, *(child for top in tops for child in top.children(recursive=True))]


def tell_jobs(number: signal.Signals) -> None:
    for process in jobs():
        process.send_signal(number)


class Told:
    """Remembers events; once a cell has come to some points, has its job told to end, and sees what is saved then."""

    def __init__(self, plan: Plan, cell: Assignment, tell: Callable[[], None]) -> None:
        self.events: list[Event] = []
        self.plan, self.name, self.root, self.tell = plan, cell.job.cell_id, Path(cell.job.root), tell
        self.saved: Standing | None = None

    def __call__(self, event: Event) -> None:
        self.events.append(event)
        if event.state == "started":
            assert len(self.events) == 1, "it was told twice of its start"
            wait_until(lambda: points(self.root, self.plan.study_id, self.name) > 3)
            self.tell()
            wait_until(lambda: standing(self.root, self.name) is not None)
            self.saved = standing(self.root, self.name)

    def went_on(self) -> bool:
        """Whether the cell was finished from what was saved."""
        assert self.events[-1].state == "finished", self.events
        return went_on_from(self.saved, ResultStore(self.root).result(self.name))


def run(cell: Assignment, told: object, folder: Path, *, kind: str = "local", seconds: float = 100.0) -> None:
    cluster = SlurmCluster(Executor(name="slurm"), folder, kind=kind)
    RemoteExecutor(cluster, workers=1, timeout_seconds=seconds).run(Fixed([cell]), told)  # type: ignore[arg-type]


def test_a_job_trains_its_cell(tiny_base: Path, reviews: Path, tmp_path: Path) -> None:
    _, cell = assign("train.size=16", "train.epochs=1", overrides=tiny.overrides(tiny_base, reviews, tmp_path))
    found: list[Event] = []
    run(cell, found.append, tmp_path / "slurm")
    assert [event.state for event in found] == ["started", "finished"]
    assert ResultStore(tmp_path).ids() == (cell.job.cell_id,) or ResultStore(tmp_path).ids() == [cell.job.cell_id]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR2])
def test_a_job_that_is_told_to_end_is_saved_and_goes_on_from_there(
    number: signal.Signals, tiny_base: Path, reviews: Path, tmp_path: Path
) -> None:
    plan, cell = assign(*SLOW, overrides=tiny.overrides(tiny_base, reviews, tmp_path))
    told = Told(plan, cell, lambda: tell_jobs(number))
    run(cell, told, tmp_path / "slurm")
    assert told.went_on()
    recorded = [type(e.body).__name__ for path in attempts(tmp_path, plan.study_id) for e in events.read(path)[0]]
    assert [kind for kind in recorded if kind != "CellPoint"] == [
        "CellStarted", "Killed", "CellStarted", "CellFinished"
    ]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seconds", "jobs", "tail"), [(7200.0, ["1"], "-1"), (100.0, ["1", "2"], "")], ids=["preempted", "its time is up"]
)
def test_slurms_signal_has_a_cell_saved_that_goes_on_in_the_same_job_if_that_has_time_left_else_in_another(
    seconds: float,
    jobs: list[str],
    tail: str,
    tiny_base: Path,
    reviews: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    queue = slurm_kit.install(tmp_path / "cluster", monkeypatch)
    plan, cell = assign(*SLOW, overrides=tiny.overrides(tiny_base, reviews, tmp_path))
    told = Told(plan, cell, lambda: fake_slurm.tell(queue / "1", signal.SIGUSR2))
    run(cell, told, tmp_path / "slurm", kind="slurm", seconds=seconds)
    assert told.went_on()
    assert sorted(folder.name for folder in queue.iterdir()) == jobs
    first, second = sorted(attempts(tmp_path, plan.study_id), key=lambda path: path.stem)
    assert [events.last_kind(path) for path in (first, second)] == ["killed", "cell_finished"]
    assert second.stem == f"{first.stem}{tail}" or not tail


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
