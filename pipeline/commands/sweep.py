"""`sweep`: a search over one arm's settings."""

import shlex
from collections.abc import Sequence

from rich.table import Table

from pipeline.commands.steps.findings import dashboard_command
from pipeline.commands.steps.run_sweep import search
from pipeline.commands.steps.tables import show_own_files
from pipeline.config.redaction import without_secrets
from pipeline.config.search_path import program
from pipeline.config.typed_text import setting_name
from pipeline.execution.console import Terminal
from pipeline.records import SweepRecord, TrialRecord
from pipeline.study.able_bases import require_able_bases
from pipeline.study.plan import Plan, plan_sweep
from pipeline.study.references import in_use

_SHOWN = 10  # trials in the table


def run(overrides: Sequence[str]) -> int:
    """Run the sweep that `overrides` describe to its total, or show it where it has come to that."""
    plan = plan_sweep(overrides)
    require_able_bases(plan)
    show_own_files(plan)
    with in_use(plan.root):
        record, untold = search(plan, ["sweep", *overrides])
    _show(record)
    _say_where(plan, record, overrides)
    if untold:
        print(f"Not yet in the dashboard: {untold}")
    return 0 if record.best else 1


def _show(record: SweepRecord) -> None:
    console = Terminal()
    states = [t.state for t in record.trials]
    console.print(
        f"{record.name}: {len(states)} trials: "
        + ", ".join(f"{states.count(s)} {s}" for s in ("complete", "pruned", "failed") if s in states),
    )
    if record.best:
        console.print(_table(record))
    for reason in dict.fromkeys(t.reason for t in record.trials if t.reason):
        console.print(f"Failed: {reason}")


def _table(record: SweepRecord) -> Table:
    table = Table(title=f"Best trials of {record.arm} at n={record.size}, on validation", title_justify="left")
    names = list(dict.fromkeys(n for t in record.trials for n in t.params))
    for column in ("trial", *record.objectives, *names):
        table.add_column(column, justify="right")
    complete = [t for t in record.ranked() if t.values and t.feasible]
    for trial in sorted(complete, key=lambda t: t.number not in record.best)[:_SHOWN]:
        table.add_row(str(trial.number), *(f"{v:.4g}" for v in trial.values), *(_param(trial, n) for n in names))
    return table


def _param(trial: TrialRecord, name: str) -> str:
    value = trial.params.get(name, "")
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _say_where(plan: Plan, record: SweepRecord, overrides: Sequence[str]) -> None:
    if record.best:
        own = without_secrets([o for o in overrides if not setting_name(o).startswith("sweep.")])
        print(f"Best:      {program()} train {shlex.join(own)} {record.overrides}")
    else:
        print("No trial has a result: there is no best one. The reasons are above, the logs under "
              f"{plan.root / 'logs'}.")  # fmt: skip
    print(f"Report:    {plan.root / 'sweeps' / record.name / 'report.html'}")
    if plan.config.tracking.name == "local":
        print(f"Dashboard: {dashboard_command(plan)}")
