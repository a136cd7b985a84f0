"""Builds an arm's network. Every arm starts from the same freshly initialised network; only then do they part:
pretrained arms receive the base's weights, the head stays the fresh one in all of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.config.cell import Cell
from pipeline.errors import BaseModelError, StorageError, first_line
from pipeline.files import digest
from pipeline.models.adapters import add_adapters, replaced, without_adapters
from pipeline.models.base_compatibility import read_configuration, require_able
from pipeline.models.checkpoints.checkpoint_use import body_prefix, checkpoint_use, require_whole, taken_from
from pipeline.models.checkpoints.locate import Located
from pipeline.models.dropout_settings import set_dropout
from pipeline.models.pooling import set_pooling
from pipeline.models.shrink import shrink
from pipeline.models.speed.first_position import narrow
from pipeline.records import CheckpointUse, is_pooler
from pipeline.tasks import TaskKind, kind
from pipeline.tasks.heads.declared_pooling import pooling_of


@dataclass(frozen=True, kw_only=True)
class Network:
    """An arm's network and what is known of its start. `model` is in train mode, float32; built on the processor."""

    model: Any
    base_prefix: str
    architecture: str
    pooling: str  # what the head reads, "head" for the architecture's own
    checkpoint: CheckpointUse | None  # what it took from the base's checkpoint; None where it starts afresh
    fixed_fresh: Mapping[str, Any]  # parameters, by name, that are neither trained nor the base's: they must be stored
    packed: bool  # whether batches are computed without their padding (on the processor)

    @property
    def device(self) -> Any:
        """The torch.device it is on now."""
        return next(self.model.parameters()).device

    def stored(self) -> dict[str, Any]:
        """What a cell keeps of it, by name, on the processor: all that is trained or does not come from the base."""
        return {name: p.detach().cpu() for name, p in self.own().items()}

    @property
    def stored_bytes(self) -> int:
        """The size of what is `stored`."""
        return sum(p.numel() * p.element_size() for p in self.own().values())

    def own(self) -> dict[str, Any]:
        """The parameters that are `stored`, where they are."""
        trained = {name: p for name, p in self.model.named_parameters() if p.requires_grad}
        return {**trained, **self.fixed_fresh}


def configuration(cell: Cell, located: Located, labels: tuple[str, ...]) -> Any:
    """The Hugging Face configuration shared by every arm: the base's, with the task's classes and the asked dropout.

    Raises:
        BaseModelError: the directory's configuration cannot be used, or the base cannot do the task's kind.
    """
    names = dict(enumerate(labels))
    numbers = {name: i for i, name in names.items()}
    config = read_configuration(cell.base.name, located.directory)
    config.problem_type = None  # of the task that the checkpoint was last trained on; losses and outputs are the kind's
    config.id2label, config.label2id = names, numbers
    require_able(cell.base.name, config, cell.task.kind)
    set_pooling(config, cell.base, located.directory, kind(cell.task.kind), base_trains=cell.method.base_trains)
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
        BaseModelError: the checkpoint is of another architecture, or lacks tensors of the base's body.
        StorageError: what was trained before is damaged.
    """
    import torch

    from pipeline.models.speed.dropout import quicken
    from pipeline.models.speed.padding_free import pack

    task = kind(cell.task.kind)
    config = configuration(cell, located, labels)
    torch.manual_seed(seed)
    model = _fresh(task, config, cell)
    architecture = digest(*[f"{n} {tuple(p.shape)}" for n, p in model.named_parameters()])
    use = _load_into(model, task, config, cell, located) if cell.arm.start == "pretrained" else None
    if pretrained is not None:
        _go_on_from(pretrained, model)
    prefix = model.base_model_prefix
    fresh = _fresh_parameters(model, use, own_head=task.own_head)
    model = _choose_trained(model, task, cell, prefix)
    fixed = {name: p for name, p in model.named_parameters() if id(p) in fresh and not p.requires_grad}
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
        pooling=pooling_of(config) or "head",
        checkpoint=use,
        fixed_fresh={name: p for name, p in fixed.items() if not replaced(name)},
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


def _load_into(model: Any, task: TaskKind, config: Any, cell: Cell, located: Located) -> CheckpointUse:
    """Copy the checkpoint's weights over the base's part of `model`; what of them was used."""
    try:
        loaded, info = task.load(str(located.directory), config)
    except (RuntimeError, ValueError, OSError, KeyError) as error:
        raise BaseModelError(f"Base {cell.base.name!r} cannot be loaded: {first_line(error)}") from error
    use = checkpoint_use(loaded, info, own_head=task.own_head)
    require_whole(cell.base.name, use)
    model.load_state_dict(taken_from(loaded, use, own_head=task.own_head), strict=False)
    return use


def _fresh_parameters(model: Any, use: CheckpointUse | None, *, own_head: bool) -> set[int]:
    """The ids of the parameters that were initialised here."""
    of_base = set() if use is None else set(taken_from(model, use, own_head=own_head))
    return {id(p) for name, p in model.named_parameters() if name not in of_base}


def _go_on_from(weights: Path, model: Any) -> None:
    """Copy what a training on other heads left of the base's part over that of `model`; what it lacks, a pooler, stays.

    Raises:
        StorageError: it is not of this architecture.
    """
    from safetensors.torch import load_file

    taken = body_prefix(model)
    stored = {n: tensor for n, tensor in load_file(weights / "trained.safetensors").items() if n.startswith(taken)}
    wanted = {n for n, _ in model.named_parameters() if n.startswith(taken)}
    if set(stored) - wanted or not all(is_pooler(n) for n in wanted - set(stored)):
        raise StorageError(
            f"{weights} does not hold what this arm's pretraining leaves. Delete the folder above it to train it again."
        )
    model.load_state_dict(stored, strict=False)


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
