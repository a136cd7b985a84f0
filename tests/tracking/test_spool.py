import dataclasses
import json
import os
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tracking_kit import (
    LOCAL,
    QUESTION,
    SENTENCE,
    STUDY,
    a_cell,
    a_report,
    a_result,
    cell_id,
    grid,
    open_attempt,
    record_study,
    some_findings,
)

from pipeline.errors import UserError
from pipeline.tracking import AttemptLog, Mirror, StudyLog, events, lines, mirrored, reconcile, reuse, unfinished
from pipeline.tracking.events import CellFinished, CellPoint, CellStarted, Killed
from pipeline.tracking.spool import redact, spool


def spooled(root: Path) -> str:
    return "\n".join(path.read_text() for path in sorted(spool(root).rglob("*.jsonl")))


def test_an_attempt_is_recorded_while_it_runs(tmp_path: Path) -> None:
    log = open_attempt(tmp_path, a_cell(), points=2)
    found, _ = events.read(log.path)
    assert [type(event.body) for event in found] == [CellStarted, CellPoint, CellPoint]
    assert unfinished(tmp_path, STUDY) == ((cell_id(a_cell()), "a1"),)


def test_a_result_comes_back_from_its_record_unchanged(tmp_path: Path) -> None:
    log = open_attempt(tmp_path, a_cell())
    log.finished(a_result(a_cell()))
    assert events.read(log.path)[0][-1].body == CellFinished(result=a_result(a_cell()), reused=False)
    assert mirrored(tmp_path, STUDY) == {cell_id(a_cell())}
    assert unfinished(tmp_path, STUDY) == ()


def test_a_torn_last_line_is_not_there_yet_and_spoils_no_other(tmp_path: Path) -> None:
    log = open_attempt(tmp_path, a_cell(), points=2)
    whole = log.path.stat().st_size
    with open(log.path, "ab") as file:
        file.write(b'{"at": 12, "data": {"poi')
    before, offset = events.read(log.path)
    assert (len(before), offset) == (3, whole)
    log.finished(a_result(a_cell()))
    after, end = events.read(log.path, offset)
    assert [type(event.body) for event in after] == [CellFinished]
    assert end == log.path.stat().st_size


def test_events_of_a_later_version_are_passed_over(tmp_path: Path) -> None:
    log = open_attempt(tmp_path, a_cell(), points=1)
    lines.append(log.path, {"at": 1, "data": {}, "event": "cell_paused"})
    log.failed("out of memory")
    assert len(events.read(log.path)[0]) == 3


@given(cut=st.integers(min_value=0, max_value=400))
@settings(max_examples=30, deadline=None)
def test_a_file_cut_anywhere_can_be_continued(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    path = tmp_path_factory.mktemp("cut") / "events.jsonl"
    for number in range(5):
        lines.append(path, {"number": number, "text": "x" * 60})
    os.truncate(path, min(cut, path.stat().st_size))
    kept = [line.value for line in lines.read(path)]
    lines.append(path, {"number": "last"})
    values = [line.value for line in lines.read(path) if line.value]
    assert values[-1] == {"number": "last"}
    assert values[: len(kept)] == kept


def test_an_attempt_ends_once(tmp_path: Path) -> None:
    log = open_attempt(tmp_path, a_cell())
    log.killed()
    log.finished(a_result(a_cell()))
    assert isinstance(events.read(log.path)[0][-1].body, Killed)
    assert mirrored(tmp_path, STUDY) == set()


def test_reconcile_records_what_a_killed_run_left_open(tmp_path: Path) -> None:
    StudyLog(tmp_path, STUDY, STUDY).started(QUESTION)
    left = open_attempt(tmp_path, a_cell(seed=0))
    done = open_attempt(tmp_path, a_cell(seed=1))
    done.finished(a_result(a_cell(seed=1)))
    os.utime(left.path, (time.time() - 50, 1_790_000_500.0))
    assert reconcile(tmp_path, STUDY) == 1
    last = events.read(left.path)[0][-1]
    assert (last.at, last.body) == (1_790_000_500_000, Killed())
    assert events.last_kind(spool(tmp_path) / STUDY / "study.jsonl") == "killed"
    assert reconcile(tmp_path, STUDY) == 0


def test_an_interrupted_reuse_is_no_killed_attempt(tmp_path: Path) -> None:
    AttemptLog(tmp_path, STUDY, cell_id(a_cell()), "reused").started(a_cell(), at=1.0)
    assert reconcile(tmp_path, STUDY) == 0
    reuse(tmp_path, STUDY, a_cell(), a_result(a_cell()))
    assert mirrored(tmp_path, STUDY) == {cell_id(a_cell())}


def test_the_same_findings_are_recorded_once(tmp_path: Path) -> None:
    study = record_study(tmp_path, grid())
    before = spooled(tmp_path)
    findings = some_findings(grid())
    again = StudyLog(tmp_path, STUDY, STUDY)
    again.started(QUESTION, to_do=0)
    again.finished(findings, a_report(tmp_path, findings), [SENTENCE])
    assert spooled(tmp_path) == before
    other = dataclasses.replace(findings, caveats=("Another.",))
    again.started(QUESTION, to_do=0)
    again.finished(other, a_report(tmp_path, other), [SENTENCE])
    kinds = [type(event.body).__name__ for event in events.read(study.path)[0]]
    assert kinds == ["StudyStarted", "StudyFinished", "StudyStarted", "StudyFinished"]


@pytest.mark.parametrize("name", ["../escape", "a/b", "", ".hidden", "a" * 101])
def test_no_name_leads_out_of_the_spool(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError):
        AttemptLog(tmp_path, name, "0123", "a1")
    with pytest.raises(UserError):
        AttemptLog(tmp_path, STUDY, name, "a1")
    with pytest.raises(UserError):
        AttemptLog(tmp_path, STUDY, "0123", name)
    with pytest.raises(UserError):
        StudyLog(tmp_path, name, name)
    assert list(tmp_path.iterdir()) == []


def test_no_secret_is_recorded(tmp_path: Path) -> None:
    log = open_attempt(tmp_path, a_cell(token="hf_secret"))
    log.failed("https://ann:pa@ss@hub.example/x answered 500")
    StudyLog(tmp_path, STUDY, STUDY).started("Is http://u:secret@h/ better?")
    assert "secret" not in spooled(tmp_path)
    assert "pa@ss" not in spooled(tmp_path)
    assert "https://hub.example/x answered 500" in spooled(tmp_path)
    config = json.loads(log.path.read_text().splitlines()[0])["data"]["config"]
    assert config["task"]["data"]["path"] == "reviews.csv"
    assert "token" not in config["base"]


def test_text_without_an_address_stays_as_it_is() -> None:
    assert redact(SENTENCE + " a@b") == SENTENCE + " a@b"


def test_a_record_that_cannot_be_written_stops_nothing_and_is_said_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "tracking").write_text("a file where a folder should be")
    log = open_attempt(tmp_path, a_cell())
    log.failed("reason")
    log.failed("reason")
    assert log.problem
    assert str(log.path.parent) in log.problem
    assert capsys.readouterr().err.count("The dashboard will miss what could not be recorded") == 1


def test_events_wait_until_a_store_is_told(tmp_path: Path) -> None:
    record_study(tmp_path, grid())
    with_store = Mirror.start(LOCAL.__class__(name="none"), tmp_path, STUDY, texts=False)
    assert with_store.pending() == 0
    assert with_store.drain(0.0)
    assert with_store.problem() is None
    with_store.close()


def test_no_module_hides_a_function_of_the_package() -> None:
    import pipeline.tracking as package
    from pipeline.tracking import replay

    assert replay.Replay
    assert all(callable(getattr(package, name)) for name in package.__all__)
