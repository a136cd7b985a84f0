"""Which positions a classifier's head reads, the same in every arm of a study."""

import copy
from pathlib import Path
from typing import Any

from pipeline.config.schema import Base
from pipeline.errors import BaseModelError
from pipeline.models.checkpoints.tensor_names import tensor_names
from pipeline.tasks import TaskKind
from pipeline.tasks.heads.declared_pooling import SETTING, ReadOff
from pipeline.tasks.heads.decoding import is_encoder


def set_pooling(config: Any, base: Base, directory: Path, task: TaskKind, *, base_trains: bool) -> None:
    """Note in `config` how its classifiers pool; nothing where they have the architecture's own head.

    With `base.pooling=auto` and nothing declared that is the own head, if all that it reads is in the checkpoint. A
    head with a layer that no checkpoint holds would read a random projection of what the base knows: then a linear
    layer reads the same position instead.

    Raises:
        BaseModelError: the base cannot be pooled as asked.
    """
    if task.linear is None:
        return
    asked = base.pooling
    if asked == "cls" and not is_encoder(config):
        raise BaseModelError(
            f"base.pooling=cls needs an encoder, but {base.name!r} ({config.model_type}) is a decoder, whose first "
            "position has seen nothing of the text. Use base.pooling=last or mean."
        )
    if asked == "head" and not base_trains and not _own_head_is_whole(config, directory, task):
        raise BaseModelError(
            f"base.pooling=head reads a layer that {base.name!r} ({config.model_type}) does not hold, and an arm whose "
            "head alone is solved would leave that layer at random. Use base.pooling=mean, or leave such arms "
            "(frozen) out."
        )
    if asked == "auto":
        asked = "head" if _own_head_is_whole(config, directory, task) else _read_by_own_head(config)
    if asked != "head":
        setattr(config, SETTING, asked)


def _own_head_is_whole(config: Any, directory: Path, task: TaskKind) -> bool:
    """Whether the own head is one linear layer, and the checkpoint has all that it reads."""
    import torch

    with torch.device("meta"):
        model = task.build(copy.deepcopy(config))
    prefix = f"{model.base_model_prefix}."
    of_head = [
        n for n, p in model.named_parameters() if not n.startswith(prefix) and config.num_labels not in p.shape[:1]
    ]
    poolers = [n for n, _ in model.named_parameters() if n.startswith(prefix) and "pooler" in n]
    known = tensor_names(directory)
    return not of_head and all(n in known or n.removeprefix(prefix) in known for n in poolers)


def _read_by_own_head(config: Any) -> ReadOff:
    asked = getattr(config, "classifier_pooling", None)
    if asked in ("cls", "mean"):
        return "mean" if asked == "mean" else "cls"
    return "cls" if is_encoder(config) else "last"
