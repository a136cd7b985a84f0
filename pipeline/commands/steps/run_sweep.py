"""Runs a sweep, records it and writes its report: what `sweep` does, and `study` for each arm it tunes."""

import dataclasses
import shlex
from collections.abc import Sequence

from pipeline.commands.steps.findings import recorded
from pipeline.commands.steps.pretraining import pretrain
from pipeline.config.privacy import may_show_texts
from pipeline.config.redaction import without_secrets
from pipeline.execution.local import warm_up
from pipeline.files import write_text
from pipeline.language import in_language
from pipeline.records import SweepRecord, to_json
from pipeline.report.sweep_report import answer, write_sweep_report
from pipeline.study.plan import Plan
from pipeline.study.run import prepare, run_context
from pipeline.study.tuning import RECORD, sweep_folder
from pipeline.tracking.client import DRAIN_SECONDS, Mirror
from pipeline.tracking.spool import StudyLog


def search(plan: Plan, command: Sequence[str]) -> tuple[SweepRecord, str]:
    """Run the sweep of `plan` to its total.

    Args:
        command: what was typed after the program's name.

    Returns:
        its record, and why the dashboard does not have all of it yet (empty where it has).
    """
    from pipeline.sweep.trial_registry import contract_of

    contract = contract_of(plan.config, next(iter(plan.cells)))
    sweep_id = f"sweep-{plan.config.study.name}-{contract[:10]}"
    texts = may_show_texts(plan.config)
    with Mirror.start(plan.config.tracking, plan.root, sweep_id, texts=texts) as mirror:
        record = _search(plan, sweep_id, contract, mirror, command)
        told = mirror.drain(DRAIN_SECONDS)
        return record, "" if told else str(mirror.problem() or "the next command sends the rest")


def _search(plan: Plan, sweep_id: str, contract: str, mirror: Mirror, command: Sequence[str]) -> SweepRecord:
    from pipeline.sweep.progress import SweepProgress
    from pipeline.sweep.run import clear_leftovers, opened, run

    config, name = plan.config, plan.config.study.name
    warm_up(plan.hardware.threads)
    pretrain(plan)
    own = dataclasses.replace(run_context(plan, prepare(plan)), study_id=sweep_id)
    registry = opened(config, own, name=name, contract=contract)
    clear_leftovers(own)
    log = StudyLog(plan.root, sweep_id, f"sweep-{name}", kind="sweep")
    # Trials that have paused may go on, so that one at least is left until all are over.
    to_do = 0 if registry.over() else max(1, registry.asked - len(registry.counted()))
    log.started(config.study.question, metric=config.task.metric, to_do=to_do)
    mirror.wake()
    with recorded(log):
        with SweepProgress(registry, config, workers=plan.hardware.workers) as progress:
            record = run(registry, own, config, watch=progress.watch, tell=progress.tell)
        folder = sweep_folder(plan)
        write_text(folder / RECORD, to_json(record))
        again = shlex.join(["python", "-m", "pipeline", *without_secrets(command)])
        with in_language(config.report.language):
            write_sweep_report(record, config.arm, config.study.question, again, folder)
            log.searched(record, answer(record), folder)
    return record
