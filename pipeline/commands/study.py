"""`study`: one study, from its plan to its verdicts."""

from collections.abc import Sequence
from functools import partial

from pipeline.commands.steps.evaluating import show_lacking
from pipeline.commands.steps.findings import claims_of, dashboard_command, recorded, report_on
from pipeline.commands.steps.plan_table import show_plan
from pipeline.commands.steps.run_sweep import search
from pipeline.commands.steps.study_run import StudyRun
from pipeline.commands.steps.tables import show_change, show_claims, show_findings, show_own_files
from pipeline.config.privacy import may_show_texts
from pipeline.language import in_language, tr
from pipeline.records import ClaimTable, Findings
from pipeline.report.verdict_sentences import scores_so_far, verdict_sentence
from pipeline.study.able_bases import require_able_bases
from pipeline.study.ended import ended
from pipeline.study.finding.tuned import equal_budget
from pipeline.study.plan import Plan, plan_study
from pipeline.study.references import in_use, refer
from pipeline.study.run import Outcome, clear_leftovers
from pipeline.study.spending import require_first_look, require_fixed_lengths
from pipeline.study.stated import state, stated
from pipeline.study.taken_looks import kept, wanted
from pipeline.study.tuning import tuning_plans
from pipeline.tracking.client import DRAIN_SECONDS, Mirror
from pipeline.tracking.links import links
from pipeline.tracking.spool import StudyLog


def run(overrides: Sequence[str]) -> int:
    """Run the study that `overrides` choose; with plan=true only show what would be done."""
    plan = plan_study(overrides)
    require_able_bases(plan)
    require_fixed_lengths(plan)
    show_own_files(plan)
    for sentence in plan.unjudged:
        print(sentence)
    if plan.config.plan:
        sweeps = tuning_plans(overrides, plan)
        show_lacking(plan)
        show_change(None if sweeps else stated(plan)[1])  # their winners decide what is trained
        show_plan(wanted(plan, kept(plan).values(), last=True), plan)
        if sweeps:
            each = f"{plan.config.tuning.trials} trials each"
            print(f"Before that, {len(sweeps)} sweeps of {each}, whose best settings take the place of the recipes.")
        return 0
    with in_use(plan.root):
        return _run_to_the_end(overrides, plan)


def _run_to_the_end(overrides: Sequence[str], plan: Plan) -> int:
    _, outcome, _ = run_planned(_tuned(overrides, plan), ["study", *overrides])
    return 1 if outcome.failed else 0


def run_planned(plan: Plan, command: Sequence[str]) -> tuple[Plan, Outcome, Findings]:
    """Train what is missing of a study, judge it, show what it found and say where the report is.

    Args:
        plan: the study's.
        command: the words that the report repeats.

    Returns:
        The plan with the looks that were taken, what became of its cells, and the findings.
    """
    language, texts = in_language(plan.config.report.language), may_show_texts(plan.config)
    with language, Mirror.start(plan.config.tracking, plan.root, plan.study_id, texts=texts) as mirror:
        plan, outcome, findings, claims = _run(plan, mirror, command)
        everything_told = mirror.drain(DRAIN_SECONDS)
        show_findings(findings)
        if claims:
            show_claims(claims)
        _say_where(plan, outcome)
        if not everything_told:
            print(f"Not yet in the dashboard: {mirror.problem() or 'the next command sends the rest'}")
    return plan, outcome, findings


def _tuned(overrides: Sequence[str], plan: Plan) -> Plan:
    """The plan whose cells follow the best trials of the sweeps that the study begins with."""
    tuned = []
    for sweep in tuning_plans(overrides, plan):
        record, _ = search(sweep, ["study", *overrides])
        print(f"Tuned {record.arm} at n={record.size}: {record.overrides or 'no trial has a result'}")
        tuned.append(record)
    equal_budget(tuned)  # before any of the study's cells is trained
    return plan_study(overrides, tuned) if tuned else plan


def _run(plan: Plan, mirror: Mirror, command: Sequence[str]) -> tuple[Plan, Outcome, Findings, ClaimTable | None]:
    """Train and judge; the plan comes back with the looks that were taken."""
    study = plan.config.study
    log = StudyLog(plan.root, plan.study_id, study.name)
    clear_leftovers(plan)
    said, change = stated(plan)
    show_change(change)
    running = StudyRun(ended(plan), said, partial(_record, plan), command, partial(_show_scores, log, mirror))
    plan = running.plan
    require_first_look(plan, wanted(plan, ()))
    to_do = {} if plan.ended_by else wanted(plan, kept(plan).values(), last=True).missing()
    log.started(study.question, metric=plan.config.task.metric, to_do=len(to_do))
    mirror.wake()
    with recorded(log):
        findings = running.to_the_end()
        cells = running.plan.results()
        claims = claims_of(running.plan, cells, findings)
        report = report_on(running.plan, cells, findings, command, claims)
        sentences = [verdict_sentence(findings, verdict) for verdict in findings.verdicts]
        log.finished(findings, report, sentences, claims.rows if claims else ())
    return running.plan, running.outcome, findings, claims


def _show_scores(log: StudyLog, mirror: Mirror, findings: Findings) -> None:
    """In the dashboard, while the study runs."""
    log.scored(findings, scores_so_far(findings))
    mirror.wake()


def _record(plan: Plan) -> None:
    """What the study states and what it refers to, once nothing was refused."""
    state(plan)
    refer(plan)


def _say_where(plan: Plan, outcome: Outcome) -> None:
    for failed in outcome.failed:
        print(f"{tr('Failed')}: {failed.arm} n={failed.size} seed={failed.seed}: {failed.reason}")
        print(f"  {tr('its log')}: {plan.root / 'logs' / failed.cell_id}.log")
    print(f"{tr('Report')}:    {plan.folder / 'report.html'}")
    where = links(plan.config.tracking, plan.root, plan.study_id)
    if plan.config.tracking.name == "local":
        print(f"{tr('Dashboard')}: {dashboard_command(plan)}")
    elif where:
        print(f"{tr('Dashboard')}: {where[-1].url}")
