"""`sweep`: a search over one arm's settings."""

import dataclasses
import shlex
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from pipeline.commands.closing import recorded
from pipeline.config.redaction import without_secrets
from pipeline.config.where import program
from pipeline.execution.local import warm_up
from pipeline.files import write_text
from pipeline.records import SweepRecord, TrialRecord, to_json
from pipeline.report.sweep_report import answer, write_sweep_report
from pipeline.study.plan import Plan, plan_sweep
from pipeline.study.run import ground, prepare
from pipeline.tracking.client import Mirror
from pipeline.tracking.spool import StudyLog

DRAIN_SECONDS = 60.0
_SHOWN = 10  # trials in the table


def run(overrides: Sequence[str]) -> int:
    """Run the sweep that `overrides` describe to its total, or show it where it has come to that."""
    from pipeline.sweep.book import contract_of

    plan = plan_sweep(overrides)
    contract = contract_of(plan.config, next(iter(plan.cells)))
    name = plan.config.study.name
    sweep_id = f"sweep-{name}-{contract[:10]}"
    with Mirror.start(plan.config.tracking, plan.root, sweep_id) as mirror:
        record = _run(plan, sweep_id, contract, mirror, overrides)
        everything_told = mirror.drain(DRAIN_SECONDS)
        _show(record)
        _say_where(plan, record, overrides)
        if not everything_told:
            print(f"Not yet in the dashboard: {mirror.problem() or 'the rest is told by the next command'}")
    return 0 if record.best else 1


def _run(plan: Plan, sweep_id: str, contract: str, mirror: Mirror, overrides: Sequence[str]) -> SweepRecord:
    from pipeline.sweep.progress import SweepProgress
    from pipeline.sweep.run import clear_leftovers, opened
    from pipeline.sweep.run import run as run_trials

    config, name = plan.config, plan.config.study.name
    warm_up(plan.hardware.threads)
    own = dataclasses.replace(ground(plan, prepare(plan)), study_id=sweep_id)
    book = opened(config, own, name=name, contract=contract)
    clear_leftovers(own)
    log = StudyLog(plan.root, sweep_id, f"sweep-{name}", kind="sweep")
    log.started(config.study.question, metric=config.task.metric, to_do=book.asked - len(book.counted()))
    mirror.wake()
    with recorded(log):
        with SweepProgress(book, config, workers=plan.hardware.workers) as progress:
            record = run_trials(book, own, config, watch=progress.watch, tell=progress.tell)
        folder = plan.root / "sweeps" / name
        write_text(folder / "sweep.json", to_json(record))
        command = shlex.join(["python", "-m", "pipeline", "sweep", *without_secrets(overrides)])
        write_sweep_report(record, config.study.question, command, folder)
        log.searched(record, answer(record), folder)
    return record


def _show(record: SweepRecord) -> None:
    console = Console(highlight=False)
    states = [t.state for t in record.trials]
    console.print(
        f"{record.name}: {len(states)} trials: "
        + ", ".join(f"{states.count(s)} {s}" for s in ("complete", "pruned", "failed") if s in states),
        markup=False,
    )
    if record.best:
        console.print(_table(record))
    for reason in dict.fromkeys(t.reason for t in record.trials if t.reason):
        console.print(f"Failed: {reason}", markup=False)


def _table(record: SweepRecord) -> Table:
    table = Table(title=f"Best trials of {record.arm} at {record.size} labels, on validation", title_justify="left")
    names = list(dict.fromkeys(n for t in record.trials for n in t.params))
    for column in ("trial", *record.objectives, *names):
        table.add_column(column, justify="right")
    sign = -1 if record.directions[0] == "maximize" else 1
    complete = [t for t in record.trials if t.values and t.feasible]
    order = sorted(complete, key=lambda t: (t.number not in record.best, sign * t.values[0], t.number))
    for trial in order[:_SHOWN]:
        table.add_row(str(trial.number), *(f"{v:.4g}" for v in trial.values), *(_param(trial, n) for n in names))
    return table


def _param(trial: TrialRecord, name: str) -> str:
    value = trial.params.get(name, "")
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _say_where(plan: Plan, record: SweepRecord, overrides: Sequence[str]) -> None:
    if record.best:
        own = [o for o in overrides if not o.lstrip("+~").startswith("sweep.")]
        print(f"Best:      {program()} train {' '.join([*own, record.overrides])}")
    else:
        print("No trial has a result: there is no best one. The reasons are above, the logs under "
              f"{plan.root / 'logs'}.")  # fmt: skip
    print(f"Report:    {plan.root / 'sweeps' / record.name / 'report.html'}")
    if plan.config.tracking.name == "local":
        given = "" if plan.config.paths.root == "outputs" else f" paths.root={plan.config.paths.root}"
        print(f"Dashboard: {program()} dashboard{given}")
