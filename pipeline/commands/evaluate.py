"""`evaluate`: finished cells on further test sets, and further audits of them, without training."""

import shlex
from collections.abc import Sequence

from rich.table import Table

from pipeline.audits import Examination
from pipeline.commands.steps.evaluating import evaluate_finished
from pipeline.commands.steps.tables import show_own_files
from pipeline.config.compose import compose
from pipeline.config.privacy import may_show_texts
from pipeline.config.redaction import without_secrets
from pipeline.config.search_path import program
from pipeline.errors import UserError
from pipeline.execution.console import Terminal
from pipeline.records import CellResult
from pipeline.study.plan import Plan, plan_cell, plan_study
from pipeline.study.references import in_use, refer
from pipeline.study.tuning import tuned_as_before
from pipeline.tracking.client import DRAIN_SECONDS, Mirror

Row = tuple[str, str, str, dict[str, float]]  # arm, size, set or audit, mean of each number over seeds


def run(overrides: Sequence[str]) -> int:
    """Evaluate the finished cells of a study, or of one training, and show every number that was measured of them.

    Returns:
        0, or 1 if some cells could not be evaluated.

    Raises:
        UserError: no cell is finished, or none of those that lack something has its weights.
    """
    of_study = bool(compose(overrides).study.name)
    plan = tuned_as_before(overrides, plan_study(overrides)) if of_study else plan_cell(overrides)
    show_own_files(plan)
    if not plan.results():
        command = "study" if of_study else "train"
        raise UserError(
            f"No cell of {plan.config.study.name} is finished under {plan.store.cells}. Run: "
            f"{program()} {command} {shlex.join(without_secrets(overrides))}"
        )
    texts = may_show_texts(plan.config)
    with in_use(plan.root), Mirror.start(plan.config.tracking, plan.root, plan.study_id, texts=texts) as mirror:
        evaluated = evaluate_finished(plan, must=True)
        refer(plan, adding=True)
        mirror.drain(DRAIN_SECONDS)
    if evaluated.left_out and not evaluated.done:
        raise UserError(" ".join(evaluated.sentences(plan)))
    _show(plan)
    return 1 if evaluated.left_out else 0


def _show(plan: Plan) -> None:
    rows = [row for arm in plan.config.study.arms for size in plan.config.study.sizes for row in _rows(plan, arm, size)]
    numbers = list(dict.fromkeys(name for *_, means in rows for name in means))
    table = Table(title="Means over the seeds that were measured", title_justify="left")
    for column in ("arm", "size", "set or audit", *numbers):
        table.add_column(column.replace("_", " "), justify="right" if column in numbers else "left")
    for arm, size, name, means in rows:
        table.add_row(arm, size, name, *(f"{means[number]:.4f}" if number in means else "" for number in numbers))
    Terminal().print(table)


def _rows(plan: Plan, arm: str, size: int | str) -> list[Row]:
    cells = [n for n, c in plan.cells.items() if (c.arm.name, c.train.size) == (arm, size) and plan.store.has(n)]
    measured: dict[str, list[dict[str, float]]] = {}
    for result in map(plan.result, cells):
        for name, numbers in _measured(result).items():
            measured.setdefault(name, []).append(numbers)
    return [(arm, str(size), f"{name} ({len(numbers)})", _means(numbers)) for name, numbers in measured.items()]


def _measured(result: CellResult) -> dict[str, dict[str, float]]:
    tested = {e.dataset: e.metrics for e in result.evaluations if e.role in ("in_domain", "out_of_domain")}
    return tested | {str(Examination(a.audit, a.dataset)): a.numbers for a in result.audits}


def _means(of_cells: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: sum(numbers[name] for numbers in of_cells) / len(of_cells) for name in of_cells[0]}
