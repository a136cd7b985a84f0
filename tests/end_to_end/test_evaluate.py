"""Sets and audits that are added to finished cells: no training, and the same scores."""

import json
import shutil
from pathlib import Path

import pytest
from command_kit import command, copy, findings, planned, sentences, staged
from conftest import Finished

from pipeline.records import CellResult
from tests import tiny

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def far(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty rows of another domain, of which five stand in the reviews too."""
    rows = tiny.rows(60, seed=9)
    rows[:5] = tiny.rows()[:5]
    return tiny.write_csv(tmp_path_factory.mktemp("far") / "far.csv", rows)


def added(far: Path) -> list[str]:
    return [f"+task.out_of_domain.shop.{s}" for s in (f"path={far}", "text=review", "label=stars")]


def written(root: Path) -> dict[Path, int]:
    """When each result was written."""
    return {path: path.stat().st_mtime_ns for path in root.glob("cells/*/result.json")}


def test_a_set_is_added_to_a_finished_study_without_training(
    finished: Finished, far: Path, tmp_path: Path, capsys: Capture
) -> None:
    root = copy(finished.root, tmp_path / "out")
    before = written(root)
    done = command(capsys, "evaluate", *finished.at(root), *added(far))
    assert done.code == 0
    assert "16 of 16 finished cells lack the set shop." in done.out
    assert "Evaluated 16 cells from their stored weights, without training." in done.out
    assert "shop (2)" in done.out
    assert "Prepared data: 0 that no study refers to" in command(capsys, "prune", f"paths.root={root}", "plan=true").out
    assert written(root) == before
    assert staged(root) == []
    claim = ["+study.claims.elsewhere={statement: Also in a shop, dataset: shop}"]
    again = command(capsys, "study", *finished.at(root), *added(far), *claim)
    assert again.code == 0
    assert "finished cells lack" not in again.out
    renamed = [s.replace("shop", "store") for s in added(far)]
    assert "finished cells lack" not in command(capsys, "evaluate", *finished.at(root), *renamed).out
    assert written(root) == before
    plan = planned([*finished.at(root), *added(far), *claim])
    found = findings(plan)
    assert {s["dataset"] for s in found["scores"]} == {"test", "shop"}
    (verdict,) = [v for v in found["verdicts"] if v["claim"] == "elsewhere"]
    assert verdict["estimate"]["items"] == 60
    report = (plan.folder / "report.md").read_text(encoding="utf-8")
    assert "also found in shop" in report
    assert "kept, since this set is only evaluated" in report


def test_a_set_with_a_label_that_training_lacks_is_refused(finished: Finished, tmp_path: Path, capsys: Capture) -> None:
    root = copy(finished.root, tmp_path / "out")
    other = tiny.write_csv(tmp_path / "other.csv", [("a fine film", "good"), ("so so", "middling")] * 4)
    done = command(capsys, "evaluate", *finished.at(root), *added(other))
    assert done.code == 2
    assert "Every label of the out-of-domain set 'shop' must be a class of the training data" in done.err
    assert "'middling'" in done.err
    assert "Traceback" not in done.err
    assert not list(root.glob("cells/*/evaluations/.*"))


def test_cells_without_weights_are_named_with_the_remedy_and_no_verdict_rests_on_the_set(
    finished: Finished, far: Path, tmp_path: Path, capsys: Capture
) -> None:
    root = copy(finished.root, tmp_path / "out")
    claim = ["+study.claims.elsewhere={statement: Also in a shop, dataset: shop}"]
    plan = planned([*finished.at(root), *added(far), *claim])
    gone = next(iter(plan.cells))
    plan.store.drop_weights(gone)
    done = command(capsys, "evaluate", *finished.at(root), *added(far))
    assert done.code == 1
    assert "Evaluated 15 cells" in done.out
    assert "1 finished cells cannot be evaluated, since their weights were not kept" in done.out
    assert f"delete {plan.store.cells}/{gone} and run the same study with train.keep=all" in " ".join(done.out.split())
    assert command(capsys, "study", *finished.at(root), *added(far), *claim).code == 0
    found = findings(plan)
    assert {s["dataset"] for s in found["scores"]} == {"test"}
    (verdict,) = [v for v in found["verdicts"] if v["claim"] == "elsewhere"]
    assert (verdict["verdict"], verdict["obstacles"][0]["kind"], verdict["look"]) == (
        "inconclusive", "unknown_dataset", 0,
    )  # fmt: skip
    assert any(s.startswith("1 of 16 finished cells lack scores on shop") for s in sentences(found["caveats"]))
    for name in plan.cells:
        plan.store.drop_weights(name)
    fewer = "task.out_of_domain_size=30"
    nothing = command(capsys, "evaluate", *finished.at(root), *added(far), fewer)
    assert nothing.code == 2
    assert "16 finished cells cannot be evaluated" in nothing.err


@pytest.mark.parametrize("audit", ["bias", "latency"])
def test_a_claim_on_an_audit_of_cells_without_weights_gives_no_verdict_and_says_how_it_would(
    finished: Finished, tmp_path: Path, capsys: Capture, audit: str
) -> None:
    root = copy(finished.root, tmp_path / "out")
    claim = [f"+study.claims.examined={{statement: It is worse, metric: audit, audit: {audit}}}"]
    plan = planned([*finished.at(root), *claim])
    plan.store.drop_weights(next(iter(plan.cells)))
    done = command(capsys, "study", *finished.at(root), *claim)
    assert done.code == 0
    assert "1 finished cells cannot be evaluated, since their weights were not kept" in done.out
    (verdict,) = [v for v in findings(plan)["verdicts"] if v["claim"] == "examined"]
    assert (verdict["verdict"], [o["kind"] for o in verdict["obstacles"]]) == ("inconclusive", ["unexamined"])
    assert "with train.keep=all" in " ".join(done.out.split())


def test_an_audit_that_was_lost_is_made_again_and_the_report_is_the_same(
    finished: Finished, tmp_path: Path, capsys: Capture
) -> None:
    root = copy(finished.root, tmp_path / "out")
    plan = planned(finished.at(root))
    assert command(capsys, "report", *finished.at(root)).code == 0
    records = {
        path: json.loads(path.read_text(encoding="utf-8")) for path in root.glob("cells/*/evaluations/*/r*.json")
    }
    assert len(records) == 16
    assert {record["audit"] for record in records.values()} == {"calibration"}
    page = (plan.folder / "report.md").read_text(encoding="utf-8")
    for path in records:
        shutil.rmtree(path.parent)
    assert command(capsys, "evaluate", *finished.at(root)).code == 0
    assert command(capsys, "report", *finished.at(root)).code == 0
    assert {path: json.loads(path.read_text(encoding="utf-8")) for path in records} == records
    assert (plan.folder / "report.md").read_text(encoding="utf-8") == page
    assert "Calibration error" in page


def test_a_metric_is_added_to_a_finished_study_and_a_claim_is_about_it(
    finished: Finished, tmp_path: Path, capsys: Capture
) -> None:
    root = copy(finished.root, tmp_path / "out")
    before = written(root)
    done = command(capsys, "evaluate", *finished.at(root), "study.audits=[macro_f1]")
    assert done.code == 0
    assert "16 of 16 finished cells lack the audit macro_f1." in done.out
    assert "Evaluated 16 cells from their stored weights, without training." in done.out
    claim = ["+study.claims.f1={statement: Its macro F1 is higher, metric: audit, audit: macro_f1, delta: 0.01}"]
    again = command(capsys, "study", *finished.at(root), *claim)
    assert again.code == 0
    assert "finished cells lack" not in again.out
    assert written(root) == before
    plan = planned([*finished.at(root), *claim])
    (verdict,) = [v for v in findings(plan)["verdicts"] if v["claim"] == "f1"]
    scores = {arm: [_on(r, "test")["macro_f1"] for r in plan.results() if _is(r, arm, verdict)] for arm in ARMS}
    assert verdict["estimate"]["value"] == pytest.approx(sum(scores[ARMS[0]]) / 2 - sum(scores[ARMS[1]]) / 2)
    assert verdict["estimate"]["low"] < verdict["estimate"]["value"] < verdict["estimate"]["high"]
    assert (verdict["audit"], verdict["estimate"]["seeds"]) == ("macro_f1", 2)
    report = (plan.folder / "report.md").read_text(encoding="utf-8")
    assert "The macro F1 of pretrained is" in report
    assert "The macro F1 on the test set of networks that were trained for accuracy." in report


ARMS = ("pretrained", "scratch")


def _on(result: CellResult, dataset: str) -> dict[str, float]:
    return next(e.metrics for e in result.evaluations if e.dataset == dataset)


def _is(result: CellResult, arm: str, verdict: dict[str, object]) -> bool:
    return (result.key.arm, result.key.size) == (arm, verdict["size"])


def test_a_metric_is_added_to_a_finished_study_on_a_set_that_was_added_too(
    finished: Finished, far: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    root = copy(finished.root, tmp_path / "out")
    before = written(root)
    given = [*finished.at(root), *added(far)]
    done = command(capsys, "evaluate", *given, "study.audits=[macro_f1]")
    assert done.code == 0
    assert "16 of 16 finished cells lack the audit macro_f1 on shop." in done.out
    assert "macro_f1 on shop (2)" in done.out
    claim = [
        "+study.claims.f1={statement: Its macro F1 is higher in a shop, metric: audit, audit: macro_f1, dataset: shop}"
    ]
    again = command(capsys, "study", *given, *claim)
    assert again.code == 0
    assert "finished cells lack" not in again.out
    assert written(root) == before
    plan = planned([*given, *claim])
    (verdict,) = [v for v in findings(plan)["verdicts"] if v["claim"] == "f1"]
    assert (verdict["audit"], verdict["dataset"], verdict["estimate"]["items"]) == ("macro_f1", "shop", 60)
    scores = {arm: [_on(r, "shop")["macro_f1"] for r in plan.results() if _is(r, arm, verdict)] for arm in ARMS}
    assert verdict["estimate"]["value"] == pytest.approx(sum(scores[ARMS[0]]) / 2 - sum(scores[ARMS[1]]) / 2)
    report = (plan.folder / "report.md").read_text(encoding="utf-8")
    assert "The macro F1 on shop of networks that were trained for accuracy." in report


def test_a_claim_on_another_set_about_an_audit_of_the_test_set_is_refused_with_those_that_examine_it(
    finished: Finished, far: Path, tmp_path: Path, capsys: Capture
) -> None:
    claim = "+study.claims.sure={statement: It is surer, metric: audit, audit: calibration, dataset: shop}"
    done = command(capsys, "study", *finished.at(tmp_path), *added(far), claim)
    assert done.code == 2
    assert "study.claims.sure.dataset must be test for the audit calibration, which examines no other set" in done.err
    assert "use an audit that examines every set: accuracy, macro_f1." in done.err


def test_a_metric_that_the_task_has_not_is_refused_with_those_that_it_has(
    finished: Finished, tmp_path: Path, capsys: Capture
) -> None:
    done = command(capsys, "evaluate", *finished.at(tmp_path), "study.audits=[span_f1]")
    assert done.code == 2
    assert "classification is not measured by span_f1. Its metrics are accuracy, macro_f1." in done.err


def test_evaluate_on_a_cluster_is_refused_with_what_works(finished: Finished, far: Path, capsys: Capture) -> None:
    done = command(capsys, "evaluate", *finished.at(finished.root), *added(far), "executor=slurm")
    assert done.code == 2
    assert "without executor=slurm" in done.err
    assert "Traceback" not in done.err


def test_where_no_cell_is_finished_it_says_what_to_run(finished: Finished, tmp_path: Path, capsys: Capture) -> None:
    done = command(capsys, "evaluate", *finished.at(tmp_path / "none"))
    assert done.code == 2
    assert "No cell of small is finished" in done.err
    assert " study base=local" in done.err
