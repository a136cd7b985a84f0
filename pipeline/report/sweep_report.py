"""Writes a sweep's report: one HTML file, the same as Markdown, and a CSV of its trials."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline import files
from pipeline.config.schema import Arm
from pipeline.records import SweepRecord, TrialRecord
from pipeline.report.figures import sweep_progress, sweep_settings
from pipeline.report.figures.panel import Panel
from pipeline.report.layout import Entry, Section, Table, cut
from pipeline.report.markdown import plain_page
from pipeline.report.page import Head, render
from pipeline.report.palette import Palette
from pipeline.report.wording import MISSING, count, plural, scale_of

_SHOWN = 50  # trials in the table; the CSV has them all


def write_sweep_report(record: SweepRecord, arm: Arm, question: str, command: str, folder: Path) -> Path:
    """Writes report.html, report.md and trials.csv into `folder`; the path of report.html.

    Args:
        arm: the one that was searched.
        command: what runs the sweep again.

    Raises:
        StorageError: the folder cannot be written or the disk is full.
    """
    head = Head(
        kind="sweep",
        name=record.name,
        question=question,
        intro=_intro(record),
        verdicts=(),
        answer=answer(record),
        palette=Palette.of([arm]),
    )
    sections = [s for s in _sections(record, command) if s is not None]
    files.write_text(folder / "trials.csv", trials_csv(record))
    files.write_text(folder / "report.md", plain_page(head, sections))
    files.write_text(folder / "report.html", render(head, sections))
    return folder / "report.html"


def answer(record: SweepRecord) -> str:
    """What was best, in one sentence."""
    if not record.best:
        return f"None of {plural(len(record.trials), 'trial')} has a result that counts."
    best = record.trial(record.best[0])
    came_to = ", ".join(f"{o} {_value(record, o, v)}" for o, v in zip(record.objectives, best.values, strict=True))
    front = f" {len(record.best)} trials stand on the Pareto front." if len(record.best) > 1 else ""
    return f"Best on validation: trial {best.number} with {came_to}: {record.overrides}.{front}"


def _intro(record: SweepRecord) -> str:
    states = [t.state for t in record.trials]
    counts = ", ".join(f"{count(states.count(s))} {s}" for s in ("complete", "pruned", "failed") if s in states)
    seeds = "seed" if len(record.seeds) == 1 else "seeds"
    return (
        f"task {record.task} · arm {record.arm} · n={record.size} · {seeds} {', '.join(map(str, record.seeds))} · "
        f"{len(states)} of {record.asked} trials ({counts}) · sampler {record.sampler} · pruner {record.pruner}"
    )


def _sections(record: SweepRecord, command: str) -> list[Section | None]:
    if not sweep_progress.complete(record):
        return [_trials(record), _repeat(command)]
    return [
        _figure("history", "History", [sweep_progress.history(record)], _HISTORY),
        _figure("importances", "What made the difference", [sweep_settings.importances(record)], _IMPORTANCES),
        _figure("slices", "Each setting", sweep_settings.slices(record), _SLICES),
        _figure("parallel", "Settings side by side", [sweep_settings.parallel(record)], _PARALLEL),
        _figure("reports", "On the way", [sweep_progress.reports(record)], _REPORTS),
        _trials(record),
        _repeat(command),
    ]


_HISTORY = "Dots are trials, the line is the best until then; at the foot, strokes were pruned and crosses failed."
_IMPORTANCES = (
    "Shares of what distinguishes the better trials from all (PED-ANOVA). With few trials they are rough, and they say "
    "nothing of settings outside the space."
)
_SLICES = (
    "Dots are trials, the best filled. A trend here may come from another setting that was searched along with it."
)
_PARALLEL = "A line is a trial, the best bold; the last axis is what it came to."
_REPORTS = "Validation during training, as the pruner saw it; grey paths that end in a cross were given up there."


def _figure(anchor: str, title: str, panels: Sequence[Panel | None], caption: str) -> Section | None:
    there = tuple(p for p in panels if p is not None)
    return Section(anchor=anchor, title=title, panels=there, caption=caption) if there else None


def _trials(record: SweepRecord) -> Section:
    names = sweep_settings.settings(record) or list(dict.fromkeys(n for t in record.trials for n in t.params))
    ranked = record.ranked()
    rows = tuple(_row(record, t, names) for t in ranked[:_SHOWN])
    more = f" {_SHOWN} of {len(ranked)} are shown; trials.csv beside this file has all." if len(ranked) > _SHOWN else ""
    failed = cut([f"Trial {t.number} failed: {t.reason}" for t in record.trials if t.reason], 10)
    header = ("trial", "state", *record.objectives, *names)
    table = Table(caption=f"Best first. Values are on validation.{more}", header=header, rows=rows, names=2, tall=True)
    return Section(anchor="trials", title="Trials", tables=(table,), bullets=failed)


def _row(record: SweepRecord, trial: TrialRecord, names: Sequence[str]) -> tuple[Entry, ...]:
    state = trial.state if trial.feasible else "over a constraint"
    best = trial.number in record.best
    values = [_value(record, o, v) for o, v in zip(record.objectives, trial.values, strict=False)]
    values += [MISSING] * (len(record.objectives) - len(values))
    settings = [_setting(trial.params.get(n)) for n in names]
    return (Entry(str(trial.number), strong=best), Entry(state), *(Entry(t, strong=best) for t in [*values, *settings]))


def _value(record: SweepRecord, objective: str, value: float) -> str:
    return scale_of(record.metric).score(value) if objective == "score" else f"{value:.4g}"


def _setting(value: Any) -> str:
    if value is None:
        return MISSING
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _repeat(command: str) -> Section:
    return Section(
        anchor="repeat",
        title="Run it again",
        lead="The same command goes on where the sweep stopped; with a larger sweep.trials it adds the rest.",
        code=command,
    )


def trials_csv(record: SweepRecord) -> str:
    """All trials, one line each."""
    names = list(dict.fromkeys(n for t in record.trials for n in t.params))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["trial", "state", "feasible", *record.objectives, *names, "cells", "reason"])
    for t in record.trials:
        values = [*t.values, *[""] * (len(record.objectives) - len(t.values))]
        row = [t.number, t.state, t.feasible, *values, *(t.params.get(n, "") for n in names)]
        writer.writerow([*row, " ".join(t.cells), t.reason])
    return text.getvalue()
