"""`study`: one study, from its plan to its verdicts."""

import dataclasses
from collections.abc import Callable, Sequence
from functools import partial

from pipeline.analysis.verdict import INCONCLUSIVE
from pipeline.commands.closing import dashboard_command, recorded, report_on, write_findings
from pipeline.commands.pretraining import pretrain
from pipeline.commands.searching import search
from pipeline.commands.showing import show_change, show_findings, show_own_files, show_plan
from pipeline.records import Findings
from pipeline.report.verdicts import looks_text
from pipeline.study.able import require_able_bases
from pipeline.study.ended import end, ended
from pipeline.study.finding.tuned import equal_budget
from pipeline.study.looked import kept, wanted
from pipeline.study.plan import Plan, plan_study
from pipeline.study.progress import Progress
from pipeline.study.run import Outcome, clear_leftovers
from pipeline.study.run import run as run_plan
from pipeline.study.spending import Spending, require_first_look
from pipeline.study.stated import Stated, state, stated
from pipeline.study.tuning import tuning_plans
from pipeline.tracking.client import Mirror
from pipeline.tracking.links import links
from pipeline.tracking.spool import StudyLog

DRAIN_SECONDS = 60.0


def run(overrides: Sequence[str]) -> int:
    """Run the study that `overrides` choose; with plan=true only show what would be done."""
    plan = plan_study(overrides)
    require_able_bases(plan)
    show_own_files(plan)
    for sentence in plan.unjudged:
        print(sentence)
    if plan.config.plan:
        sweeps = tuning_plans(overrides, plan)
        show_change(None if sweeps else stated(plan)[1])  # their winners decide what is trained
        show_plan(wanted(plan, kept(plan).values(), last=True), plan)
        if sweeps:
            each = f"{plan.config.tuning.trials} trials each"
            print(f"Before that, {len(sweeps)} sweeps of {each}, whose best settings take the place of the recipes.")
        return 0
    plan = _tuned(overrides, plan)
    with Mirror.start(plan.config.tracking, plan.root, plan.study_id) as mirror:
        plan, outcome, findings = _run(plan, mirror, ["study", *overrides])
        everything_told = mirror.drain(DRAIN_SECONDS)
        show_findings(findings)
        _say_where(plan, outcome)
        if not everything_told:
            print(f"Not yet in the dashboard: {mirror.problem() or 'the rest is told by the next command'}")
    return 1 if outcome.failed else 0


def _tuned(overrides: Sequence[str], plan: Plan) -> Plan:
    """The plan whose cells follow the best trials of the sweeps that the study begins with."""
    tuned = []
    for sweep in tuning_plans(overrides, plan):
        record, _ = search(sweep, ["study", *overrides])
        print(f"Tuned {record.arm} at n={record.size}: {record.overrides or 'no trial has a result'}")
        tuned.append(record)
    equal_budget(tuned)  # before any of the study's cells is trained
    return plan_study(overrides, tuned) if tuned else plan


def _run(plan: Plan, mirror: Mirror, command: Sequence[str]) -> tuple[Plan, Outcome, Findings]:
    """Train and judge; the plan comes back with the looks that were taken."""
    study = plan.config.study
    log = StudyLog(plan.root, plan.study_id, study.name)
    clear_leftovers(plan)
    said, change = stated(plan)
    show_change(change)
    record = partial(state, plan)
    plan = ended(plan)
    require_first_look(plan, wanted(plan, ()))
    to_do = {} if plan.ended_by else wanted(plan, kept(plan).values(), last=True).missing()
    log.started(study.question, metric=plan.config.task.metric, to_do=len(to_do))
    mirror.wake()
    with recorded(log):
        plan, outcome, findings = _by_looks(plan, said, record)
        log.finished(findings, report_on(plan, plan.results(), findings, command))
    return plan, outcome, findings


def _by_looks(plan: Plan, said: Stated, record: Callable[[], object]) -> tuple[Plan, Outcome, Findings]:
    """Train for one look after the other what open claims need for it, until all are settled, no look is left or the
    budget is spent. `record` writes down what the study states; it is called before the first cell starts.
    """
    outcome, part = Outcome(finished=(), trained=(), failed=()), wanted(plan, ())
    spending = Spending(plan) if plan.config.study.budget and not plan.ended_by else None
    tried: set[str] = set()
    while True:
        outcome = outcome.then(_trained(plan, part, spending, record))
        tried |= set(part.cells)
        findings = write_findings(plan, plan.results(), outcome.failed, said)
        if spending and spending.over:
            plan = end(plan, findings.verdicts, {failed.cell_id for failed in outcome.failed})
            return plan, outcome, write_findings(plan, plan.results(), outcome.failed, said)
        more = wanted(plan, findings.verdicts)
        if set(more.cells) <= tried or plan.ended_by:
            return plan, outcome, findings
        print(f"{looks_text(findings)} {_settled(findings)}".strip())
        gone = {failed.cell_id for failed in outcome.failed}
        part = dataclasses.replace(more, cells={n: c for n, c in more.cells.items() if n not in gone})


def _trained(plan: Plan, part: Plan, spending: Spending | None, record: Callable[[], object]) -> Outcome:
    """What of `part` was trained, as far as the budget goes; nothing more once the study has ended."""
    if plan.ended_by:
        part = dataclasses.replace(part, cells={n: c for n, c in part.cells.items() if part.store.has(n)})
    if part.missing():
        pretrain(part)
    affords = spending.affords if spending else lambda _: True
    try:
        with Progress(part) as progress:
            return run_plan(part, progress.watch, before_training=record, affords=affords)
    finally:
        if spending:
            spending.keep()


def _settled(findings: Findings) -> str:
    settled = sum(v.verdict != INCONCLUSIVE for v in findings.verdicts)
    return f"{settled} of {len(findings.verdicts)} claims are settled; the study goes on with what the others need."


def _say_where(plan: Plan, outcome: Outcome) -> None:
    for failed in outcome.failed:
        print(f"Failed: {failed.arm} n={failed.size} seed={failed.seed}: {failed.reason}")
        print(f"  its log: {plan.root / 'logs' / failed.cell_id}.log")
    print(f"Report:    {plan.folder / 'report.html'}")
    where = links(plan.config.tracking, plan.root, plan.study_id)
    if plan.config.tracking.name == "local":
        print(f"Dashboard: {dashboard_command(plan)}")
    elif where:
        print(f"Dashboard: {where[-1].url}")
