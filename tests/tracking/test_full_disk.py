"""A disk that is full while records are written, or while MLflow writes: what was there stays, the rest comes later."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tracking_kit import LOCAL, STUDY, Look, a_cell, a_result, grid, open_attempt, record_study, trajectory

from pipeline.tracking import Mirror, events
from pipeline.tracking.events import CellFinished, CellPoint, CellStarted
from pipeline.tracking.store import Store


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of eight megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)], capture_output=True)
    if done.returncode:
        pytest.skip(f"a small tmpfs cannot be mounted here: {done.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(disk: Path, *, leave: int) -> Path:
    """A file that leaves so many bytes free."""
    ballast = disk / "ballast"
    ballast.write_bytes(b"x" * max(0, shutil.disk_usage(disk).free - leave))
    return ballast


def test_a_record_that_finds_no_room_says_so_and_leaves_whole_lines(disk: Path) -> None:
    log = open_attempt(disk, a_cell(), points=2)
    ballast = fill(disk, leave=0)
    told = 2
    while log.problem is None:
        assert told < 100, "the disk was never full"
        log.point(trajectory(a_cell())[told % 10])
        told += log.problem is None
    assert "The disk is full" in log.problem
    assert log.path.read_bytes().endswith(b"}\n"), "a part of a line was left"
    found, _ = events.read(log.path)
    assert [type(event.body) for event in found] == [CellStarted, *[CellPoint] * told]
    ballast.unlink()
    log.finished(a_result(a_cell()))
    assert type(events.read(log.path)[0][-1].body) is CellFinished


@pytest.mark.slow
@pytest.mark.parametrize("leave", [0, 40_000, 200_000], ids=["at once", "in the beginning", "in the middle"])
def test_mlflow_on_a_full_disk_keeps_what_it_holds_and_is_caught_up_by_the_next_run(
    disk: Path, store: Store, leave: int
) -> None:
    shutil.copytree(store.root, disk / "out")
    here = Store(root=disk / "out")
    record_study(here.root, grid(sizes=(100,), seeds=1))
    with Mirror.start(LOCAL, here.root, STUDY, texts=False) as mirror:
        assert mirror.drain(60)
    held = {run.info.run_id for run in Look(here.uri).runs()}
    record_study(here.root, grid(sizes=(400,), seeds=3))
    ballast = fill(disk, leave=leave)
    with Mirror.start(LOCAL, here.root, STUDY, texts=False) as mirror:
        assert not mirror.drain(60)
        assert "disk is full" in (mirror.problem() or "")
        left = mirror.pending()
    assert left > 0
    assert held <= {run.info.run_id for run in Look(here.uri).runs()}
    ballast.unlink()
    with Mirror.start(LOCAL, here.root, STUDY, texts=False) as mirror:
        assert mirror.drain(60)
    look = Look(here.uri)
    assert len(look.cells()) == 8
    assert {run.info.status for run in look.runs()} == {"FINISHED"}
    for run in look.cells():
        assert len(look.history(run.info.run_id, "val/accuracy")) == 10
