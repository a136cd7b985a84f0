"""`export`: a trained cell as a directory that other libraries load, and that scores as the cell did."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pipeline.analysis.crossed_interval import crossed_mean
from pipeline.commands.formats import Format, format_of
from pipeline.commands.steps.exported import check, require_tested
from pipeline.commands.steps.findings import about
from pipeline.commands.steps.trained import Trained, trained_cell
from pipeline.config.compose import compose
from pipeline.errors import UserError
from pipeline.files import staged_directory, write_text
from pipeline.language import said
from pipeline.records import CellResult, Estimate
from pipeline.records.metrics import MEANS
from pipeline.report.card import model_card
from pipeline.storage.results import ResultStore
from pipeline.study.plan import Plan, plan_of_cell
from pipeline.tasks import PromptedKind, kind

LEVEL = 0.95


def run(overrides: Sequence[str]) -> int:
    """Write the directory, check its scores, and say where it is."""
    config = compose(overrides, trained=True)
    trained = _exportable(require_tested(trained_cell(config)))
    target = Path(config.export or f"{config.paths.root}/exports/{trained.result.cell_id}")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UserError(f"export={target} exists already. Choose another folder, or delete it first.")
    plan, exported = plan_of_cell(trained.cell, config), format_of(trained, config.export_format)
    with staged_directory(target) as folder:
        exported.save(folder)
        checked = check(trained, plan, exported, folder)
        write_text(folder / "README.md", _card(trained, plan, exported, overrides))
    print(f"Exported {trained.result.key.label} (cell {trained.result.cell_id}) to {target}")
    print(
        f"Checked with {checked.by}: the exported model gives the cell's scores on {checked.items} test texts (largest "
        f"difference {checked.worst:.1e})."
    )
    return 0


def _exportable(trained: Trained) -> Trained:
    if isinstance(kind(trained.cell.task.kind), PromptedKind):
        raise UserError(
            f"Cell {trained.result.cell_id} predicts classes by their words, through a language model's own head: "
            "transformers has no pipeline that asks it so. Use predict, or task=classification."
        )
    return trained


def _card(trained: Trained, plan: Plan, exported: Format, overrides: Sequence[str]) -> str:
    result = plan.result(trained.result.cell_id)
    facts = about(plan, [result], ["export", *overrides])
    return model_card(result, facts, _estimates(result, plan.store), exported.use(facts))


def _estimates(result: CellResult, store: ResultStore) -> dict[str, Estimate]:
    """The score on each test set; of a metric that is no mean over texts there is none."""
    if result.metric not in MEANS:
        return {}
    scores = store.scores(result.cell_id)
    estimates = {}
    for index, evaluation in enumerate(result.evaluations):
        if evaluation.role in ("in_domain", "out_of_domain"):
            own = evaluation.evaluation_id
            rows = store.scores_on(result.cell_id, own) if own else scores[scores["dataset"] == index]
            estimates[evaluation.dataset] = _estimate(rows["score"])
    return estimates


def _estimate(scores: np.ndarray) -> Estimate:
    mean = crossed_mean(scores[None])
    low, high = mean.interval(LEVEL)
    return Estimate(
        value=mean.value,
        low=low,
        high=high,
        level=LEVEL,
        seeds=1,
        items=len(scores),
        method=said("one training, items only"),
    )
