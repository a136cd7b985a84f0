"""`train`: one cell."""

from collections.abc import Sequence
from functools import partial

from pipeline.commands.steps.evaluating import evaluate_finished
from pipeline.commands.steps.findings import recorded, write_findings
from pipeline.commands.steps.pretraining import pretrain
from pipeline.commands.steps.tables import show_own_files
from pipeline.config.privacy import may_show_texts
from pipeline.records import CellResult
from pipeline.study.able_bases import require_able_bases
from pipeline.study.plan import Plan, plan_cell
from pipeline.study.progress import Progress
from pipeline.study.references import in_use, refer
from pipeline.study.run import clear_leftovers
from pipeline.study.run import run as run_plan
from pipeline.tracking.client import Mirror
from pipeline.tracking.spool import StudyLog

DRAIN_SECONDS = 30.0


def run(overrides: Sequence[str]) -> int:
    """Train the cell that `overrides` describe, or show it where it is finished already."""
    plan = plan_cell(overrides)
    require_able_bases(plan)
    show_own_files(plan)
    with in_use(plan.root):
        return _train(plan)


def _train(plan: Plan) -> int:
    log = StudyLog(plan.root, plan.study_id, plan.config.study.name)
    clear_leftovers(plan)
    log.started(plan.config.study.question, metric=plan.config.task.metric, to_do=len(plan.missing()))
    texts = may_show_texts(plan.config)
    with Mirror.start(plan.config.tracking, plan.root, plan.study_id, texts=texts) as mirror:
        with recorded(log):
            evaluate_finished(plan)
            if plan.missing():
                pretrain(plan)
            with Progress(plan) as progress:
                outcome = run_plan(
                    plan, progress.watch, tell=progress.show, before_training=partial(refer, plan, adding=True)
                )
            log.finished(write_findings(plan, plan.results(), outcome.failed), plan.folder)
        mirror.drain(DRAIN_SECONDS)
    for failed in outcome.failed:
        print(f"The cell failed: {failed.reason}\nIts log: {plan.root / 'logs' / failed.cell_id}.log")
    for name in outcome.finished:
        print(summary(plan.result(name)))
        print(f"Result: {plan.store.folder(name)}")
    return 1 if outcome.failed else 0


def summary(result: CellResult) -> str:
    """The cell's scores in a few lines."""
    lines = [f"{result.key.label} seed={result.key.seed}: cell {result.cell_id}"]
    for evaluation in result.evaluations:
        scores = ", ".join(f"{k} {v:.4f}" for k, v in evaluation.metrics.items())
        lines.append(f"  {evaluation.dataset:<12} {evaluation.items:>6} items  {scores}")
    lines.append(
        f"  {result.cost.examples} examples in {result.cost.steps} steps, {result.cost.flops:.3g} FLOPs; seconds: "
        f"{result.measured.training_seconds:.1f} training, {result.measured.evaluation_seconds:.1f} validation"
    )
    return "\n".join(lines)
