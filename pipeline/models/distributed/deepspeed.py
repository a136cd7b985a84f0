"""Parameters that DeepSpeed spreads over processes (ZeRO, stage 3: Rajbhandari et al. 2020), and their moments.

A parameter is empty but while its layer is computed. Its values are there twice: as the network reads them, and as the
optimizer changes them.
"""

from collections.abc import Sequence
from typing import Any

import torch


def is_spread(parameter: torch.Tensor) -> bool:
    """Whether DeepSpeed has it."""
    return hasattr(parameter, "ds_id")


def is_zero(optimizer: Any) -> bool:
    """Whether it is DeepSpeed's."""
    return hasattr(optimizer, "fp32_partitioned_groups_flat")


def whole(parameter: torch.Tensor) -> torch.Tensor:
    """A copy of all its values."""
    from deepspeed.runtime.zero import GatheredParameters

    with GatheredParameters([parameter]):
        return parameter.detach().clone()


def write(parameter: torch.Tensor, values: torch.Tensor) -> None:
    """Give it these values, to read and to change."""
    from deepspeed.utils import safe_set_local_fp32_param

    share = _share_of(parameter, values)
    with torch.no_grad():
        parameter.ds_tensor.copy_(share)  # type: ignore[attr-defined]
    safe_set_local_fp32_param(parameter, share)


def go_on_adding(optimizer: Any) -> None:
    """After a backward pass: the gradients of the next one are added to its own."""
    optimizer.clear_backward_seen_flag()  # which the engine's own forward pass would do


def moments(optimizer: Any, parameter: torch.Tensor) -> dict[str, torch.Tensor]:
    """What `optimizer`, DeepSpeed's, keeps of it: "step", "exp_avg", "exp_avg_sq"; nothing before its first step."""
    from deepspeed.utils import safe_get_full_optimizer_state

    states = list(optimizer.optimizer.state.values())
    if not states:
        return {}
    named = {key for key in states[0] if key != "step"}
    return {key: safe_get_full_optimizer_state(parameter, key) for key in named} | {"step": states[0]["step"].clone()}


def write_moments(optimizer: Any, parameters: Sequence[torch.Tensor], saved: Sequence[dict[str, torch.Tensor]]) -> None:
    """Have `optimizer`, DeepSpeed's, go on with these."""
    from deepspeed.utils import safe_set_local_optimizer_state

    for flat in optimizer.fp32_partitioned_groups_flat:
        optimizer.optimizer.state[flat] = {
            key: value.clone() if key == "step" else torch.zeros_like(flat) for key, value in saved[0].items()
        }
    for parameter, values in zip(parameters, saved, strict=True):
        for key in values.keys() - {"step"}:
            safe_set_local_optimizer_state(parameter, _share_of(parameter, values[key]), key)


def _share_of(parameter: Any, values: torch.Tensor) -> torch.Tensor:
    """This process's part of them, all parts being of one length."""
    length = parameter.ds_tensor.numel()
    start = length * torch.distributed.get_rank()
    part = values.flatten()[start : start + length].to(parameter.ds_tensor)
    return torch.nn.functional.pad(part, (0, length - part.numel()))
