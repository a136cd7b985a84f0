"""`headstart claims`: one study and one table of fourteen rows, in terminal, report, claims.json and dashboard."""

import json
import sqlite3
from pathlib import Path

import pytest
from claims_kit import given
from command_kit import command

from pipeline.cli import main
from pipeline.commands.claims import settings_for
from pipeline.records import ClaimRow, ClaimTable, Estimate, from_json
from pipeline.study.fourteen_claims import FOURTEEN
from tests import tiny
from tests.tiny import reviews, tiny_base
from tests.tiny_kinds import settings, table

__all__ = ["reviews", "table", "tiny_base"]

Capture = pytest.CaptureFixture[str]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
MISUSED = "+study.claims.unsure={family: misuse, metric: audit, audit: calibration, delta: 0.02}"


@pytest.fixture(scope="module")
def root(tiny_base: Path, reviews: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("claims")
    elsewhere = tiny.write_csv(folder / "elsewhere.csv", tiny.rows(60, seed=7))
    sets = [
        f"+task.out_of_domain.{name}={{path: '{elsewhere}', text: review, label: stars{language}}}"
        for name, language in (("shop", ""), ("loja", ", language: pt"))
    ]
    asked = given(tiny_base, reviews, folder / "out", *sets, MISUSED, "study.target=0.5", "tracking=local")
    assert main(["claims", *asked]) == 0
    return folder / "out"


@pytest.fixture(scope="module")
def claims(root: Path) -> ClaimTable:
    path = root / "studies" / "tiny_claims" / "claims.json"
    return from_json(ClaimTable, path.read_text(encoding="utf-8"), str(path))


def rows(claims: ClaimTable) -> dict[str, ClaimRow]:
    return {row.claim: row for row in claims.rows}


def estimate_of(row: ClaimRow) -> Estimate:
    assert row.estimate is not None
    return row.estimate


def test_there_are_fourteen_rows_each_judged_or_with_a_reason(claims: ClaimTable) -> None:
    assert [row.claim for row in claims.rows] == [claim.name for claim in FOURTEEN]
    assert [row.side for row in claims.rows].count("advantage") == 7
    for row in claims.rows:
        assert all((row.measured, row.would_change)), row.claim
        judged = row.verdict != "not_judged"
        assert (row.estimate is not None, bool(row.number)) == (judged, judged), row.claim
        assert row.link.startswith("report.html#") == judged, row.claim
    unjudged = {row.claim for row in claims.rows if row.verdict == "not_judged"}
    assert unjudged == {"obsolescence"}
    assert claims.judged == 13
    assert claims.wrong_by_chance == pytest.approx(0.05 * 13)


def test_a_row_rests_on_the_findings_of_its_family_at_the_level_of_a_single_question(
    root: Path, claims: ClaimTable
) -> None:
    folder = root / "studies" / "tiny_claims"
    found = {v["claim"]: v for v in json.loads((folder / "findings.json").read_text(encoding="utf-8"))["verdicts"]}
    for row in claims.rows:
        if row.claims:
            (name,) = row.claims
            assert estimate_of(row).value == found[name]["estimate"]["value"]
            assert found[name]["level"] == pytest.approx(0.95)
            assert row.verdict == found[name]["verdict"]
    assert (found["generalisation"]["dataset"], found["transfer"]["dataset"]) == ("shop", "loja")


def test_time_and_memory_are_shares_of_an_ordinary_machine(claims: ClaimTable) -> None:
    demanding, useful = rows(claims)["infrastructure"], rows(claims)["democratisation"]
    share = estimate_of(demanding)
    assert 0 < share.low <= share.value < 1
    assert share.level == pytest.approx(1 - 0.05 / 3), "time, memory and answers share the row's error"
    assert estimate_of(useful).level == pytest.approx(1 - 0.05 / 3)
    assert "target 50.0%" in useful.number
    assert " MB of 4 GB" in demanding.measured
    assert " ms of 100 ms" in demanding.measured


def test_storage_names_the_bytes_that_each_arm_keeps(claims: ClaimTable) -> None:
    assert "Kept for a task: " in rows(claims)["storage"].measured
    assert " kB for lora" in rows(claims)["storage"].measured


def test_only_cells_that_claims_read_were_trained(root: Path) -> None:
    findings = json.loads((root / "studies" / "tiny_claims" / "findings.json").read_text(encoding="utf-8"))
    groups = {name.rsplit(" ", 1)[0] for name in findings["cells"]}
    arms = ("pretrained", "frozen", "lora", "bag_of_words", "scratch")
    assert groups == {"pretrained n=16", *(f"{arm} n=32" for arm in arms)}


def test_report_and_dashboard_show_all_rows(root: Path, claims: ClaimTable) -> None:
    folder = root / "studies" / "tiny_claims"
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert page.index('id="claims"') < page.index('class="verdicts"')
    text = (folder / "report.md").read_text(encoding="utf-8")
    for claim in FOURTEEN:
        assert claim.title in text
        assert claim.title in page
    with sqlite3.connect(root / "tracking" / "mlflow.db") as store:
        metrics = dict(store.execute("select key, value from latest_metrics where key like 'claim/%'"))
    codes = {"supported": 1.0, "refuted": -1.0}
    assert metrics == {f"claim/{row.claim}": codes.get(row.verdict, 0.0) for row in claims.rows}


def test_the_terminal_shows_all_rows_again_without_training(
    root: Path, tiny_base: Path, reviews: Path, capsys: Capture
) -> None:
    elsewhere = root.parent / "elsewhere.csv"
    sets = [
        f"+task.out_of_domain.{name}={{path: '{elsewhere}', text: review, label: stars{language}}}"
        for name, language in (("shop", ""), ("loja", ", language: pt"))
    ]
    asked = given(tiny_base, reviews, root, *sets, MISUSED, "study.target=0.5")
    done = command(capsys, "report", *settings_for(asked))
    said = " ".join(done.out.split())
    assert done.code == 0, done.err
    assert "The fourteen claims about pretrained models, for tiny on" in said
    assert "13 rows of 14 are judged. Each row is a question of its own at 95%" in said
    assert "So up to 0.65 of 13 verdicts may be wrong by chance on average" in said


def test_a_kind_without_a_linear_classifier_has_the_rows_that_it_allows(
    tiny_base: Path, table: Path, tmp_path: Path, capsys: Capture
) -> None:
    kind = [o for o in given(tiny_base, table, tmp_path) if not o.startswith(("task=", "task.data.label="))]
    done = command(capsys, "claims", *settings("masked_language_modelling"), *kind)
    assert done.code == 0, done.err
    path = tmp_path / "studies" / "tiny_claims" / "claims.json"
    found = rows(from_json(ClaimTable, path.read_text(encoding="utf-8"), str(path)))
    unjudged = {name: row.measured for name, row in found.items() if row.verdict == "not_judged"}
    assert "another language" in unjudged["transfer"]
    assert "another source" in unjudged["generalisation"]
    assert "study.target" in unjudged["democratisation"]
    assert found["initial_accuracy"].measured.startswith("Before training pretrained scores")
    assert len(unjudged) >= 6
