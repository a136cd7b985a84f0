"""Builds an arm's network. Every arm starts from the same freshly initialised network; only then do they part:
pretrained arms receive the base's weights, the head stays the fresh one in all of them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.config.cell import Cell
from pipeline.errors import BaseModelError, StorageError, first_line
from pipeline.files import digest
from pipeline.models.able import read_configuration, require_able
from pipeline.models.adapters import add_adapters, without_adapters
from pipeline.models.dropout_settings import set_dropout
from pipeline.models.locate import Located
from pipeline.models.narrow import narrow
from pipeline.models.pooling import set_pooling
from pipeline.models.shrink import shrink
from pipeline.tasks import TaskKind, kind
from pipeline.tasks.pooled import pooling_of

LOADED_AT_LEAST = 0.95


@dataclass(frozen=True, kw_only=True)
class Network:
    """An arm's network and what is known of its start. `model` is in train mode, float32; built on the processor."""

    model: Any
    base_prefix: str
    architecture: str
    loaded_fraction: float | None
    pooling: str  # what the head reads, "head" for the architecture's own
    packed: bool  # whether batches are computed without their padding (on the processor)

    @property
    def device(self) -> Any:
        """The torch.device it is on now."""
        return next(self.model.parameters()).device


def configuration(cell: Cell, located: Located, labels: tuple[str, ...]) -> Any:
    """The Hugging Face configuration shared by every arm: the base's, with the task's classes and the asked dropout.

    Raises:
        BaseModelError: the directory's configuration cannot be used, or the base cannot do the task's kind.
    """
    names = dict(enumerate(labels))
    numbers = {name: i for i, name in names.items()}
    classes = {"num_labels": len(labels), "id2label": names, "label2id": numbers}
    config = read_configuration(cell.base.name, located.directory, **classes)
    require_able(cell.base.name, config, cell.task.kind)
    set_pooling(config, cell.base, located.directory, kind(cell.task.kind))
    if cell.arm.shrink < 1:
        shrink(config, cell.arm.shrink)
    if cell.train.dropout is not None:
        set_dropout(config, cell.train.dropout)
    return config


def build(
    cell: Cell, located: Located, labels: tuple[str, ...], *, seed: int, pretrained: Path | None = None
) -> Network:
    """The network of `cell`'s arm, on the start line.

    Args:
        seed: of the initialisation; the same for every arm, so that the fresh parts are equal bit by bit.
        pretrained: the weights of the training on the task's own text, for an arm that goes on from one.

    Raises:
        BaseModelError: the checkpoint is of another architecture, or so little of it fits that "pretrained" is random.
        StorageError: what was trained before is damaged.
    """
    import torch

    from pipeline.models.dropout import quicken
    from pipeline.models.unpadded import pack

    task = kind(cell.task.kind)
    config = configuration(cell, located, labels)
    torch.manual_seed(seed)
    model = _fresh(task, config, cell)
    architecture = digest(*[f"{n} {tuple(p.shape)}" for n, p in model.named_parameters()])
    fraction = None
    if cell.arm.start == "pretrained":
        fraction = _load_into(model, task, config, cell, located)
    if pretrained is not None:
        _go_on_from(pretrained, model)
    prefix = model.base_model_prefix
    model = _choose_trained(model, task, cell, prefix)
    attends = quicken(model)
    narrowed = narrow(model)
    packed = attends and pack(model, narrowed=narrowed)
    model.train()
    if not cell.method.base_trains:
        base_of(model, prefix).eval()
    return Network(
        model=model,
        base_prefix=prefix,
        architecture=architecture,
        loaded_fraction=fraction,
        pooling=pooling_of(config) or "head",
        packed=packed,
    )


def base_of(model: Any, prefix: str) -> Any:
    """The part of `model` that the base's checkpoint fills; of some architectures it is all that there is."""
    return getattr(model, prefix, model)


def _fresh(task: TaskKind, config: Any, cell: Cell) -> Any:
    import torch

    try:
        model = task.build(config)
    except (ValueError, KeyError) as error:
        raise BaseModelError(
            f"Base {cell.base.name!r} ({config.model_type}) cannot do {task.name}: {first_line(error)}"
        ) from error
    return model.to(torch.float32)


def _load_into(model: Any, task: TaskKind, config: Any, cell: Cell, located: Located) -> float:
    """Copy the checkpoint's weights over the base's part of `model`; the share of its parameters that were there."""
    try:
        loaded, info = task.load(str(located.directory), config)
    except (RuntimeError, ValueError, OSError, KeyError) as error:
        raise BaseModelError(f"Base {cell.base.name!r} cannot be loaded: {first_line(error)}") from error
    fraction = _loaded_fraction(loaded, info)
    if fraction < LOADED_AT_LEAST:
        raise BaseModelError(
            f"Only {fraction:.0%} of base {cell.base.name!r} were found in its checkpoint (at least "
            f"{LOADED_AT_LEAST:.0%} must be): the 'pretrained' arm would start nearly random. "
            "Check base.path and its config.json."
        )
    taken = "" if task.own_head else f"{model.base_model_prefix}."
    absent = _absent(loaded, info)
    there = {k: v for k, v in loaded.state_dict().items() if k.startswith(taken) and k not in absent}
    model.load_state_dict(there, strict=False)
    return fraction


def _go_on_from(weights: Path, model: Any) -> None:
    """Copy what a training on other heads left of the base's part over that of `model`; what it lacks, a pooler, stays.

    Raises:
        StorageError: it is not of this architecture.
    """
    from safetensors.torch import load_file

    taken = f"{model.base_model_prefix}."
    stored = {n: tensor for n, tensor in load_file(weights / "trained.safetensors").items() if n.startswith(taken)}
    sizes = {n: p.numel() for n, p in model.named_parameters() if n.startswith(taken)}
    found = sum(sizes.get(n, 0) for n in stored)
    if set(stored) - set(sizes) or found < LOADED_AT_LEAST * sum(sizes.values()):
        raise StorageError(
            f"{weights} does not hold what this arm's pretraining leaves. Delete the folder above it to train it again."
        )
    model.load_state_dict(stored, strict=False)


def _absent(model: Any, info: Any) -> set[str]:
    """Names of the tensors that the checkpoint lacks: they stay the fresh ones that every arm has."""
    missing = set(info["missing_keys"]) | {m[0] if isinstance(m, tuple) else m for m in info.get("mismatched_keys", ())}
    prefix = f"{model.base_model_prefix}."
    return {n for n in model.state_dict() if n in missing or n.removeprefix(prefix) in missing}


def _loaded_fraction(model: Any, info: Any) -> float:
    absent = _absent(model, info)
    prefix = f"{model.base_model_prefix}." if hasattr(model, model.base_model_prefix) else ""
    sizes = {n: p.numel() for n, p in model.named_parameters() if n.startswith(prefix)}
    return 1.0 - float(sum(sizes.get(n, 0) for n in absent)) / float(max(1, sum(sizes.values())))


def _choose_trained(model: Any, task: TaskKind, cell: Cell, prefix: str) -> Any:
    if cell.method.adapts:
        return add_adapters(model, cell.arm.lora, task)
    if cell.method.solved:
        model.requires_grad_(False)
        last_linear(model, prefix).requires_grad_(True)
    return model


def last_linear(model: Any, prefix: str) -> Any:
    """The linear layer that a classifier ends in, outside its base.

    Raises:
        BaseModelError: it ends in none.
    """
    import torch

    plain = without_adapters(model)
    of_base = set(base_of(plain, prefix).modules())
    own = [m for m in plain.modules() if m not in of_base and isinstance(m, torch.nn.Linear)]
    if not own or own[-1].out_features != plain.config.num_labels:
        raise BaseModelError(
            f"The head of {type(plain).__name__} does not end in a linear layer with an output for each class. "
            "Put one there: base.pooling=mean, or cls, or last."
        )
    return own[-1]
