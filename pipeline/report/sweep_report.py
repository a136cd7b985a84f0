"""Writes a sweep's report: one HTML file, the same as Markdown, and a CSV of its trials."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline import files
from pipeline.config.schema import Arm
from pipeline.language import marked, nouns, numeral, tr, translated
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
        kind=tr("Headstart sweep"),
        name=record.name,
        question=translated(question),
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
        return tr("None of {trials} has a result that counts.", trials=plural(len(record.trials), "trial"))
    best = record.trial(record.best[0])
    came_to = ", ".join(
        f"{translated(o)} {_value(record, o, v)}" for o, v in zip(record.objectives, best.values, strict=True)
    )
    front = tr(" {number} trials stand on the Pareto front.", number=len(record.best)) if len(record.best) > 1 else ""
    return tr(
        "Best on validation: trial {number} with {values}: {settings}.{front}",
        number=best.number,
        values=came_to,
        settings=record.overrides,
        front=front,
    )


def _intro(record: SweepRecord) -> str:
    states = [t.state for t in record.trials]
    counts = ", ".join(tr(form, number=count(states.count(s))) for s, form in _COUNTED.items() if s in states)
    return tr(
        "task {task} · arm {arm} · n={size} · {seeds} · "
        "{number} of {asked} trials ({states}) · sampler {sampler} · pruner {pruner}",
        task=record.task,
        arm=record.arm,
        size=translated(str(record.size)),
        seeds=f"{nouns('seed', len(record.seeds))} {', '.join(map(str, record.seeds))}",
        number=len(states),
        asked=record.asked,
        states=counts,
        sampler=record.sampler,
        pruner=record.pruner,
    )


def _sections(record: SweepRecord, command: str) -> list[Section | None]:
    if not sweep_progress.complete(record):
        return [_trials(record), _repeat(command)]
    return [
        _figure("history", tr("History"), [sweep_progress.history(record)], _HISTORY),
        _figure("importances", tr("What made the difference"), [sweep_settings.importances(record)], _IMPORTANCES),
        _figure("slices", tr("Each setting"), sweep_settings.slices(record), _SLICES),
        _figure("parallel", tr("Settings side by side"), [sweep_settings.parallel(record)], _PARALLEL),
        _figure("reports", tr("On the way"), [sweep_progress.reports(record)], _REPORTS),
        _trials(record),
        _repeat(command),
    ]


_COUNTED = {
    "complete": marked("{number} complete"),
    "pruned": marked("{number} pruned"),
    "failed": marked("{number} failed"),
}
_HISTORY = marked(
    "Dots are trials, the line is the best until then; at the foot, strokes were pruned and crosses failed."
)
_IMPORTANCES = marked(
    "Shares of what distinguishes the better trials from all (PED-ANOVA). With few trials they are rough, and they say "
    "nothing of settings outside the space."
)
_SLICES = marked(
    "Dots are trials, the best filled. A trend here may come from another setting that was searched along with it."
)
_PARALLEL = marked("A line is a trial, the best bold; the last axis is what it came to.")
_REPORTS = marked(
    "Validation during training, as the pruner saw it; grey paths that end in a cross were given up there."
)


def _figure(anchor: str, title: str, panels: Sequence[Panel | None], caption: str) -> Section | None:
    there = tuple(p for p in panels if p is not None)
    return Section(anchor=anchor, title=title, panels=there, caption=translated(caption)) if there else None


def _trials(record: SweepRecord) -> Section:
    names = sweep_settings.settings(record) or list(dict.fromkeys(n for t in record.trials for n in t.params))
    ranked = record.ranked()
    rows = tuple(_row(record, t, names) for t in ranked[:_SHOWN])
    more = (
        tr(" {shown} of {all} are shown; trials.csv beside this file has all.", shown=_SHOWN, all=len(ranked))
        if len(ranked) > _SHOWN
        else ""
    )
    failed = cut(
        [tr("Trial {number} failed: {reason}", number=t.number, reason=t.reason) for t in record.trials if t.reason], 10
    )
    header = (nouns("trial", 1), tr("state"), *map(translated, record.objectives), *names)
    table = Table(
        caption=tr("Best first. Values are on validation.{more}", more=more),
        header=header,
        rows=rows,
        names=2,
        tall=True,
    )
    return Section(anchor="trials", title=tr("Trials"), tables=(table,), bullets=failed)


def _row(record: SweepRecord, trial: TrialRecord, names: Sequence[str]) -> tuple[Entry, ...]:
    state = translated(trial.state) if trial.feasible else tr("over a constraint")
    best = trial.number in record.best
    values = [_value(record, o, v) for o, v in zip(record.objectives, trial.values, strict=False)]
    values += [MISSING] * (len(record.objectives) - len(values))
    settings = [_setting(trial.params.get(n)) for n in names]
    return (Entry(str(trial.number), strong=best), Entry(state), *(Entry(t, strong=best) for t in [*values, *settings]))


def _value(record: SweepRecord, objective: str, value: float) -> str:
    return scale_of(record.metric).score(value) if objective == "score" else numeral(value, ".4g")


def _setting(value: Any) -> str:
    if value is None:
        return MISSING
    return numeral(value, ".3g") if isinstance(value, float) else str(value)


def _repeat(command: str) -> Section:
    return Section(
        anchor="repeat",
        title=tr("Run it again"),
        lead=tr("The same command goes on where the sweep stopped; with a larger sweep.trials it adds the rest."),
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
