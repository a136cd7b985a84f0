"""The dashboard's database is locked by somebody else for a while: nothing is lost, nothing is told twice."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tracking_kit import LOCAL, STUDY, Look, grid, record_study, wait_for

from pipeline.tracking import Mirror
from pipeline.tracking.store import Store


@contextmanager
def locked(database: Path, seconds: float) -> Iterator[threading.Thread]:
    """Hold the database exclusively from now on, for so long."""
    held, over = threading.Event(), threading.Event()

    def hold() -> None:
        with sqlite3.connect(database, timeout=30) as connection:
            connection.execute("begin exclusive")
            held.set()
            over.wait(seconds)
            connection.rollback()

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(30)
    yield thread
    over.set()
    thread.join()


@pytest.mark.parametrize("seconds", [3.0, pytest.param(30.0, marks=pytest.mark.slow)])
def test_what_waited_for_a_locked_database_is_told_once(store: Store, seconds: float) -> None:
    record_study(store.root, grid(seeds=2))
    with locked(store.database, seconds) as holder, Mirror.start(LOCAL, store.root, STUDY, texts=False) as mirror:
        holder.join()
        assert wait_for(lambda: mirror.wake() or mirror.pending() == 0, 60)
    look = Look(store.uri)
    assert len(look.cells()) == 4
    assert {run.info.status for run in look.runs()} == {"FINISHED"}
    for run in look.cells():
        assert len(look.history(run.info.run_id, "val/accuracy")) == 10
