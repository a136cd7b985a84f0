import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from tracking_kit import (
    QUESTION,
    SENTENCE,
    STUDY,
    Look,
    a_cell,
    a_report,
    a_result,
    cell_id,
    grid,
    open_attempt,
    record_study,
    some_findings,
)

from pipeline.errors import StorageError
from pipeline.records import AuditResult, Sample
from pipeline.tracking import StudyLog, mirrored, reconcile, reuse, views
from pipeline.tracking.ledger import Ledger, count_waiting, forget_lost
from pipeline.tracking.replay import Replay
from pipeline.tracking.spool import evaluated, spool
from pipeline.tracking.store import Store


def replayed(store: Store) -> Look:
    done = Replay(store).round()
    assert done.problem is None
    assert count_waiting(store) == 0
    return Look(store.uri)


def everything(look: Look) -> list[tuple[object, ...]]:
    """All that a store holds of the cells, in a form that can be compared."""
    rows = [
        (
            run.info.run_name,
            run.info.status,
            run.info.start_time,
            run.info.end_time,
            sorted(run.data.params.items()),
            sorted(run.data.metrics.items()),
            look.history(run.info.run_id, "val/accuracy"),
            sorted((s.dataset.name, s.dataset.digest) for s in run.inputs.dataset_inputs),
        )
        for run in look.cells()
    ]
    return sorted(rows, key=str)


def test_a_study_is_one_experiment_with_its_cells_one_level_deep(store: Store) -> None:
    record_study(store.root, grid(sizes=(100, 400)))
    look = replayed(store)
    study = look.study()
    assert study.info.status == "FINISHED"
    assert study.data.tags["verdict"] == "supported"
    assert study.data.tags["mlflow.note.content"].splitlines()[0] == SENTENCE
    assert look.experiment().tags["mlflow.note.content"].startswith(SENTENCE)
    assert {"report.html", "report.md", "findings.json"} <= look.artifacts(study.info.run_id)
    assert len(look.cells()) == 4
    assert {run.data.tags["mlflow.parentRunId"] for run in look.cells()} == {study.info.run_id}


def test_a_cell_shows_settings_curves_scores_costs_and_data(store: Store, tmp_path: Path) -> None:
    cell = a_cell("pretrained", 400, 1)
    record_study(store.root, [cell])
    look = replayed(store)
    (run,) = look.cells()
    assert run.info.run_name == "pretrained n=400 seed 1"
    assert run.info.status == "FINISHED"
    shared = {"arm": "pretrained", "cell": "pretrained n=400", "seed": "1", "data/train_size": "400", "base": "minilm"}
    assert run.data.params == shared | {"task": "sentiment", "optim/lr": "5e-05"}
    assert run.data.tags.items() >= (shared | {"kind": "cell", "reused": "false", "cell_id": cell_id(cell)}).items()
    assert run.data.tags["mlflow.runColor"] == "#0068a8"
    result = a_result(cell)
    assert run.data.metrics["test/accuracy"] == result.evaluations[1].metrics["accuracy"]
    assert run.data.metrics["test/accuracy imdb"] == result.evaluations[2].metrics["accuracy"]
    assert run.data.metrics["cost/flops"] == 9e9
    assert all(key.count("/") == 1 for key in run.data.metrics)
    expected = [(p.examples, p.validation_score) for p in result.trajectory]
    assert look.history(run.info.run_id, "val/accuracy") == expected
    assert len(look.history(run.info.run_id, "test/accuracy")) == 1
    contexts = {s.dataset.name: s.tags[0].value for s in run.inputs.dataset_inputs}
    assert contexts["sentiment train n=400"] == "training"
    assert contexts["imdb (out_of_domain)"] == "testing"
    digests = {s.dataset.digest for s in run.inputs.dataset_inputs}
    assert result.evaluations[1].fingerprint[:36] in digests
    assert look.artifact(run.info.run_id, "result.json", tmp_path)["cell_id"] == cell_id(cell)
    assert look.artifact(run.info.run_id, "config.json", tmp_path)["train"]["size"] == 400


def test_what_is_measured_of_a_finished_cell_later_is_added_to_its_run(store: Store, tmp_path: Path) -> None:
    cell, other = grid()
    record_study(store.root, [cell, other])
    look = replayed(store)
    before = everything(look)
    result = a_result(cell)
    shop = replace(result.evaluations[2], dataset="shop", fingerprint=f"{'shop':0<64}", evaluation_id="e1")
    audit = AuditResult(audit="bias", version=1, items=9, columns=("f",), numbers={"flips": 0.1}, evaluation_id="a1")
    in_shop = replace(audit, audit="macro_f1", numbers={"macro_f1": 0.7}, evaluation_id="a2", dataset="shop")
    more = replace(result, evaluations=(*result.evaluations, shop), audits=(audit, in_shop))
    evaluated(store.root, STUDY, more)
    assert mirrored(store.root, STUDY) == {cell_id(cell), cell_id(other)}
    assert reconcile(store.root, STUDY) == 0
    look = replayed(store)
    (run,) = [r for r in look.cells() if r.data.tags["cell_id"] == cell_id(cell)]
    assert run.info.status == "FINISHED"
    assert run.data.metrics["test/accuracy shop"] == shop.metrics["accuracy"]
    assert run.data.metrics["audit/bias/flips"] == 0.1
    assert run.data.metrics["audit/macro_f1/macro_f1 shop"] == 0.7
    assert len(look.history(run.info.run_id, "test/accuracy imdb")) == 1
    assert "shop (out_of_domain)" in {s.dataset.name for s in run.inputs.dataset_inputs}
    assert len(look.artifact(run.info.run_id, "result.json", tmp_path)["audits"]) == 2
    assert len(set(map(str, before)) & set(map(str, everything(look)))) == 1, "the other cell's run is as it was"


def test_runs_of_an_earlier_version_of_results_stay_readable(store: Store) -> None:
    cell, other = grid()
    record_study(store.root, [cell])
    before = everything(replayed(store))
    (path,) = spool(store.root).glob(f"*/{cell_id(cell)}@*.jsonl")
    recorded = path.read_text(encoding="utf-8")
    path.write_text(recorded.replace('"pool_items"', '"items_known"'[: len('"pool_items"')]), encoding="utf-8")
    open_attempt(store.root, other).finished(a_result(other))
    after = everything(replayed(store))
    assert len(after) == 2
    assert set(map(str, before)) < set(map(str, after))


def test_a_cell_shows_a_table_of_what_it_said_before_and_after(store: Store, tmp_path: Path) -> None:
    samples = (Sample(given="a film", right="good", before="bad", after="good"),)
    StudyLog(store.root, STUDY, STUDY).started(QUESTION)
    open_attempt(store.root, a_cell()).finished(a_result(a_cell()), samples)
    look = replayed(replace(store, texts=True))
    replayed(replace(store, texts=True))
    (run,) = look.cells()
    table = look.artifact(run.info.run_id, "samples.json", tmp_path)
    assert table == {"columns": ["given", "right", "before", "after"], "data": [["a film", "good", "bad", "good"]]}
    assert json.loads(run.data.tags["mlflow.loggedArtifacts"]) == [{"path": "samples.json", "type": "table"}]


def test_a_running_cell_shows_its_points_and_is_running(store: Store) -> None:
    StudyLog(store.root, STUDY, STUDY).started(QUESTION)
    log = open_attempt(store.root, a_cell(), points=2)
    look = replayed(store)
    (run,) = look.cells()
    assert run.info.status == "RUNNING"
    assert look.study().info.status == "RUNNING"
    assert len(look.history(run.info.run_id, "val/accuracy")) == 2
    log.finished(a_result(a_cell()))
    replayed(store)
    (run,) = look.cells()
    assert run.info.status == "FINISHED"
    assert len(look.history(run.info.run_id, "val/accuracy")) == 10


def test_statuses_tell_the_truth(store: Store) -> None:
    study = StudyLog(store.root, STUDY, STUDY)
    study.started(QUESTION)
    open_attempt(store.root, a_cell(seed=0)).failed("The loss is not finite at step 40.")
    open_attempt(store.root, a_cell(seed=1))
    open_attempt(store.root, a_cell(seed=2)).finished(a_result(a_cell(seed=2)))
    reconcile(store.root, STUDY)
    look = replayed(store)
    assert {run.data.params["seed"]: run.info.status for run in look.cells()} == {
        "0": "FAILED",
        "1": "KILLED",
        "2": "FINISHED",
    }
    (failed,) = look.runs('attributes.status = "FAILED"')
    assert failed.data.tags["failure"] == "The loss is not finite at step 40."
    assert look.study().info.status == "KILLED"
    assert all(run.info.end_time >= run.info.start_time for run in look.cells())


def test_a_killed_study_that_is_run_again_ends_finished_with_one_run_per_cell(store: Store) -> None:
    StudyLog(store.root, STUDY, STUDY).started(QUESTION)
    open_attempt(store.root, a_cell(), "first")
    look = replayed(store)
    reconcile(store.root, STUDY)
    study = StudyLog(store.root, STUDY, STUDY)
    study.started(QUESTION)
    open_attempt(store.root, a_cell(), "second").finished(a_result(a_cell()))
    findings = some_findings([a_cell()])
    study.finished(findings, a_report(store.root, findings))
    replayed(store)
    assert look.study().info.status == "FINISHED"
    assert sorted(run.info.status for run in look.cells()) == ["FINISHED", "KILLED"]
    assert [run.info.status for run in look.runs('tags.kind = "cell" and tags.current = "yes"')] == ["FINISHED"]


def test_a_reused_cell_keeps_the_time_of_its_training(store: Store) -> None:
    StudyLog(store.root, STUDY, STUDY).started(QUESTION)
    reuse(store.root, STUDY, a_cell(), a_result(a_cell(), started_at=1_700_000_000.0))
    look = replayed(store)
    (run,) = look.cells()
    assert run.data.tags["reused"] == "true"
    assert (run.info.start_time, run.info.end_time) == (1_700_000_000_000, 1_700_000_020_000)
    points = look.client.get_metric_history(run.info.run_id, "val/accuracy")
    assert [p.timestamp for p in points][:2] == [1_700_000_000_000, 1_700_000_001_500]


def test_changed_findings_update_the_one_run_of_the_study(store: Store) -> None:
    record_study(store.root, grid())
    look = replayed(store)
    first = look.study()
    cells = grid(arms=("pretrained",))
    findings = some_findings(cells)
    again = StudyLog(store.root, STUDY, STUDY)
    again.started(QUESTION, to_do=0)
    again.finished(findings, a_report(store.root, findings), ["Inconclusive: four more seeds would settle it."])
    replayed(store)
    assert look.study().info.run_id == first.info.run_id
    assert look.study().info.status == "FINISHED"
    assert look.study().data.tags["mlflow.note.content"].startswith("Inconclusive")
    current = look.runs('tags.kind = "cell" and tags.current = "yes"')
    assert [run.data.params["arm"] for run in current] == ["pretrained"]


def test_replaying_everything_again_changes_nothing(store: Store) -> None:
    record_study(store.root, grid(seeds=2))
    look = replayed(store)
    before = everything(look)
    for path in store.ledger.glob("*.jsonl"):
        path.unlink()
    replayed(store)
    assert everything(look) == before


@pytest.mark.parametrize("lost", [1, 2, 3, 6])
def test_a_crash_before_the_ledger_is_written_doubles_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch, lost: int
) -> None:
    record_study(store.root, grid())
    left = [lost]
    note = Ledger.note

    def crash(self: Ledger, entry: object) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise StorageError("power cut")
        note(self, entry)  # type: ignore[arg-type]

    monkeypatch.setattr(Ledger, "note", crash)
    first = Replay(store).round()
    monkeypatch.undo()
    look = replayed(store)
    assert first.problem == "power cut"
    assert len(look.runs()) == 3
    assert {run.info.status for run in look.runs()} == {"FINISHED"}
    for run in look.cells():
        assert len(look.history(run.info.run_id, "val/accuracy")) == 10
        assert len(look.history(run.info.run_id, "test/accuracy")) == 1


def test_a_torn_ledger_is_read_as_far_as_it_goes(store: Store) -> None:
    record_study(store.root, grid())
    look = replayed(store)
    path = store.ledger / f"{STUDY}.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    replayed(store)
    assert len(look.runs()) == 3


def test_a_store_that_was_removed_is_told_everything_again(store: Store, empty_database: Path, tmp_path: Path) -> None:
    record_study(store.root, grid())
    waited = count_waiting(store)
    replayed(store)
    bereft = Store(root=tmp_path / "moved")
    shutil.copytree(store.root, bereft.root, ignore=shutil.ignore_patterns("mlflow.db"))
    assert count_waiting(bereft) == waited
    forget_lost(bereft)
    shutil.copy(empty_database, bereft.database)
    assert len(replayed(bereft).runs()) == 3


def test_a_run_that_the_store_has_lost_is_told_again_from_its_start(store: Store) -> None:
    StudyLog(store.root, STUDY, STUDY).started(QUESTION)
    log = open_attempt(store.root, a_cell(), points=4)
    replayed(store)
    ledger = Ledger(store, STUDY)
    ledger.note(replace(ledger.entries[log.path.name], run_id="0" * 32))
    log.finished(a_result(a_cell()))
    look = replayed(store)
    (run,) = look.cells()
    assert len(look.history(run.info.run_id, "val/accuracy")) == 10


def test_a_deleted_run_comes_back_when_there_is_news(store: Store) -> None:
    StudyLog(store.root, STUDY, STUDY).started(QUESTION)
    log = open_attempt(store.root, a_cell())
    look = replayed(store)
    look.client.delete_run(look.cells()[0].info.run_id)
    assert look.cells() == []
    log.finished(a_result(a_cell()))
    replayed(store)
    assert [run.info.status for run in look.cells()] == ["FINISHED"]


def test_a_deleted_experiment_comes_back_when_the_study_is_run_again(store: Store) -> None:
    record_study(store.root, grid())
    look = replayed(store)
    look.client.delete_experiment(look.experiment().experiment_id)
    record_study(store.root, grid(seeds=2), "Refuted: too small.")
    replayed(store)
    assert look.experiment().lifecycle_stage == "active"


def test_views_that_cannot_be_saved_spoil_no_record(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "TAG", "\n refused ")
    record_study(store.root, grid())
    look = replayed(store)
    assert look.study().info.status == "FINISHED"


def test_three_views_are_saved_for_a_study(store: Store) -> None:
    record_study(store.root, grid())
    look = replayed(store)
    saved = {key for key in look.experiment().tags if key.startswith(views.TAG)}
    assert saved == {views.TAG + views.share_key(view, STUDY) for view in views.VIEWS["cell"]}


def test_cells_outside_a_study_get_an_experiment_of_their_own(store: Store) -> None:
    open_attempt(store.root, a_cell()).finished(a_result(a_cell()))
    look = replayed(store)
    assert [run.info.status for run in look.cells()] == ["FINISHED"]
    assert "mlflow.parentRunId" not in look.cells()[0].data.tags


def test_markup_and_headings_in_a_verdict_stay_plain_text(store: Store) -> None:
    record_study(store.root, grid(), "# <script>alert(1)</script>\nand more")
    look = replayed(store)
    assert look.study().data.tags["mlflow.note.content"].startswith("<script>")


def test_only_a_study_that_was_run_with_a_server_is_sent_to_it(tmp_path: Path) -> None:
    record_study(tmp_path, grid())
    remote = Store(root=tmp_path, address="http://tracking.example")
    assert count_waiting(remote) == 0
    assert count_waiting(Store(root=tmp_path)) > 0
    assert (spool(tmp_path) / STUDY).is_dir()
