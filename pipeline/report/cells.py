"""The table of cells: whole up to 300 cells, above that a summary here and all of them in a CSV beside the report."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence

from pipeline.language import nouns, numeral, tr, translated
from pipeline.records import CellResult, Findings
from pipeline.report.layout import Column, Entry, Section, Table, arm_entry, size_entry, table
from pipeline.report.wording import count, duration, flops, metric_name, plain, scale_of, size_name, spreadsheet_field

MOST_CELLS = 300
CSV_NAME = "cells.csv"


def cell_section(findings: Findings, cells: Sequence[CellResult]) -> Section:
    """Every cell, or a summary per arm and size."""
    if not cells:
        return Section(anchor="cells", title=tr("Cells"), lead=tr("No cell has finished."))
    whole = len(cells) <= MOST_CELLS
    table = _whole_table(findings, _sorted(findings, cells)) if whole else _summary_table(findings, cells)
    many, lead = count(len(cells)), ""
    if not whole:
        lead = tr(
            "A summary of {number} cells; each of them is in {file} beside this report.", number=many, file=CSV_NAME
        )
    return Section(anchor="cells", title=tr("Cells"), lead=lead, tables=(table,))


def _sorted(findings: Findings, cells: Sequence[CellResult]) -> list[CellResult]:
    arms = {arm: i for i, arm in enumerate(findings.arms)}
    return sorted(cells, key=lambda c: (arms.get(c.key.arm, len(arms)), c.train_items, c.key.seed, c.cell_id))


def _test_sets(cells: Sequence[CellResult]) -> list[str]:
    first = cells[0].evaluations
    ordered = sorted(first, key=lambda e: e.role != "in_domain")
    return [e.dataset for e in ordered if e.role in ("in_domain", "out_of_domain")]


def _score(cell: CellResult, dataset: str) -> float:
    scores = [e.metrics.get(cell.metric, float("nan")) for e in cell.evaluations if e.dataset == dataset]
    return scores[0] if scores else float("nan")


def _whole_table(findings: Findings, cells: Sequence[CellResult]) -> Table:
    scale = scale_of(findings.metric)

    def scored(name: str) -> Column[CellResult]:
        return Column(plain(translated(name), 30), lambda c: scale.score(_score(c, name)))

    columns: list[Column[CellResult]] = [
        Column(tr("cell"), lambda c: plain(c.cell_id)[:12], words=True),
        Column(tr("arm"), lambda c: arm_entry(c.key.arm), words=True),
        Column(tr("ended by"), lambda c: translated(plain(c.stopped_by, 30).replace("_", " ")), words=True),
        Column(nouns(findings.counted), lambda c: size_name(c.key.size)),
        Column(tr("seed"), lambda c: str(c.key.seed)),
        *map(scored, _test_sets(cells)),
        Column(tr("best step"), lambda c: Entry(numeral(c.best_step, ","), tr("of {number:,}", number=c.cost.steps))),
        Column(tr("computation"), lambda c: flops(c.cost.flops)),
        Column(tr("time"), lambda c: duration(c.measured.seconds)),
    ]
    caption = tr("The best step is the one with the best validation score; its weights are the ones tested.")
    return table(cells, columns, caption=caption, inline=True, tall=len(cells) > 20)


def _summary_table(findings: Findings, cells: Sequence[CellResult]) -> Table:
    show, test = scale_of(findings.metric).score, (_test_sets(cells) or ["test"])[0]
    groups: dict[tuple[str, int | str], list[CellResult]] = {}
    for cell in cells:
        groups.setdefault((cell.key.arm, cell.key.size), []).append(cell)
    order = [(a, s) for a in findings.arms for s in findings.sizes if (a, s) in groups]
    sizes = {s: size_entry(findings, s) for s in findings.sizes}
    rows = [(arm_entry(arm), sizes[size], *_summary(show, test, groups[arm, size])) for arm, size in order]
    header = (
        *(tr("arm"), nouns(findings.counted), nouns("cell")),
        *(tr("mean"), tr("lowest"), tr("highest"), tr("computation"), tr("time")),
    )
    metric = metric_name(findings.metric)
    caption = tr(
        "Cells by arm and size; {metric} on {dataset}; computation and time are totals.",
        metric=metric,
        dataset=plain(translated(test), 40),
    )
    return Table(caption=caption, header=header, rows=tuple(rows))


def _summary(show: Callable[[float], str], test: str, cells: Sequence[CellResult]) -> Iterable[Entry]:
    scores = [_score(c, test) for c in cells]
    yield Entry(count(len(cells)))
    yield from (Entry(show(x)) for x in (sum(scores) / len(scores), min(scores), max(scores)))
    yield Entry(flops(sum(c.cost.flops for c in cells)))
    yield Entry(duration(sum(c.measured.seconds for c in cells)))


def cells_csv(findings: Findings, cells: Sequence[CellResult]) -> str:
    """Every cell, finished or failed, one a line, in plain numbers (scores as shares, seconds, bytes)."""
    sets = _test_sets(cells) if cells else []
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    fixed = ("cell_id", "arm", "size", "seed", "train_items", "status", "ended_by", "best_step", "steps", "examples")
    writer.writerow([*fixed, "flops", "seconds", "peak_memory_bytes", *map(spreadsheet_field, sets)])
    writer.writerows(_csv_row(c, sets) for c in _sorted(findings, cells))
    for f in findings.failed:
        writer.writerow([spreadsheet_field(str(x)) for x in (f.cell_id, f.arm, f.size, f.seed, "", "failed", f.reason)])
    return buffer.getvalue()


def _csv_row(c: CellResult, sets: Sequence[str]) -> list[str | int | float]:
    words: list[str | int | float] = [
        spreadsheet_field(c.cell_id),
        spreadsheet_field(c.key.arm),
        spreadsheet_field(str(c.key.size)),
        c.key.seed,
    ]
    steps = [c.best_step, c.cost.steps, c.cost.examples]
    costs = [c.cost.flops, c.measured.seconds, c.measured.peak_memory_bytes]
    return [
        *words,
        c.train_items,
        "finished",
        spreadsheet_field(c.stopped_by),
        *steps,
        *costs,
        *[_score(c, s) for s in sets],
    ]
