"""Dropout at a fraction of its usual cost on the processor, with the same distribution.

There, drawing masks takes more than a tenth of a small encoder's training: torch draws one number an element, on one
thread, and its fused attention has no dropout, so that attention with dropout takes the slow way. Here one 64-bit draw
decides four elements, from a generator that is quicker than torch's and seeded by it; and attention with dropout is
written out. On other devices, and without dropout, everything is torch's own.
"""

from functools import lru_cache
from typing import Any

import numpy as np
import torch
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS, sdpa_mask
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from pipeline.models.adapters import without_adapters
from pipeline.models.speed.packing import Packing

ATTENTION = "headstart"
_LEVELS = 1 << 16  # a probability is a multiple of 1/65,536
_SHORT = 96  # positions: up to there, torch's fused attention is the slower way on a processor


def quicken(model: Any) -> bool:
    """Let every dropout in `model`, attention's included, draw its masks this way. Parameters are not touched.

    Returns:
        whether the model attends by `attention` now; some bring their own.
    """
    for module in list(model.modules()):
        for name, child in module.named_children():
            if type(child) is torch.nn.Dropout:
                setattr(module, name, Dropout(child.p).train(child.training))
    plain = without_adapters(model)
    if plain.config._attn_implementation == "sdpa":
        plain.set_attn_implementation(ATTENTION)
    return bool(plain.config._attn_implementation == ATTENTION)


class Dropout(torch.nn.Dropout):
    """As torch's, with the mask of `keep_mask`."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """`input`, or in training its elements zeroed with probability p and the others scaled up."""
        if not self.training or not 0 < self.p < 1 or input.device.type != "cpu":
            return super().forward(input)
        return input * keep_mask(input, self.p)


def keep_mask(like: torch.Tensor, p: float) -> torch.Tensor:
    """Independent draws of the shape and dtype of `like`: 0 with probability p, else what keeps the mean at 1.

    Args:
        p: probability in [0, 1); taken to the nearest of 65,536 levels.
    """
    dropped = min(round(p * _LEVELS), _LEVELS - 1)
    kept = _draws(like.numel() // 4 + 1).view(torch.int16)[: like.numel()]
    kept.ge_(dropped - _LEVELS // 2)  # 1 or 0
    scale = _LEVELS / (_LEVELS - dropped)
    if like.element_size() == 2:  # the number's own bits, or none
        return kept.mul_(_bits(scale, like.dtype)).view(like.dtype).view(like.shape)
    return kept.to(like.dtype).mul_(scale).view(like.shape)


def _draws(items: int) -> torch.Tensor:
    """Independent 64-bit integers [items]; they follow from torch's generator, which gives one number for all."""
    generator = np.random.Generator(np.random.SFC64(int(torch.randint(2**63 - 1, ()))))
    return torch.from_numpy(generator.integers(-(2**63), 2**63, size=items, dtype=np.int64))


@lru_cache
def _bits(value: float, dtype: torch.dtype) -> int:
    return int(torch.tensor(value, dtype=dtype).view(torch.int16))


def attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    packing: Packing | None = None,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """Attention as transformers' interface has it.

    Args:
        query, key, value: [B, heads, L, D]; with `packing`, packed as it says, [1, heads, T, D], or a query a row.
        attention_mask: bool, broadcastable to [B, heads, L, L], True where attention may go; None: everywhere.

    Returns:
        [B, L, heads, D], or [1, T, heads, D] where the query is packed, and None in the place of the weights.
    """
    if packing is not None:
        return _of_packed(packing, module, query, key, value, attention_mask, dropout, scaling, **kwargs), None
    if not _written_out(module, query, key, attention_mask, dropout, kwargs):
        return sdpa_attention_forward(module, query, key, value, attention_mask, dropout, scaling, **kwargs)
    shared = query.reshape(*key.shape[:2], -1, query.shape[-1])  # queries of the heads that share a key, in one row
    weights = (shared * (scaling or query.shape[-1] ** -0.5)) @ key.transpose(-1, -2)
    if attention_mask is not None:
        weights = _closed(weights.view(*query.shape[:3], -1), attention_mask).view(weights.shape)
    weights = weights.float().softmax(dim=-1).to(value.dtype)  # in bf16 it would be several times slower
    mixed = (weights * keep_mask(weights, dropout) if dropout else weights) @ value
    return mixed.view(*query.shape[:3], -1).transpose(1, 2), None


def _closed(weights: torch.Tensor, open_: torch.Tensor) -> torch.Tensor:
    least = torch.finfo(weights.dtype).min
    return weights + torch.zeros_like(open_, dtype=weights.dtype).masked_fill_(~open_, least)


def _of_packed(
    packing: Packing, module: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, *rest: Any, **more: Any
) -> torch.Tensor:
    whole = query.shape[2] > 1
    asked = packing.rows(query) if whole else query
    mixed, _ = attention(module, asked, packing.rows(key), packing.rows(value), *rest, **more)
    return packing.packed(mixed.transpose(1, 2)) if whole else mixed


def _written_out(
    module: torch.nn.Module, query: torch.Tensor, key: torch.Tensor, mask: Any, dropout: float, other: dict[str, Any]
) -> bool:
    """Whether that is the quicker way, on the processor, and this the plain case, without what only torch's serves."""
    causal = other.get("is_causal")
    causal = getattr(module, "is_causal", True) if causal is None else causal
    plain = other.get("position_bias") is None
    masked = not causal if mask is None else mask.dtype == torch.bool
    quicker = 0 < dropout < 1 or (dropout == 0 and key.shape[2] <= _SHORT)
    return quicker and query.device.type == "cpu" and plain and masked


ALL_ATTENTION_FUNCTIONS.register(ATTENTION, attention)
ALL_MASK_ATTENTION_FUNCTIONS.register(ATTENTION, sdpa_mask)
