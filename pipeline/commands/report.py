"""`report`: findings, figures and report of a study again, from finished cells."""

import shlex
from collections.abc import Sequence

from pipeline.commands.closing import report_on, write_findings
from pipeline.commands.showing import show_change, show_findings
from pipeline.config.redaction import without_secrets
from pipeline.config.where import program
from pipeline.errors import UserError
from pipeline.study.ended import ended
from pipeline.study.plan import plan_study
from pipeline.study.run import failures
from pipeline.study.stated import state
from pipeline.study.tuning import tuned_as_before


def run(overrides: Sequence[str]) -> int:
    """Write them and show the verdicts. Nothing is trained; what changes the study's statement is recorded."""
    plan = tuned_as_before(overrides, plan_study(overrides))
    cells = plan.results()
    if not cells:
        given = f"{program()} study {shlex.join(without_secrets(overrides))}"
        raise UserError(f"No cell of {plan.config.study.name} is finished under {plan.store.cells}. Run: {given}")
    stated, change = state(plan)
    show_change(change)
    plan = ended(plan)
    findings = write_findings(plan, cells, failures(plan), stated)
    path = report_on(plan, cells, findings, ["study", *overrides])
    show_findings(findings)
    print(f"{len(cells)} of {len(plan.cells)} cells are finished.")
    print(f"Report: {path}")
    return 0
