"""The table of cells: whole up to 300, above that a summary and a CSV."""

import csv
from dataclasses import replace
from pathlib import Path

from page_reading import Page
from synthetic_report import Study, make_cell, make_study, with_failure

from pipeline.report import write_report
from pipeline.report.cells import cell_section, cells_csv


def sized(cells: int) -> Study:
    """A study of so many cells, one arm and size."""
    made = make_study(arms=("scratch",), sizes=(100,), seeds=2)
    return replace(made, cells=tuple(make_cell("scratch", 100, seed) for seed in range(cells)))


def test_300_cells_are_shown_each() -> None:
    made = sized(300)
    assert len(cell_section(made.findings, made.cells).tables[0].rows) == 300


def test_301_cells_are_summed_up() -> None:
    made = sized(301)
    table = cell_section(made.findings, made.cells).tables[0]
    assert len(table.rows) == 1
    assert table.rows[0][2].text == "301"


def test_a_summary_gives_mean_lowest_and_highest() -> None:
    made = sized(303)
    shown = [e.text for e in cell_section(made.findings, made.cells).tables[0].rows[0]]
    assert shown[3:6] == ["60.6%", "60.3%", "60.9%"]


def test_ten_thousand_cells_stay_under_a_megabyte_with_a_csv_beside(tmp_path: Path) -> None:
    made = make_study(("pretrained", "lora", "frozen", "scratch"), (25, 100, 400, 1600, "all"), 500)
    assert len(made.cells) == 10_000
    path = write_report(made.findings, made.cells, made.about, tmp_path)
    assert path.stat().st_size < 1_000_000
    with open(tmp_path / "cells.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 10_000
    assert float(rows[0]["test"]) == made.cells[0].evaluations[0].metrics["accuracy"]
    assert "cells.csv" in Page(path.read_text("utf-8")).text


def test_a_csv_of_an_earlier_larger_run_does_not_stay(tmp_path: Path) -> None:
    made = make_study(arms=("scratch",), sizes=(100,), seeds=2)
    (tmp_path / "cells.csv").write_text("old")
    write_report(made.findings, made.cells, made.about, tmp_path)
    assert not (tmp_path / "cells.csv").exists()


def test_failed_cells_are_in_the_csv_with_their_reason() -> None:
    made = with_failure(make_study(arms=("scratch",), sizes=(100,), seeds=3), "=cmd|' /C calc'!A0")
    rows = list(csv.DictReader(cells_csv(made.findings, made.cells).splitlines()))
    assert [r["status"] for r in rows] == ["finished", "finished", "failed"]
    assert rows[-1]["ended_by"] == "'=cmd|' /C calc'!A0"
