"""Whether an exported directory scores as the cell did, asked of it through the libraries that others use."""

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.commands.formats import Readable, pipeline_of
from pipeline.commands.steps.trained import Trained
from pipeline.data.sets import Prepared
from pipeline.data.store import load, stored_examples
from pipeline.errors import HeadstartError, UserError
from pipeline.study.plan import Plan
from pipeline.tasks import TaskKind, Vocabulary, WritingKind, kind

CHECKED = 64  # test texts whose scores must be the cell's
TOLERANCE = {"fp32": 1e-4, "bf16": 3e-2}  # in probability; bf16 has 8 bits, and batches differ from the cell's


@dataclass(frozen=True, kw_only=True)
class Checked:
    """`by` names the libraries that read `items` test texts, `worst` is the largest difference in probability."""

    by: str
    items: int
    worst: float


def require_tested(trained: Trained) -> Trained:
    """The cell, unless it is a trial of a sweep.

    Raises:
        UserError: it was never tested.
    """
    if not trained.cell.tested:
        raise UserError(
            f"Cell {trained.result.cell_id} is a trial of a sweep: it was never tested, and a model card without test "
            f"scores is of little use. Train its settings (the sweep's last line shows how) and export that cell."
        )
    return trained


def check(trained: Trained, plan: Plan, exported: Readable, folder: Path) -> Checked:
    """Compare what the exported directory answers with the cell's own scores, on the first texts of the test set.

    Args:
        trained: the cell.
        plan: where its data and scores are.
        exported: reads the directory.
        folder: the directory.

    Raises:
        HeadstartError: a probability differs by more than rounding explains.
    """
    import torch

    prepared, precision = load(plan.data_folder), trained.cell.train.precision
    theirs = _of_classifier if kind(trained.cell.task.kind).linear else _of_tokens
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bf16"):
        by, losses = theirs(trained, prepared, exported, folder)
    worst = float(np.abs(np.exp(-losses) - np.exp(-_losses(trained, plan)[: len(losses)])).max())
    if worst > TOLERANCE[precision]:
        raise HeadstartError(
            f"The exported model does not score as the cell did: a probability differs by {worst:.2g}, "
            f"at most {TOLERANCE[precision]} is allowed. Nothing was written. "
            "Train the cell again if libraries changed."
        )
    return Checked(by=by, items=len(losses), worst=worst)


def _of_classifier(trained: Trained, prepared: Prepared, exported: Readable, folder: Path) -> tuple[str, np.ndarray]:
    """Who read the test's first texts, and the loss of each by the logits that were read."""
    import torch

    task, vocabulary = kind(trained.cell.task.kind), Vocabulary.of(trained.tokenizer())
    some = list(itertools.islice(stored_examples(prepared, "test"), CHECKED))
    reading = exported.read(folder, some)
    batch = _batch(task, prepared, np.arange(len(some)), vocabulary)
    losses = task.losses(torch.from_numpy(reading.logits).double(), batch)
    return reading.by, losses.double().numpy()


def _of_tokens(trained: Trained, prepared: Prepared, exported: Readable, folder: Path) -> tuple[str, np.ndarray]:
    """Likewise, from the tokens of each text; the loss is that of the tokens to be found, told or written."""
    task = kind(trained.cell.task.kind)
    model = _writer(folder) if isinstance(task, WritingKind) else pipeline_of(trained, folder).model
    vocabulary = Vocabulary.of(trained.tokenizer())
    losses = []
    for i in range(min(CHECKED, len(prepared.test))):
        batch = _batch(task, prepared, np.array([i]), vocabulary)
        losses.append(float(task.losses(task.forward(model, batch), batch)[0]))
    return "transformers", np.array(losses)


def _batch(task: TaskKind, prepared: Prepared, items: np.ndarray, vocabulary: Vocabulary) -> dict[str, Any]:
    test = prepared.test
    beside = {name: np.asarray(numbers)[items] for name, numbers in test.beside.items()}
    labels, seeds = np.asarray(test.labels)[items], items.astype(np.uint64)
    ids = [test.item(int(i)) for i in items]
    return task.collate(ids, labels, vocabulary=vocabulary, seeds=seeds, beside=beside)


def _writer(folder: Path) -> Any:
    """For which transformers has no pipeline any more."""
    from transformers import AutoModelForSeq2SeqLM

    return AutoModelForSeq2SeqLM.from_pretrained(str(folder), local_files_only=True)


def _losses(trained: Trained, plan: Plan) -> np.ndarray:
    """The cell's test losses, float32 [items]."""
    scores = plan.store.scores(trained.result.cell_id)
    index = next(i for i, e in enumerate(trained.result.evaluations) if e.dataset == "test")
    return np.asarray(scores[scores["dataset"] == index]["loss"])
