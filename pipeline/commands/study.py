"""`study`: one study, from its plan to its verdicts."""

from collections.abc import Sequence

from pipeline.commands.closing import dashboard_command, recorded, report_on, write_findings
from pipeline.commands.pretraining import pretrain
from pipeline.commands.searching import search
from pipeline.commands.showing import show_findings, show_own_files, show_plan
from pipeline.records import Findings
from pipeline.study.able import require_able_bases
from pipeline.study.finding.tuned import equal_budget
from pipeline.study.plan import Plan, plan_study
from pipeline.study.progress import Progress
from pipeline.study.run import Outcome, clear_leftovers
from pipeline.study.run import run as run_plan
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
    for statement in plan.unjudged:
        print(f"Not judged: {statement!r}. The task has no other domain (task.out_of_domain) to test it on.")
    if plan.config.plan:
        show_plan(plan)
        sweeps = tuning_plans(overrides, plan)
        if sweeps:
            each = f"{plan.config.tuning.trials} trials each"
            print(f"Before that, {len(sweeps)} sweeps of {each}, whose best settings take the place of the recipes.")
        return 0
    plan = _tuned(overrides, plan)
    with Mirror.start(plan.config.tracking, plan.root, plan.study_id) as mirror:
        outcome, findings = _run(plan, mirror, ["study", *overrides])
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


def _run(plan: Plan, mirror: Mirror, command: Sequence[str]) -> tuple[Outcome, Findings]:
    study = plan.config.study
    log = StudyLog(plan.root, plan.study_id, study.name)
    clear_leftovers(plan)
    log.started(study.question, metric=plan.config.task.metric, to_do=len(plan.missing()))
    mirror.wake()
    with recorded(log):
        if plan.missing():
            pretrain(plan)
        with Progress(plan) as progress:
            outcome = run_plan(plan, progress.watch)
        cells = plan.results()
        findings = write_findings(plan, cells, outcome.failed)
        log.finished(findings, report_on(plan, cells, findings, command))
    return outcome, findings


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
