"""`export`: a trained cell as a Hugging Face directory that scores as the cell did."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pipeline.analysis.crossed import crossed_mean
from pipeline.commands.closing import about
from pipeline.commands.exported import CHECKED, largest_difference
from pipeline.commands.trained import Trained, trained_cell
from pipeline.config.compose import compose
from pipeline.errors import UserError
from pipeline.files import staged_directory, write_text
from pipeline.records import Estimate
from pipeline.records.metrics import MEANS
from pipeline.report.card import model_card
from pipeline.study.plan import Plan, plan_of_cell
from pipeline.tasks import PromptedKind, WritingKind, kind
from pipeline.tasks.two_parts import ready_to_write
from pipeline.training.results import ResultStore

LEVEL = 0.95


def run(overrides: Sequence[str]) -> int:
    """Write the directory, check its scores, and say where it is."""
    config = compose(overrides, trained=True)
    trained = _tested(trained_cell(config))
    target = Path(config.export or f"{config.paths.root}/exports/{trained.result.cell_id}")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UserError(f"export={target} exists already. Choose another folder, or delete it first.")
    plan = plan_of_cell(trained.cell, config)
    with staged_directory(target) as folder:
        _save(trained, folder)
        worst = largest_difference(trained, plan, folder)
        write_text(folder / "README.md", _card(trained, plan, overrides))
    print(f"Exported {trained.result.key.label} (cell {trained.result.cell_id}) to {target}")
    print(f"Checked: transformers gives the cell's scores on {CHECKED} test texts (largest difference {worst:.1e}).")
    return 0


def _tested(trained: Trained) -> Trained:
    if not trained.cell.tested:
        raise UserError(
            f"Cell {trained.result.cell_id} is a trial of a sweep: it was never tested, and a model card without test "
            f"scores would say little. Train its settings (the sweep's last line says how) and export that cell."
        )
    if isinstance(kind(trained.cell.task.kind), PromptedKind):
        raise UserError(
            f"Cell {trained.result.cell_id} tells classes by their words, through a language model's own head: "
            "transformers has no pipeline that asks it so. Use predict, or task=classification."
        )
    return trained


def _save(trained: Trained, folder: Path) -> None:
    tokenizer = trained.tokenizer()
    tokenizer.model_max_length = trained.cell.task.max_length
    tokenizer.save_pretrained(folder)
    network = trained.network()
    if isinstance(kind(trained.cell.task.kind), WritingKind):
        ready_to_write(network, tokenizer)
    if kind(trained.cell.task.kind).several:
        network.config.problem_type = "multi_label_classification"
    network.save_pretrained(folder)


def _card(trained: Trained, plan: Plan, overrides: Sequence[str]) -> str:
    facts = about(plan, [trained.result], ["export", *overrides])
    return model_card(trained.result, facts, _estimates(trained, plan.store))


def _estimates(trained: Trained, store: ResultStore) -> dict[str, Estimate]:
    """The score on each test set; of a metric that is no mean over texts there is none."""
    if trained.result.metric not in MEANS:
        return {}
    scores = store.scores(trained.result.cell_id)
    found = {}
    for index, evaluation in enumerate(trained.result.evaluations):
        if evaluation.role in ("in_domain", "out_of_domain"):
            found[evaluation.dataset] = _estimate(scores[scores["dataset"] == index]["score"])
    return found


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
        method="one training, items only",
    )
