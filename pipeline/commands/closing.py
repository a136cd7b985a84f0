"""From finished cells to findings, report and record; what `study`, `train` and `report` share at their end."""

import datetime
import shlex
from collections.abc import Sequence
from pathlib import Path

from pipeline.config.redaction import without_secrets
from pipeline.config.schema import Arm
from pipeline.data.prepare import data_report
from pipeline.files import write_text
from pipeline.hardware.machine import describe
from pipeline.records import CellResult, FailedCell, Findings, to_json
from pipeline.report.about import About, BaseFacts
from pipeline.report.build import write_report
from pipeline.study.find import find
from pipeline.study.plan import Plan


def findings_of(plan: Plan, failed: Sequence[FailedCell]) -> Findings:
    """The findings of every finished cell of the plan, written to `findings.json`."""
    cells = _results(plan)
    found = find(
        plan.config.study, cells, plan.store.scores, base=plan.config.base, task=plan.config.task, failed=failed
    )
    path = plan.folder / "findings.json"
    text = to_json(found)
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        write_text(path, text)
    return found


def report_of(plan: Plan, findings: Findings, command: Sequence[str]) -> Path:
    """Write the study's report; returns the path of report.html."""
    return write_report(findings, _results(plan), about_of(plan, command), plan.folder)


def about_of(plan: Plan, command: Sequence[str]) -> About:
    """What the report says beyond the findings. Values of secret settings in `command` are masked."""
    cells = _results(plan)
    newest = max((c.measured.finished_at for c in cells), default=0.0)
    return About(
        base=BaseFacts.of(plan.config.base),
        task=plan.config.task.name,
        data_licence=plan.config.task.data.licence,
        data_upstream=plan.config.task.data.upstream,
        data_report=data_report(plan.root, plan.config.task, plan.data_fingerprint, plan.located.tokenizer),
        arms=_arms(plan),
        command=shlex.join(["python", "-m", "pipeline", *without_secrets(command)]),
        versions=cells[0].start_line.versions if cells else {},
        machine=describe(),
        precision=plan.hardware.precision,
        concurrency=plan.hardware.workers,
        created=datetime.datetime.fromtimestamp(newest, datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
    )


def _arms(plan: Plan) -> tuple[Arm, ...]:
    import dataclasses

    found = {cell.arm.name: dataclasses.replace(cell.arm, recipe=cell.recipe) for cell in plan.cells.values()}
    return tuple(found.values())


def _results(plan: Plan) -> list[CellResult]:
    return [plan.store.result(name) for name in plan.cells if plan.store.has(name)]
