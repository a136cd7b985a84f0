"""A worker that ends in a way that nobody foresaw fails its cell with a reason, wherever it was."""

import functools
import time
from pathlib import Path

import pytest
from worker_kit import assign, record, run, work_that_breaks, workers

from pipeline.errors import HeadstartError
from pipeline.execution.run_in_worker import call
from pipeline.storage.results import ResultStore
from tests import tiny

SHORT = ("train.size=32", "train.epochs=3", "train.lr=3e-3")


class OfALibrary(Exception):  # noqa: N818 - as some libraries call theirs
    """Derived from nothing that anybody catches."""


ENDS = [
    ("setup", SystemExit(0), "SystemExit: 0"),
    ("setup", OfALibrary("no"), "OfALibrary: no"),
    ("fit", SystemExit(3), "SystemExit: 3"),
    ("fit", ZeroDivisionError("by 0"), "ZeroDivisionError: by 0"),
    ("evaluation", SystemExit(0), "SystemExit: 0"),
    ("evaluation", KeyError("who"), "KeyError: 'who'"),
]


@pytest.mark.parametrize(("where", "error", "said"), ENDS)
def test_it_fails_its_cell_with_a_reason_and_leaves_no_result(
    where: str,
    error: BaseException,
    said: str,
    tiny_base: Path,
    reviews: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plan, cell = assign(*SHORT, overrides=tiny.overrides(tiny_base, reviews, tmp_path))
    name = cell.job.cell_id
    monkeypatch.setattr("pipeline.execution.local.work", functools.partial(work_that_breaks, where, error, 0))
    told = run([cell])[name]
    assert (told.state, told.killed) == ("failed", False)
    assert said in told.reason
    assert ResultStore(tmp_path).failure(name).read_text(encoding="utf-8").startswith(told.reason)
    assert ResultStore(tmp_path).ids() == []
    assert list((tmp_path / "cells").glob(".*")) == []
    assert record(tmp_path, plan.study_id, name) == ["CellStarted", "Failed"]


@pytest.mark.parametrize("error", [SystemExit(0), OfALibrary("no")])
def test_one_of_two_processes_that_leaves_in_the_middle_does_not_keep_the_other_waiting(
    error: BaseException, tiny_base: Path, reviews: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, cell = assign(*SHORT, "hardware=ddp_cpu", overrides=tiny.overrides(tiny_base, reviews, tmp_path))
    monkeypatch.setattr("pipeline.execution.local.work", functools.partial(work_that_breaks, "fit", error, 1))
    begun = time.monotonic()
    assert run([cell])[cell.job.cell_id].state == "failed"
    assert time.monotonic() - begun < 60
    assert workers() == []
    assert ResultStore(tmp_path).ids() == []


def raises(error: BaseException) -> None:
    raise error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OfALibrary("no"), "OfALibrary: no\nThis is a bug"),
        (SystemExit(0), "SystemExit: 0"),
        (MemoryError(), "too little memory to begin .* ulimit -v"),
        (ImportError("libarrow.so: failed to map segment from shared object"), "too little memory to begin .* ulimit"),
    ],
)
def test_what_goes_wrong_before_the_first_cell_is_one_sentence(
    error: BaseException, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(HeadstartError, match=said) as caught:
        call(raises, error=error)
    assert "raise error" in caught.value.__notes__[0], "what debug=true shows"
    assert "Traceback" not in capfd.readouterr().err
