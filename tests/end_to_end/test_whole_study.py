"""One command from data to verdict, its replay, and the report that is rebuilt from what it left."""

import csv
import json
import re
import shutil
from pathlib import Path

import pytest
from command_kit import command, copy, findings, planned, runs, staged
from conftest import Finished

from pipeline.data.store import load
from tests import tiny
from tests.records.findings_schema import misfits

Capture = pytest.CaptureFixture[str]


def test_a_study_leaves_findings_report_and_a_result_for_every_cell(finished: Finished) -> None:
    plan = finished.plan
    found = findings(plan)
    assert set(found["cells"].values()) == set(plan.cells)
    assert len(plan.cells) == 16
    assert [v["statement"] for v in found["verdicts"]] == ["A tiny start is more accurate"]
    assert found["verdicts"][0]["verdict"] in ("supported", "refuted", "inconclusive")
    assert found["failed"] == []
    for name in ("report.html", "report.md"):
        assert "A tiny start is more accurate" in (plan.folder / name).read_text(encoding="utf-8")
    for name in plan.cells:
        assert {p.name for p in plan.store.folder(name).iterdir()} == {
            "config.json", "result.json", "scores.npy", "validation.npy", "environment.json", "samples.json", "weights",
            "evaluations", "digests.json",
        }  # fmt: skip
    assert staged(finished.root) == []
    with open(plan.folder / "errors.csv", encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == load(plan.data_folder).test.labels.size
    assert "Which texts the arms get wrong" in (plan.folder / "errors.html").read_text(encoding="utf-8")


def test_a_second_study_trains_nothing_and_ends_with_the_same_bytes(
    finished: Finished, tmp_path: Path, capsys: Capture
) -> None:
    root = copy(finished.root, tmp_path / "out")
    plan = planned(finished.at(root))
    before = {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in plan.store.cells.rglob("*.json")}
    text = (plan.folder / "findings.json").read_bytes()
    assert misfits(text.decode()) == [], "docs/findings.schema.json"
    done = command(capsys, "study", *finished.at(root))
    assert done.code == 0
    assert "A tiny start is more accurate" in done.out
    assert {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in plan.store.cells.rglob("*.json")} == before
    assert (plan.folder / "findings.json").read_bytes() == text


def test_a_lost_cell_is_trained_again_alone_and_the_findings_are_the_same(
    finished: Finished, tmp_path: Path, capsys: Capture
) -> None:
    root = copy(finished.root, tmp_path / "out")
    plan = planned(finished.at(root))
    before, lost = findings(plan), list(plan.cells)[3]
    shutil.rmtree(plan.store.folder(lost))
    done = command(capsys, "study", *finished.at(root))
    assert done.code == 0
    assert "16 trainings (cells), 15 finished before, 1 to train" in " ".join(done.err.split())
    assert findings(plan) == before


def test_findings_do_not_depend_on_how_many_cells_ran_at_once(
    finished: Finished, tmp_path: Path, capsys: Capture
) -> None:
    few = tiny.study(arms="frozen,scratch", sizes="16", claim=False)
    one = [*finished.world, *few, f"paths.root={tmp_path}"]
    assert command(capsys, "study", *one, "executor.workers=1", "hardware.threads=2").code == 0
    two = {c["arm"]: c for c in findings(planned(one))["scores"]}
    both = [c for c in findings(finished.plan)["scores"] if c["size"] == 16 and c["arm"] in two]
    assert {c["arm"]: c["per_seed"] for c in both if c["dataset"] == "test"} == {
        arm: c["per_seed"] for arm, c in two.items()
    }


def test_a_plan_shows_its_cells_their_memory_and_the_time_and_trains_nothing(
    finished: Finished, tmp_path: Path, capsys: Capture
) -> None:
    done = command(capsys, "study", *finished.at(tmp_path / "none"), "plan=true")
    assert done.code == 0
    assert "16 of 16 cells to train: about" in done.out
    assert re.search(r"│ scratch +│ +48 │ +0 │ +2 │ +\d+ s │ \d[^│]+B +│", done.out)
    assert not (tmp_path / "none" / "cells").exists()
    again = command(capsys, "study", *finished.at(finished.root), "plan=true")
    assert "0 of 16 cells to train" in again.out


def test_a_report_is_rebuilt_from_finished_cells_without_training(
    finished: Finished, tmp_path: Path, capsys: Capture
) -> None:
    root = copy(finished.root, tmp_path / "out")
    plan = planned(finished.at(root))
    page = (plan.folder / "report.html").read_bytes()
    shutil.rmtree(plan.folder)
    shutil.rmtree(plan.store.folder(next(iter(plan.cells))))
    done = command(capsys, "report", *finished.at(root))
    assert done.code == 0
    assert "15 of 16 cells are finished." in done.out
    assert len(plan.missing()) == 1
    assert (plan.folder / "report.html").read_bytes() != page


def test_claims_of_every_form_are_judged_on_finished_cells(finished: Finished, tmp_path: Path, capsys: Capture) -> None:
    root = copy(finished.root, tmp_path / "out")
    claims = [
        "+study.claims.double={metric:label_multiplier,size:16,delta:2.0}",
        "+study.claims.triple={metric:label_multiplier,size:16,delta:3.0}",
        "+study.claims.more={metric:label_multiplier,size:largest,delta:2.0}",
        "+study.claims.cheap={metric:compute_multiplier,arm:frozen,delta:1.5}",
        "+study.claims.same={metric:compute_multiplier,delta:1.5}",
        "+study.claims.no_worse={test:not_inferior,margin:0.5}",
        "+study.claims.equal={test:equivalent,margin:0.5}",
    ]
    given = [*finished.at(root), "study.name=forms", *claims]
    done = command(capsys, "report", *given)
    assert done.code == 0, done.err
    found = (root / "studies" / "forms" / "findings.json").read_text(encoding="utf-8")
    assert misfits(found) == []
    said, verdicts = " ".join(done.out.split()), {v["claim"]: v for v in json.loads(found)["verdicts"]}
    assert "than scratch with 32 (read between 16 and 48)" in said
    assert re.search(r"(better|worse) than scratch with 48, [\d.]+ times as many counting the \d+ validation", said)
    assert "Add 96 to study.sizes." in said
    assert verdicts["cheap"]["budget_ratio"] > 1.5
    assert [o["kind"] for o in verdicts["same"]["obstacles"]] == ["budgets_too_close"]
    assert "a loss of up to 50 points does not matter" in said
    page = (root / "studies" / "forms" / "report.html").read_text(encoding="utf-8")
    assert "allowed within \u00b150 points" in page


def test_a_report_of_nothing_says_what_to_run(finished: Finished, tmp_path: Path, capsys: Capture) -> None:
    done = command(capsys, "report", *finished.at(tmp_path))
    assert done.code == 2
    assert "No cell of small is finished" in done.err


def test_a_failed_cell_is_reported_the_others_go_on_and_the_exit_code_says_so(
    tiny_base: Path, reviews: Path, tmp_path: Path, capsys: Capture
) -> None:
    own = tmp_path / "conf" / "arm"
    own.mkdir(parents=True)
    (own / "wild.yaml").write_text("name: wild\nstart: scratch\nmethod: full\nrecipe: {lr: 1.0e+38}\n")
    root = tmp_path / "out"
    arguments = [
        *tiny.overrides(tiny_base, reviews, root),
        *tiny.study(arms="pretrained,wild,scratch", sizes="16", seeds="0"),
        "train.lr=null",
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        done = command(capsys, "study", *arguments)
        plan = planned(arguments)
    assert done.code == 1
    assert "Failed: wild n=16 seed=0: The" in done.out
    found = findings(plan)
    (failed,) = found["failed"]
    assert failed["arm"] == "wild"
    assert "Lower train.lr" in failed["reason"]
    assert {cell.partition(" ")[0] for cell in found["cells"]} >= {"pretrained", "scratch"}
    assert "Lower train.lr" in (plan.folder / "report.html").read_text(encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        assert command(capsys, "report", *arguments).code == 0
    assert findings(plan) == found


def test_one_cell_is_trained_shown_and_shown_again_without_training(
    tiny_base: Path, reviews: Path, tmp_path: Path, capsys: Capture
) -> None:
    arguments = [*tiny.overrides(tiny_base, reviews, tmp_path), "train.size=16", "train.min_steps=4", "train.epochs=1"]
    first = command(capsys, "train", *arguments)
    assert first.code == 0, first.err
    assert "test" in first.out
    assert "FLOPs" in first.out
    (cell,) = (tmp_path / "cells").iterdir()
    before = (cell / "result.json").stat().st_mtime_ns
    again = command(capsys, "train", *arguments)
    assert (again.code, again.out) == (0, first.out)
    assert (cell / "result.json").stat().st_mtime_ns == before


def test_the_runs_in_the_dashboards_store_tell_the_truth(
    tiny_base: Path, reviews: Path, tmp_path: Path, capsys: Capture
) -> None:
    small = tiny.study(sizes="16", seeds="0")
    arguments = [*tiny.overrides(tiny_base, reviews, tmp_path), *small, "tracking=local"]
    done = command(capsys, "study", *arguments)
    assert done.code == 0
    assert "Not yet in the dashboard" not in done.out
    assert [status for _, status in runs(tmp_path, "study")] == ["FINISHED"]
    cells = [("pretrained n=16 seed 0", "FINISHED"), ("scratch n=16 seed 0", "FINISHED")]
    assert runs(tmp_path, "cell") == cells
    assert command(capsys, "study", *arguments).code == 0
    assert runs(tmp_path, "cell") == cells
    assert command(capsys, "train", *arguments[: -len(small) - 1], "train.size=16", "tracking=local").code == 0
    assert {status for _, status in runs(tmp_path, "study")} == {"FINISHED"}


def test_every_number_in_findings_is_finite_or_says_that_it_is_not(finished: Finished) -> None:
    text = (finished.plan.folder / "findings.json").read_text(encoding="utf-8")
    assert json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
