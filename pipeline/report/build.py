"""Writes a study's report: one HTML file, the same as Markdown, its main figure, and above 300 cells a CSV of them."""

import io
from collections.abc import Sequence
from pathlib import Path

from pipeline import files
from pipeline.config.privacy import Shown
from pipeline.records import CellResult, ClaimTable, Findings, to_json
from pipeline.report.about import About
from pipeline.report.cells import CSV_NAME, MOST_CELLS, cell_section, cells_csv
from pipeline.report.layout import Section
from pipeline.report.markdown import markdown_page
from pipeline.report.page import html_page
from pipeline.report.pages.errors import write_error_files
from pipeline.report.palette import Palette
from pipeline.report.sections import answers as sections_answers
from pipeline.report.sections import audits as sections_audits
from pipeline.report.sections import claims as sections_claims
from pipeline.report.sections import costs as sections_costs
from pipeline.report.sections import errors as sections_errors
from pipeline.report.sections import record as sections_record
from pipeline.report.sections import results as sections_results
from pipeline.report.sections import tuning as sections_tuning
from pipeline.study.finding.error_analysis import ErrorAnalysis
from pipeline.tasks import Example

CLAIMS_NAME = "claims.json"


def write_report(
    findings: Findings,
    cells: Sequence[CellResult],
    about: About,
    folder: Path,
    errors: ErrorAnalysis | None = None,
    examples: Sequence[Example] = (),
    shown: Shown = "none",
    claims: ClaimTable | None = None,
) -> Path:
    """Writes report.html, report.md, curves.png, errors.csv, errors.html and, above 300 cells, cells.csv.

    Each file is replaced in one step. The same input gives the same bytes.

    Args:
        errors: what the cells answered, item by item; without it there is no errors.csv.
        examples, shown: see `write_error_files`.
        claims: the table that opens the report of a study which judges the fourteen claims; claims.json holds it too.

    Returns:
        The path of report.html.

    Raises:
        StorageError: the folder cannot be written or the disk is full.
    """
    sections = report_sections(findings, cells, about, errors)
    palette = Palette.of(about.arms)
    top = sections_claims.claims(claims) if claims else None
    page = html_page(findings, sections, len(cells), palette, top)
    if len(cells) > MOST_CELLS:
        files.write_text(folder / CSV_NAME, cells_csv(findings, cells))
    else:
        files.remove(folder / CSV_NAME)
    if errors:
        write_error_files(findings, errors, palette, folder, examples, shown)
    if claims:
        files.write_text(folder / CLAIMS_NAME, to_json(claims))
    else:
        files.remove(folder / CLAIMS_NAME)
    save_png(findings, palette, folder / "curves.png")
    files.write_text(folder / "report.md", markdown_page(findings, sections, len(cells), top))
    files.write_text(folder / "report.html", page)
    return folder / "report.html"


def report_sections(
    findings: Findings, cells: Sequence[CellResult], about: About, errors: ErrorAnalysis | None = None
) -> tuple[Section, ...]:
    """The sections in the order they are read, after the verdict."""
    tuned, answered = sections_tuning.tuning(findings), sections_answers.answers(findings, cells)
    audited = sections_audits.audits(findings, cells)
    return (
        sections_results.headline(findings),
        sections_results.curves(findings),
        sections_results.multipliers(findings),
        sections_results.tracks(findings, cells),
        sections_costs.to_target(findings),
        sections_costs.early(findings),
        sections_costs.other_domains(findings),
        *((answered,) if answered else ()),
        *((audited,) if audited else ()),
        *((sections_errors.errors(findings, errors),) if errors else ()),
        sections_costs.costs(findings, about),
        *((tuned,) if tuned else ()),
        cell_section(findings, cells),
        sections_record.failed(findings),
        sections_record.fairness(findings),
        sections_record.seen(about),
        sections_record.limits(findings),
        sections_record.data(findings, about, cells),
        sections_record.recipes(findings, about),
        sections_record.repeat(findings, about),
    )


def save_png(findings: Findings, palette: Palette, path: Path) -> None:
    """Writes the learning curves as a PNG on white, two dots a pixel, for a README."""
    from pipeline.report.picture import main_figure
    from pipeline.report.svg import drawing_settings

    buffer = io.BytesIO()
    with drawing_settings():
        main_figure(findings, palette).savefig(buffer, format="png", dpi=144, metadata={"Software": None})
    files.write_bytes(path, buffer.getvalue())
