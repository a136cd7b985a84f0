"""A network spread over several processes: each keeps its share of every parameter, and of what is kept for each.

By PyTorch's `fully_shard`: a layer's parameters are put together as it is computed, and given up again afterwards.
"""

import copy
from collections.abc import Iterator
from typing import Any

import torch
from torch.distributed.tensor import DTensor, distribute_tensor


def copy_to_shard(model: Any) -> Any:
    """A copy of `model` for `shard`, which cannot be undone; `model` stays whole, on the processor."""
    return copy.deepcopy(model)


def shard(model: Any, mesh: Any) -> None:
    """Spread `model` over the processes of `mesh`, layer by layer; all of them must hold the same weights."""
    from torch.distributed.fsdp import fully_shard

    for layer in _layers(model):
        fully_shard(layer, mesh=mesh)
    fully_shard(model, mesh=mesh)


def _layers(model: Any) -> Iterator[Any]:
    """The modules of the longest list of them, which are the layers of every architecture in transformers."""
    lists = [m for m in model.modules() if isinstance(m, torch.nn.ModuleList)]
    yield from max(lists, key=len, default=())


def whole(tensor: torch.Tensor) -> torch.Tensor:
    """The whole of a tensor that may be spread over processes, all of which must call this."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def spread_like(tensor: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """`tensor`, spread over processes where `like` is; all of them must call this, with the same values."""
    if not isinstance(like, DTensor) or tensor.shape != like.shape:
        return tensor
    return distribute_tensor(tensor.to(like.device), like.device_mesh, like.placements)


def take_over(model: Any, sharded: Any) -> None:
    """Give `model` the trained parameters of its sharded copy."""
    parameters = dict(model.named_parameters())
    with torch.no_grad():
        for name, values in sharded.named_parameters():
            if values.requires_grad:
                parameters[name].copy_(whole(values))
