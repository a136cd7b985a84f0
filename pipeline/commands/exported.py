"""Whether an exported directory scores as the cell did, asked of it through transformers."""

from pathlib import Path
from typing import Any

import numpy as np

from pipeline.commands.trained import Trained
from pipeline.data.sets import Prepared
from pipeline.data.store import load, texts
from pipeline.errors import HeadstartError
from pipeline.study.plan import Plan
from pipeline.tasks import PAIR, Vocabulary, WritingKind, kind

CHECKED = 64  # test texts whose scores must be the cell's
TOLERANCE = {"fp32": 1e-4, "bf16": 3e-2}  # in probability; bf16 has 8 bits, and batches differ from the cell's


def largest_difference(trained: Trained, plan: Plan, folder: Path) -> float:
    """The largest difference in probability between the exported model and the cell's own scores.

    Raises:
        HeadstartError: it is larger than rounding explains.
    """
    import torch

    prepared, precision = load(plan.data_folder), trained.cell.train.precision
    theirs = _of_classes if kind(trained.cell.task.kind).labelled else _of_tokens
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bf16"):
        found = theirs(trained, prepared, folder)
    worst = float(np.abs(found - np.exp(-_losses(trained, plan)[: len(found)])).max())
    if worst > TOLERANCE[precision]:
        raise HeadstartError(
            f"The exported model does not score as the cell did: a probability differs by {worst:.2g}, "
            f"at most {TOLERANCE[precision]} is allowed. Nothing was written. "
            "Train the cell again if libraries changed."
        )
    return worst


def _of_classes(trained: Trained, prepared: Prepared, folder: Path) -> np.ndarray:
    """Of the right class, for each of the test's first texts."""
    asked: list[Any] = texts(prepared, "test")[:CHECKED]
    if kind(trained.cell.task.kind).paired:
        asked = [dict(zip(("text", "text_pair"), text.split(PAIR), strict=True)) for text in asked]
    found = _pipeline(trained, folder, top_k=None)(asked, truncation=True)
    gold = [trained.result.labels[g] for g in prepared.test.labels[:CHECKED]]
    return np.array(
        [next(e["score"] for e in row if e["label"] == label) for row, label in zip(found, gold, strict=True)]
    )


def _of_tokens(trained: Trained, prepared: Prepared, folder: Path) -> np.ndarray:
    """Of the tokens to be found or told, their geometric mean, for each of the test's first texts."""
    task = kind(trained.cell.task.kind)
    model = _writer(folder) if isinstance(task, WritingKind) else _pipeline(trained, folder).model
    vocabulary = Vocabulary.of(trained.tokenizer())
    found = []
    for i in range(min(CHECKED, len(prepared.test))):
        seeds = np.array([i], dtype=np.uint64)
        beside = {name: numbers[i : i + 1] for name, numbers in prepared.test.beside.items()}
        ids = [prepared.test.item(i)]
        batch = task.collate(ids, np.zeros(1), vocabulary=vocabulary, seeds=seeds, beside=beside)
        found.append(float(task.losses(task.forward(model, batch), batch)[0]))
    return np.asarray(np.exp(-np.array(found)))


def _pipeline(trained: Trained, folder: Path, **settings: Any) -> Any:
    from transformers import pipeline

    task: Any = kind(trained.cell.task.kind).pipeline
    return pipeline(task, model=str(folder), tokenizer=str(folder), device="cpu", **settings)


def _writer(folder: Path) -> Any:
    """For which transformers has no pipeline any more."""
    from transformers import AutoModelForSeq2SeqLM

    return AutoModelForSeq2SeqLM.from_pretrained(str(folder), local_files_only=True)


def _losses(trained: Trained, plan: Plan) -> np.ndarray:
    """The cell's test losses, float32 [items]."""
    scores = plan.store.scores(trained.result.cell_id)
    index = next(i for i, e in enumerate(trained.result.evaluations) if e.dataset == "test")
    return np.asarray(scores[scores["dataset"] == index]["loss"])
