"""A network spread over several processes: each keeps its share of every parameter, and of what is kept for each.

By PyTorch's `fully_shard`, or by DeepSpeed (`deepspeed.py`): a layer's parameters are put together as it is computed,
and given up again afterwards. What stands here is for networks that are spread and for those that are not; where one
is, all processes must call it, with the same values.
"""

import copy
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch.distributed.tensor import DTensor, distribute_tensor

from pipeline.models.distributed import deepspeed as zero


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
    """The whole of a tensor that may be spread over processes."""
    if zero.is_spread(tensor):
        return zero.whole(tensor)
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor.detach()


def kept(parameter: torch.Tensor) -> torch.Tensor:
    """A copy of its values now, for `write`."""
    return zero.whole(parameter).cpu() if zero.is_spread(parameter) else parameter.detach().clone()


def write(parameter: torch.Tensor, values: torch.Tensor) -> None:
    """Give it these values: whole ones, or what was `kept` of it."""
    if zero.is_spread(parameter):
        zero.write(parameter, values)
        return
    with torch.no_grad():
        parameter.copy_(_spread_like(values, parameter))


def moments(optimizer: Any, parameters: Sequence[torch.Tensor]) -> list[dict[str, torch.Tensor]]:
    """What the optimizer keeps of each of its parameters, whole; nothing before its first step."""
    if parameters and zero.is_spread(parameters[0]):
        return [zero.moments(optimizer, parameter) for parameter in parameters]
    return [{key: whole(value) for key, value in optimizer.state[parameter].items()} for parameter in parameters]


def write_moments(optimizer: Any, parameters: Sequence[torch.Tensor], saved: Sequence[dict[str, torch.Tensor]]) -> None:
    """Have the optimizer go on with these `moments`."""
    if parameters and zero.is_spread(parameters[0]):
        zero.write_moments(optimizer, parameters, saved)
        return
    each = zip(parameters, saved, strict=True)
    state = {i: {key: _spread_like(v, p) for key, v in values.items()} for i, (p, values) in enumerate(each) if values}
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def add_gradients(optimizer: Any) -> None:
    """Between two backward passes of one step: see that gradients add up."""
    if zero.is_zero(optimizer):
        zero.go_on_adding(optimizer)


def _spread_like(tensor: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    if not isinstance(like, DTensor) or tensor.shape != like.shape or isinstance(tensor, DTensor):
        return tensor
    return distribute_tensor(tensor.to(like.device), like.device_mesh, like.placements)


def take_over(model: Any, sharded: Any) -> None:
    """Give `model` the trained parameters of its sharded copy."""
    parameters = dict(model.named_parameters())
    with torch.no_grad():
        for name, values in sharded.named_parameters():
            if values.requires_grad:
                parameters[name].copy_(whole(values))
