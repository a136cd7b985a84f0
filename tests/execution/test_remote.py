"""Cells on other machines, as far as it can be seen on this one: what is said where they cannot run."""

import sys
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from worker_kit import ENDLESS, assign, wait_until

from pipeline.errors import ConfigError, HeadstartError
from pipeline.execution import prune_requests as questions
from pipeline.execution.assignment import Assignment, Event, Fixed
from pipeline.execution.on_ray import RayCluster
from pipeline.execution.remote import LOSSES, LostError, RemoteExecutor, run_there
from pipeline.records import TrajectoryPoint
from pipeline.storage.results import ResultStore
from pipeline.tracking import events
from pipeline.tracking.spool import attempts
from tests import tiny


def test_a_machine_that_does_not_share_the_folder_says_so(tiny_base: Path, reviews: Path, tmp_path: Path) -> None:
    _, cell = assign("train.size=16", overrides=tiny.overrides(tiny_base, reviews, tmp_path))
    with pytest.raises(HeadstartError, match="file system that all machines share"):
        run_there(cell, timeout_seconds=100, seal=str(tmp_path / "locks" / "not-there"))


def test_an_executor_whose_package_is_missing_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ConfigError, match=r"'\.\[ray\]'"):
        RayCluster("auto")


def test_an_address_where_no_cluster_answers_is_named_at_once() -> None:
    pytest.importorskip("ray")
    with pytest.raises(ConfigError, match=r"executor.address=127.0.0.1:1 must be a Ray cluster, but none answers"):
        RayCluster("127.0.0.1:1")


def test_a_question_is_answered_once_and_leaves_nothing(tiny_base: Path, reviews: Path, tmp_path: Path) -> None:
    _, cell = assign("train.size=16", overrides=tiny.overrides(tiny_base, reviews, tmp_path))
    for number, stop in enumerate((True, False)):
        point = TrajectoryPoint(
            step=number, examples=16, flops=1.0, train_loss=None, validation_loss=0.5, validation_score=0.7,
            learning_rate=1e-3,
        )  # fmt: skip
        with ThreadPoolExecutor(1) as other:
            said = other.submit(questions.ask, cell, point)
            wait_until(lambda: questions.asked(cell) is not None)
            assert questions.asked(cell) == point
            questions.answer(cell, stop=stop)
            assert said.result(timeout=10) is stop
    questions.withdraw(cell)
    assert list((tmp_path / "questions").iterdir()) == []


@dataclass
class Task:
    """A cell in a thread of this process, whose machine may be lost after its end and before anyone heard of it."""

    running: Future[Event]
    lost: bool

    def poll(self) -> Event | None:
        if self.running.done() and self.lost:
            raise LostError("its power was cut")
        return self.running.result() if self.running.done() else None

    def cancel(self) -> None:
        pass


class Here:
    """A cluster of this machine, of which the first `losses` are lost before they could begin."""

    def __init__(self, losses: int = 0) -> None:
        self.losses, self.threads = losses, ThreadPoolExecutor(2)
        self.sent: list[str] = []

    def capacity(self, _: Assignment) -> int:
        return 2

    def send(self, assignment: Assignment, *, timeout_seconds: float, seal: str) -> Task:
        self.sent.append(assignment.attempt_id)
        lost = len(self.sent) <= self.losses
        body = (lambda: None) if lost else lambda: run_there(assignment, timeout_seconds=timeout_seconds, seal=seal)
        return Task(self.threads.submit(body), lost)  # type: ignore[arg-type]


def told(cluster: Here, *cells: Assignment, source: Fixed | None = None) -> list[Event]:
    found: list[Event] = []
    RemoteExecutor(cluster, workers=None, timeout_seconds=100).run(source or Fixed(cells), found.append)
    return found


def test_cells_that_are_sent_away_end_as_at_home(tiny_base: Path, reviews: Path, tmp_path: Path) -> None:
    given = tiny.overrides(tiny_base, reviews, tmp_path)
    cells = [assign("train.size=16", "train.epochs=1", f"train.seed={seed}", overrides=given)[1] for seed in range(3)]
    found = told(Here(), *cells)
    assert sorted((e.cell_id, e.state, e.attempt_id) for e in found) == sorted(
        (cell.job.cell_id, state, cell.attempt_id) for cell in cells for state in ("started", "finished")
    )
    assert sorted(ResultStore(tmp_path).ids()) == sorted(cell.job.cell_id for cell in cells)


def test_a_cell_whose_machine_is_lost_is_sent_again_as_another_attempt(
    tiny_base: Path, reviews: Path, tmp_path: Path
) -> None:
    plan, cell = assign("train.size=16", "train.epochs=1", overrides=tiny.overrides(tiny_base, reviews, tmp_path))
    cluster = Here(losses=LOSSES - 1)
    last = told(cluster, cell)[-1]
    assert (last.state, last.attempt_id) == ("finished", cell.attempt_id)
    assert len(set(cluster.sent)) == LOSSES
    (record,) = attempts(tmp_path, plan.study_id)
    assert events.last_kind(record) == "cell_finished"


def test_a_cell_whose_machine_is_lost_each_time_has_failed_from_outside(
    tiny_base: Path, reviews: Path, tmp_path: Path
) -> None:
    _, cell = assign("train.size=16", overrides=tiny.overrides(tiny_base, reviews, tmp_path))
    last = told(Here(losses=LOSSES), cell)[-1]
    assert (last.state, last.killed) == ("failed", True)
    assert last.reason == f"It was lost {LOSSES} times: its power was cut"


def test_a_cell_that_is_judged_is_given_up_from_afar(tiny_base: Path, reviews: Path, tmp_path: Path) -> None:
    class Judge(Fixed):
        def stop(self, assignment: Assignment, point: TrajectoryPoint) -> bool:
            return point.step > 2

    given = tiny.overrides(tiny_base, reviews, tmp_path)
    plan, cell = assign("train.size=16", *ENDLESS, overrides=given)
    found = told(Here(), source=Judge([replace(cell, judged=True)]))
    assert [event.state for event in found] == ["started", "pruned"]
    (record,) = attempts(tmp_path, plan.study_id)
    assert events.last_kind(record) == "pruned"
    assert list((tmp_path / "questions").iterdir()) == []


def test_a_cell_that_no_machine_could_run_has_failed_with_its_reason_kept(
    tiny_base: Path, reviews: Path, tmp_path: Path
) -> None:
    class Elsewhere(Here):
        def send(self, assignment: Assignment, *, timeout_seconds: float, seal: str) -> Task:
            return super().send(assignment, timeout_seconds=timeout_seconds, seal=f"{seal}-on-another-disk")

    plan, cell = assign("train.size=16", overrides=tiny.overrides(tiny_base, reviews, tmp_path))
    found = told(Elsewhere(), cell)
    assert [event.state for event in found] == ["started", "failed"], "whoever watches hears of a start first"
    assert "file system that all machines share" in found[-1].reason
    kept = ResultStore(tmp_path).failure(cell.job.cell_id).read_text(encoding="utf-8")
    assert kept.strip() == found[-1].reason
    (record,) = attempts(tmp_path, plan.study_id)
    assert events.last_kind(record) == "failed"
    assert not list((tmp_path / "locks").glob("shared-*"))


def test_what_is_handed_to_another_machine_holds_no_secret(tiny_base: Path, reviews: Path, tmp_path: Path) -> None:
    _, cell = assign("base.token=hf_secret", "train.size=16", overrides=tiny.overrides(tiny_base, reviews, tmp_path))
    assert "hf_secret" not in repr(cell)
