"""From finished cells to findings and report: what `study` and `report` share at their end."""

import contextlib
import dataclasses
import datetime
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.config.privacy import texts_shown
from pipeline.config.redaction import without_secrets
from pipeline.config.schema import Base
from pipeline.config.search_path import program
from pipeline.data.store import stored_examples
from pipeline.errors import DataError
from pipeline.files import write_text
from pipeline.hardware.machine import describe
from pipeline.language import in_language
from pipeline.records import CellResult, ClaimTable, FailedCell, Findings, to_json
from pipeline.report.about import About, BaseFacts
from pipeline.report.build import write_report
from pipeline.report.claim_table import claim_table
from pipeline.report.pages.attributions import write_attributions
from pipeline.report.palette import Palette
from pipeline.study.finding.attributed import attributed
from pipeline.study.finding.error_analysis import analyse_errors
from pipeline.study.finding.findings import Basis, find
from pipeline.study.plan import Plan
from pipeline.study.pretraining import pretrained
from pipeline.study.stated import Stated
from pipeline.study.taken_looks import kept, take
from pipeline.study.verdicts.claims import NOTHING_BEFORE, Standing
from pipeline.tasks import TaskKind, kind
from pipeline.tracking.spool import StudyLog


def write_findings(
    plan: Plan, cells: Sequence[CellResult], failed: Sequence[FailedCell], stated: Stated | None = None
) -> Findings:
    """The findings of the finished cells, written to `findings.json` where they are new, beside the looks they took.

    Args:
        stated: what the study set out to judge; None for a training outside a study.
    """
    findings = find(basis_of(plan, failed, stated), cells, plan.store)
    if stated:
        take(plan, findings.verdicts)
    path, text = plan.folder / "findings.json", to_json(findings)
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        write_text(path, text)
    return findings


def basis_of(plan: Plan, failed: Sequence[FailedCell], stated: Stated | None) -> Basis:
    """What the plan's findings rest on beside its cells."""
    config = plan.config
    return Basis(
        study=config.study,
        base=config.base,
        others=_other_bases(plan),
        task=config.task,
        from_scratch=plan.from_scratch,
        failed=tuple(failed),
        tuned=plan.tuned,
        pretrained=pretrained(plan),
        standing=_standing(plan, stated) if stated else NOTHING_BEFORE,
        own_files=plan.own_files,
        partial=plan.coverage(*plan.cells).sentences(),
    )


def _standing(plan: Plan, stated: Stated) -> Standing:
    return Standing(
        kept=kept(plan),
        after_looking=stated.after_looking(),
        costs_after_looking={
            "democratisation": stated.costs_after_looking(target=True),
            "infrastructure": stated.costs_after_looking(target=False),
        },
        notes=stated.notes(),
        ended_by=plan.ended_by,
    )


@contextlib.contextmanager
def recorded(log: StudyLog) -> Iterator[None]:
    """What ends the block badly ends the study's record too: failed for an error, killed for a signal."""
    try:
        yield
    except Exception as error:
        log.failed(str(error), quotes=isinstance(error, DataError))
        raise
    except BaseException:
        log.killed()
        raise


def claims_of(plan: Plan, cells: Sequence[CellResult], findings: Findings) -> ClaimTable | None:
    """The table of the fourteen claims, for a study that judges any of them."""
    with in_language(plan.config.report.language):
        return claim_table(basis_of(plan, findings.failed, None), cells, plan.store, findings)


def report_on(
    plan: Plan,
    cells: Sequence[CellResult],
    findings: Findings,
    command: Sequence[str],
    claims: ClaimTable | None = None,
) -> Path:
    """Write the study's report, and the test items that arms get wrong beside it; the path of report.html."""
    errors, shown = analyse_errors(plan.config.study, cells, plan.store), texts_shown(plan.config)
    prepared = plan.prepared() if shown != "none" else None
    examples = stored_examples(prepared, "test") if prepared else ()
    facts, arms = about(plan, cells, command), attributed(plan.config.study, cells, plan.store)
    labels = cells[0].labels if cells else ()
    with in_language(plan.config.report.language):
        write_attributions(findings, arms, labels, Palette.of(facts.arms), plan.folder, examples, shown)
        return write_report(findings, cells, facts, plan.folder, errors, examples, shown, claims)


def about(plan: Plan, cells: Sequence[CellResult], command: Sequence[str]) -> About:
    """What the report says beyond the findings; secret settings in `command` are masked."""
    task, prepared = plan.config.task, plan.prepared()
    newest = max((c.measured.finished_at for c in cells), default=0.0)
    arms = {c.arm.name: dataclasses.replace(c.arm, recipe=c.recipe) for c in plan.cells.values()}
    return About(
        base=BaseFacts.of(plan.config.base),
        others=tuple(BaseFacts.of(base) for base in _other_bases(plan)),
        task=task.name,
        pipeline=kind(task.kind).pipeline,
        paired=len(kind(task.kind).parts) > 1,
        joined=_joined(kind(task.kind)),
        several=kind(task.kind).target == "labels" and kind(task.kind).linear is not None,
        data_licence=task.data.licence,
        data_upstream=task.data.upstream,
        data_report=prepared.report.sentences if prepared else (),
        arms=tuple(arms.values()),
        command=shlex.join(["python", "-m", "pipeline", *without_secrets(command)]),
        versions=cells[0].start_line.versions if cells else {},
        machine=describe(),
        precision=plan.hardware.precision,
        concurrency=plan.hardware.workers,
        created=datetime.datetime.fromtimestamp(newest, datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
    )


def _joined(task: TaskKind) -> tuple[str, ...]:
    """Names of fields for each text that is several of them in a row; empty where every text is one field."""
    if not any(part[1:] for part in task.parts):
        return ()
    return tuple(" ".join(map(str.upper, part)) if part[1:] else "…" for part in task.parts)


def _other_bases(plan: Plan) -> tuple[Base, ...]:
    """Those of arms on another base than the study's."""
    return tuple({c.base.name: c.base for c in plan.cells.values() if c.base.name in plan.others}.values())


def dashboard_command(plan: Plan) -> str:
    """What starts the dashboard on the plan's own results."""
    root = plan.config.paths.root
    given = "" if root == "outputs" else f" {shlex.quote(f'paths.root={root}')}"
    return f"{program()} dashboard{given}"
