"""A plan on the terminal: what there is to train, the time and memory it takes, and which effects it can show."""

import dataclasses
from collections import Counter
from collections.abc import Sequence

from rich.table import Table

from pipeline.config.cell import Cell
from pipeline.execution.console import Terminal
from pipeline.execution.local import warm_up
from pipeline.report.wording import PERCENT, scale_of_claim
from pipeline.study.looks import looks_of
from pipeline.study.plan import Plan, on_each_base
from pipeline.study.power import POWER, Power, powers
from pipeline.study.pretraining import pretrainings
from pipeline.study.progress import duration
from pipeline.study.retention import retention
from pipeline.study.run import prepare
from pipeline.study.workload import estimated_seconds
from pipeline.training.memory.budget import Planned


def show_plan(plan: Plan, whole: Plan | None = None) -> None:
    """The arms and sizes of a plan: how many of their cells are finished, and time and memory for the rest.

    Args:
        plan: with the cells that can still be needed.
        whole: with those too that are not, where the claims that read them are settled.
    """
    console = Terminal()
    parts = [*pretrainings(plan), *on_each_base(plan)]
    to_train = sum(len(part.missing()) for part in parts)
    if to_train:
        warm_up(plan.hardware.threads)
    ready = [prepare(part) for part in parts if part.missing()]
    memory = [planned for one in ready for planned in one.memory]
    console.print(_cells(plan, parts, whole or plan, memory))
    for reason in plan.hardware.reasons:
        console.print(reason)
    for sentence in ready[-1].look if ready else ():
        console.print(f"Data: {sentence}")
    if memory and (weights := retention(plan, memory).sentence):
        console.print(weights)
    seconds, basis = zip(*map(estimated_seconds, parts), strict=True)
    looks = looks_of(plan.config.study)
    most = "At most " if to_train and len(looks) > 1 else ""
    time = f"about {duration(sum(seconds))} ({basis[-1]})"
    console.print(f"{most}{to_train} of {sum(len(part.cells) for part in parts)} cells to train: {time}")
    if len(looks) > 1:
        *before, last = (str(len(look.seeds)) for look in looks)
        seeds = f"{', '.join(before)} and {last}"
        console.print(f"Claims are judged at {seeds} seeds. What only settled claims need is not trained any further.")
    _show_power(console, whole or plan)


def _cells(plan: Plan, parts: Sequence[Plan], whole: Plan, memory: Sequence[Planned]) -> Table:
    """A row for each arm and size."""
    needs = {(planned.arm, planned.size): planned.amount for planned in memory}
    spared = Counter(_group(cell) for name, cell in whole.cells.items() if name not in plan.cells)
    some = bool(spared)
    table = Table(title=f"{plan.config.study.name}: {plan.config.study.question}", title_justify="left")
    for column in ("arm", "size", "finished", "to train", *(("not needed",) if some else ()), "time", "memory"):
        table.add_column(column, justify="left" if column in ("arm", "memory") else "right")
    for part in parts:
        for group in dict.fromkeys(map(_group, part.cells.values())):
            own = dataclasses.replace(part, cells={n: c for n, c in part.cells.items() if _group(c) == group})
            missing = len(own.missing())
            counts = (len(own.cells) - missing, missing, *((spared.pop(group, 0),) if some else ()))
            time = duration(estimated_seconds(own)[0]) if missing else ""
            table.add_row(group[0], str(group[1]), *map(str, counts), time, needs.get(group, ""))
    for group, cells in spared.items():
        table.add_row(group[0], str(group[1]), "0", "0", str(cells), "", "")
    return table


def _group(cell: Cell) -> tuple[str, int | str]:
    return cell.arm.name, cell.train.size


def _show_power(console: Terminal, plan: Plan) -> None:
    """The smallest effect that each look can show of each claim, where finished cells tell."""
    study = plan.config.study
    if not study.claims:
        return
    by_claim = powers(plan)
    if not by_claim:
        console.print(
            "What effects it can show is not known yet: that takes two seeds of these arms and sizes, of this study or "
            f"of a pilot on others: study.name={study.name}_pilot 'study.seeds=[900,901,902]'.",
        )
        return
    pilot = min(power.pilot for power in by_claim)
    title = f"Smallest true effect that is shown with a chance of {POWER:.0%} (variances of {pilot} seeds)"
    table = Table(title=title, title_justify="left")
    table.add_column("claim")
    looks = [len(look.seeds) for look in looks_of(study)]
    for seeds in looks:
        table.add_column(f"{seeds} seeds", justify="right")
    for name in dict.fromkeys(power.claim for power in by_claim):
        effects = {power.seeds: _effect(plan, power) for power in by_claim if power.claim == name}
        table.add_row(name, *(effects.get(seeds, "") for seeds in looks))
    console.print(table)


def _effect(plan: Plan, power: Power) -> str:
    scale = scale_of_claim(plan.config.task.metric, plan.config.study.claims[power.claim].audit)
    return "none at all" if scale is PERCENT and power.effect >= 1 else scale.amount(power.effect)
