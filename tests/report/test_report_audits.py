"""The section on audits, and the page of highlighted texts."""

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.audits import AUDITS
from pipeline.config.privacy import Shown
from pipeline.records import AuditResult, CellResult
from pipeline.report.pages.attributions import FEW, write_attributions
from pipeline.report.palette import Palette
from pipeline.report.sections.audits import ATTRIBUTIONS_PAGE, audits
from pipeline.study.finding.attributed import AttributedArm, AttributedText
from pipeline.tasks import Example
from tests.report.synthetic_report import Study, make_study

EXAMPLES = [Example(text=f"A <b>fine</b> film, number {i}", label="good") for i in range(40)]


@pytest.fixture
def study() -> Study:
    return make_study()


def examined(cell: CellResult) -> CellResult:
    """As an audit for bias leaves it, the more biased the higher the seed."""
    numbers = {
        "flips_between": 0.3 + 0.01 * cell.key.seed,
        "flips_within": 0.1,
        "excess_flips": 0.2,
        "excess_flips_gender": -0.05,
        "portuguese": 1.0,
    }
    audit = AuditResult(audit="bias", version=1, items=42, columns=(), numbers=numbers, evaluation_id="a")
    return replace(cell, audits=(audit,))


def test_without_such_audits_there_is_no_section(study: Study) -> None:
    assert audits(study.findings, study.cells) is None


def test_bias_is_the_mean_over_seeds_with_its_range_and_each_axis(study: Study) -> None:
    section = audits(study.findings, [examined(cell) for cell in study.cells])
    assert section is not None
    (table,) = section.tables
    assert table.header[2:] == ("between groups", "within a group", "excess", "excess, gender")
    assert "42 templates in Portuguese" in table.caption
    seeds = study.findings.seeds
    assert table.rows[0][2].text == f"{30 + sum(seeds) / len(seeds):.1f}"
    assert table.rows[0][2].sub == f"{30 + min(seeds):.1f} to {30 + max(seeds):.1f}"
    assert table.rows[0][5].text == "\N{MINUS SIGN}5.0"
    assert ATTRIBUTIONS_PAGE not in section.lead


def test_latency_is_shown_with_its_machine_and_energy_as_an_estimate(study: Study) -> None:
    numbers = {
        "milliseconds": 5.25,
        "p95_milliseconds": 1234.5,
        "texts_per_second": 678.9,
        "memory_bytes": 9e8,
        "weight_bytes": 9e7,
        "joules_estimated": 0.0321,
    }
    audit = AuditResult(audit="latency", version=1, items=176, columns=(), numbers=numbers, evaluation_id="a")
    section = audits(study.findings, [replace(cell, audits=(audit,)) for cell in study.cells])
    assert section is not None
    (table,) = section.tables
    assert [entry.text for entry in table.rows[0][2:]] == ["5.25", "1,234", "679", "900 MB", "90.0 MB", "32.1"]
    assert "176 test texts" in table.caption
    assert "measured on this machine with one thread" in table.caption
    assert "Energy is an estimate: 12 W" in table.caption


def test_storage_has_bytes_and_scores_in_8_bits_and_in_4(study: Study) -> None:
    rounded = {"storage": (8, 11e3, 0.9), "storage_4bit": (4, 6e3, 0.845)}
    found = [
        AuditResult(
            audit=name,
            version=1,
            items=300,
            columns=(),
            numbers={
                "stored_bytes": 40e3,
                f"stored_bytes_{bits}bit": size,
                "score": 0.91,
                f"score_{bits}bit": score,
                "changed": 0.02,
            },
            evaluation_id=name,
        )
        for name, (bits, size, score) in rounded.items()
    ]
    section = audits(study.findings, [replace(cell, audits=tuple(found)) for cell in study.cells])
    assert section is not None
    eight, four = section.tables
    assert "rounded to 8 bits" in eight.caption
    assert "rounded to 4 bits" in four.caption
    assert four.header[2:] == ("bytes", "bytes in 4 bits", "score", "score in 4 bits", "answers changed")
    assert [entry.text for entry in eight.rows[0][2:]] == ["40.0 kB", "11.0 kB", "91.0", "90.0", "2.0"]
    assert [entry.text for entry in four.rows[0][2:]] == ["40.0 kB", "6.0 kB", "91.0", "84.5", "2.0"]


def test_decay_has_the_scores_at_both_ends_and_what_lies_between(study: Study) -> None:
    numbers = {"fall": 0.03, "score_first": 0.9, "score_last": 0.84, "years": 2.0}
    found = [
        AuditResult(audit=name, version=1, items=300, columns=(), numbers=numbers, evaluation_id=name)
        for name in ("decay", "new_words")
    ]
    section = audits(study.findings, [replace(cell, audits=tuple(found)) for cell in study.cells])
    assert section is not None
    by_time, by_words = section.tables
    assert by_time.header[2:] == ("score of the first", "score of the last", "fall per year")
    assert by_words.header[2:] == ("score with the fewest", "score with the most", "fall per tenth")
    assert [entry.text for entry in by_time.rows[0][2:]] == ["90.0", "84.0", "3.0"]


def page(study: Study, folder: Path, shown: Shown, examples: list[Example]) -> str:
    """The page of one arm whose answers rest on the second chunk; empty where there is none."""
    texts = tuple(
        AttributedText(row=row, answer=1, faithfulness=0.9, chunks=(0.1, 0.8, -0.4, 0.0, 0.0)) for row in range(40)
    )
    arm = AttributedArm(arm="pretrained", size=100, seed=0, texts=texts)
    palette = Palette.of(study.about.arms)
    write_attributions(study.findings, (arm,), ("bad", "good"), palette, folder, examples, shown)
    path = folder / ATTRIBUTIONS_PAGE
    return path.read_text(encoding="utf-8") if path.exists() else ""


def test_a_dozen_texts_are_shown_with_what_speaks_for_the_answer_and_against(study: Study, tmp_path: Path) -> None:
    text = page(study, tmp_path, "few", EXAMPLES)
    assert text.count("<h2>Text ") == FEW
    assert '<span class="for most" style="--w:70%">&lt;b&gt;fine&lt;/b&gt;</span>' in text
    assert '<span class="against" style="--w:35%">film,</span>' in text
    assert "<b>fine" not in text


def test_where_texts_must_not_be_shown_an_earlier_page_goes(study: Study, tmp_path: Path) -> None:
    assert page(study, tmp_path, "all", EXAMPLES)
    assert page(study, tmp_path, "none", EXAMPLES) == ""
    assert page(study, tmp_path, "few", []) == ""


def test_every_audit_says_what_claims_compare_in_words_that_can_stand_in_a_sentence() -> None:
    own = [each.measure.called for each in AUDITS.values() if each.measure.metric is None]
    assert all(words[0].islower() or words.startswith("Brier") for words in own)
