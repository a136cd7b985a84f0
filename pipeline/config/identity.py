"""Identities of cells and of their evaluations: hashes of all that can change a result, and of nothing else."""

import json

from pipeline.config.cell import Cell
from pipeline.files import digest
from pipeline.records import encode

RESULT_VERSION = 11  # raised by hand when a change of the code changes results
LANGUAGE_VERSION = 2  # likewise, of the kinds below alone
EVALUATION_VERSION = 1  # likewise, of what is measured of a trained cell on sets that do not take part in its training
_OF_LANGUAGE = frozenset({"causal_language_modelling", "masked_language_modelling", "prompted_classification"})

# What describes but does not decide. Paths and sources give way to the fingerprints of the content they lead to.
EXCLUDED = frozenset(
    {
        "base.name",
        "base.source",
        "base.path",
        "base.revision",
        "base.package",
        "base.sha256",
        "base.licence",
        "base.upstream",
        "base.languages",
        "base.pretraining_flops",
        "base.pretraining_source",
        "base.test_text_seen",
        "base.test_text_note",
        "base.token",
        "task.name",
        "task.data",
        "task.out_of_domain",  # sets that are only evaluated; so is how many rows of them are
        "task.out_of_domain_size",
        "task.space",
        "train.keep",
        "train.samples",
        "train.checkpoint_every",
        "train.fit_memory",
        "arm.space",
        "arm.look",
        "arm.recipe",  # replaced by the recipe as `train` overrides it
        "train.lr",
        "train.weight_decay",
        "train.warmup",
        "train.decay",
        "train.cooldown",
        "train.epochs",
        "train.min_steps",
        "train.max_steps",
        "train.patience",
    }
)


def cell_id(cell: Cell, *, base_fingerprint: str, data_fingerprint: str) -> str:
    """Sixteen hexadecimal digits: equal if and only if the results must be equal.

    Args:
        cell: the training, its precision resolved.
        base_fingerprint: of the base's weights, configuration and tokenizer.
        data_fingerprint: of the content of every data file and of how columns and splits are taken from it.
    """
    fields = {k: v for k, v in _flatten(encode(cell)).items() if not _excluded(k)}
    fields |= {f"recipe.{k}": v for k, v in encode(cell.recipe).items()}
    method = cell.method
    fields["method_version"] = method.version
    if method.solved:
        fields = {k: v for k, v in fields.items() if not k.startswith("recipe.")}
    if _models_language(cell):
        fields["language"] = LANGUAGE_VERSION
    if "lora" not in method.settings:
        fields = {k: v for k, v in fields.items() if not k.startswith("arm.lora.")}
    if cell.arm.head == "fresh":
        del fields["arm.head"]
    if cell.train.best_by == "metric":
        del fields["train.best_by"]
    if cell.task.prompt is None:
        del fields["task.prompt"]
    if cell.arm.shrink == 1:
        del fields["arm.shrink"]
    if cell.arm.pretraining.objective is None:
        fields = {k: v for k, v in fields.items() if not k.startswith("arm.pretraining.")}
    text = json.dumps(fields, sort_keys=True)
    return digest(str(RESULT_VERSION), text, base_fingerprint, data_fingerprint)[:16]


def evaluation_id(cell_id: str, *, measured: str, content: str = "") -> str:
    """Sixteen hexadecimal digits: equal if and only if what is measured of a cell must be equal.

    Args:
        cell_id: the cell, whose identity holds its task's metric.
        measured: what is measured: "scores", or an audit with its version.
        content: fingerprint of the set that it is measured on; empty if that follows from the cell.
    """
    return digest(str(EVALUATION_VERSION), cell_id, measured, content)[:16]


def _models_language(cell: Cell) -> bool:
    """Whether it does, through its own head, or goes on from a network that did."""
    return cell.task.kind in _OF_LANGUAGE or cell.arm.pretraining.objective is not None


def _excluded(name: str) -> bool:
    parts = name.split(".")
    return any(".".join(parts[:i]) in EXCLUDED for i in range(1, len(parts) + 1))


def _flatten(value: object, prefix: str = "") -> dict[str, object]:
    if not isinstance(value, dict):
        return {prefix: value}
    flat: dict[str, object] = {}
    for key, inner in value.items():
        flat |= _flatten(inner, f"{prefix}.{key}" if prefix else str(key))
    return flat
