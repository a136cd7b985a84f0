"""The section on answers: calibration of each arm, and what is taken for what."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.records import AuditResult, CellResult
from pipeline.report.sections.answers import MOST_CLASSES, answers
from tests.report.synthetic_report import Study, make_study


def with_answers(cell: CellResult, classes: int) -> CellResult:
    """As the cell of a kind with so many classes leaves it: every third item of a class is taken for the next one."""
    matrix = 20 * np.eye(classes, dtype=int) + 10 * np.roll(np.eye(classes, dtype=int), 1, axis=1)
    audit = AuditResult(
        audit="calibration",
        version=1,
        items=1,
        columns=(),
        numbers={"calibration_error": 0.05 + 0.01 * cell.key.seed, "brier": 0.4},
        evaluation_id="a",
    )
    evaluations = tuple(replace(e, confusion=tuple(map(tuple, matrix.tolist()))) for e in cell.evaluations)
    labels = tuple(f"class {i}" for i in range(classes))
    return replace(cell, evaluations=evaluations, labels=labels, audits=(audit,))


@pytest.fixture
def study() -> Study:
    return make_study()


def test_a_study_without_classes_has_no_such_section(study: Study) -> None:
    assert answers(study.findings, study.cells) is None


def test_calibration_is_the_mean_over_seeds_with_its_range(study: Study) -> None:
    section = answers(study.findings, [with_answers(c, 2) for c in study.cells])
    assert section is not None
    table = section.tables[0]
    assert len(table.rows) == len(study.findings.arms) * len(study.findings.sizes)
    seeds = study.findings.seeds
    error = 5 + sum(seeds) / len(seeds)
    assert table.rows[0][2].text == f"{error:.1f}"
    assert table.rows[0][2].sub == f"{5 + min(seeds):.1f} to {5 + max(seeds):.1f}"


def test_of_few_classes_the_whole_matrix_is_shown_in_shares_of_the_true_class(study: Study) -> None:
    section = answers(study.findings, [with_answers(c, 3) for c in study.cells])
    assert section is not None
    matrix = section.tables[1]
    assert [[e.text for e in row[1:]] for row in matrix.rows] == [
        ["66.7%", "33.3%", "0.0%"], ["0.0%", "66.7%", "33.3%"], ["33.3%", "0.0%", "66.7%"],
    ]  # fmt: skip
    assert len(section.tables) == 1 + len(study.findings.arms)


def test_of_many_classes_the_pairs_confused_most_are_shown(study: Study) -> None:
    classes = MOST_CLASSES + 4
    section = answers(study.findings, [with_answers(c, classes) for c in study.cells])
    assert section is not None
    rows = section.tables[1].rows
    assert 1 < len(rows) <= 10
    assert {row[2].text for row in rows} == {"33.3%"}
    assert all((int(row[0].text[6:]) + 1) % classes == int(row[1].text[6:]) for row in rows)
