"""Spares an encoder the padding of its batches, on the processor.

Everything but attention looks at one position at a time. So the tokens of a batch are laid one after another, without
the padding between them, and only attention sees the rows again. In small training sets, where a batch has short and
long texts, padding is almost half of what would be computed. What is learned and what comes out are the same but for
rounding; dropout falls on other elements.
"""

from dataclasses import dataclass
from typing import Any

import torch

from pipeline.models.adapters import without_adapters

# T is rounded up to this with padding: each new size of a product needs a kernel made for it, so sizes should be few.
MULTIPLE = 16


@dataclass(frozen=True, kw_only=True)
class Packing:
    """Where the T tokens of B rows of L positions lie, counted in the vectors of single heads."""

    shape: tuple[int, int, int]  # (B, heads, L)
    tokens: torch.Tensor  # int64 [T]: places among the B x L positions
    firsts: torch.Tensor  # int64 [B]: of the rows' first positions, among the tokens
    to_rows: torch.Tensor  # int64 [B x heads x L]: of each place in rows, the vector among T x heads; padding: any
    to_tokens: torch.Tensor  # int64 [T x heads]: of each vector among the tokens, its place in rows
    padding: torch.Tensor  # int64: places in rows that belong to no token

    @classmethod
    def of(cls, mask: torch.Tensor, heads: int) -> "Packing":
        """The packing of rows whose tokens are where `mask` [B, L] is True; each row's first position is one."""
        rows, length = mask.shape
        tokens = mask.flatten().nonzero()[:, 0]
        number = mask.flatten().cumsum(0).sub_(1).clamp_(min=0).view(rows, 1, length)  # of each position's token
        head = torch.arange(heads)
        places = (tokens // length * heads * length + tokens % length)[:, None] + head * length
        return cls(
            shape=(rows, heads, length),
            tokens=tokens,
            firsts=number[:, 0, 0],
            to_rows=(number * heads + head[:, None]).flatten(),
            to_tokens=places.flatten(),
            padding=(~mask)[:, None].expand(rows, heads, length).flatten().nonzero()[:, 0],
        )

    def first(self, packed: torch.Tensor) -> torch.Tensor:
        """[1, T, H] -> [B, 1, H]: each row's first position."""
        return packed[0].index_select(0, self.firsts)[:, None]

    def rows(self, packed: torch.Tensor) -> torch.Tensor:
        """[1, heads, T, D] -> [B, heads, L, D], for attention. What stands at padding must not be attended to."""
        laid: torch.Tensor = _Rows.apply(packed, self)  # type: ignore[no-untyped-call]
        return laid

    def packed(self, rows: torch.Tensor) -> torch.Tensor:
        """[B, heads, L, D] -> [1, T, heads, D], what attention gives."""
        laid: torch.Tensor = _Packed.apply(rows, self)  # type: ignore[no-untyped-call]
        return laid


class _Rows(torch.autograd.Function):
    """Padding receives some token's vector, whose gradient is nothing as long as no one attends to it."""

    @staticmethod
    def forward(ctx: Any, packed: torch.Tensor, packing: Packing) -> torch.Tensor:
        ctx.packing = packing
        vectors = packed.transpose(1, 2).reshape(-1, packed.shape[-1])
        return vectors.index_select(0, packing.to_rows).view(*packing.shape, -1)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        heads, width = ctx.packing.shape[1], gradient.shape[-1]
        vectors = gradient.reshape(-1, width).index_select(0, ctx.packing.to_tokens)
        return vectors.view(1, -1, heads, width).transpose(1, 2), None


class _Packed(torch.autograd.Function):
    """What attention made for padding is left behind."""

    @staticmethod
    def forward(ctx: Any, rows: torch.Tensor, packing: Packing) -> torch.Tensor:
        ctx.packing = packing
        vectors = rows.reshape(-1, rows.shape[-1]).index_select(0, packing.to_tokens)
        return vectors.view(1, -1, packing.shape[1], rows.shape[-1])

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        vectors = gradient.reshape(-1, gradient.shape[-1]).index_select(0, ctx.packing.to_rows)
        return vectors.index_fill_(0, ctx.packing.padding, 0).view(*ctx.packing.shape, -1), None


def pack(model: Any) -> None:
    """Let the encoder of `model` compute its batches packed.

    The model must have been through `narrow`, which hands each row's first position on, and attend by `attention` of
    dropout.py: both are told of the packing by the argument `packing`.
    """
    plain = without_adapters(model)
    encoder = getattr(plain, plain.base_model_prefix).encoder
    encoder.register_forward_pre_hook(_packed_states, with_kwargs=True)


def _packed_states(encoder: Any, states: tuple[Any, ...], given: dict[str, Any]) -> tuple[Any, Any] | None:
    hidden, mask = states[0], given.get("attention_mask")
    if hidden.device.type != "cpu" or mask is None or mask.dtype != torch.bool:
        return None
    kept = _kept(mask[:, 0, 0])
    if kept.all() or not kept[:, 0].all():
        return None
    packing = Packing.of(kept, encoder.config.num_attention_heads)
    packed = hidden.flatten(0, 1).index_select(0, packing.tokens)[None]
    return (packed, *states[1:]), given | {"packing": packing}


def _kept(present: torch.Tensor) -> torch.Tensor:
    """`present` [B, L] and as much of the padding as fills the last multiple."""
    kept = present.flatten().clone()
    kept[(~kept).nonzero()[: -int(kept.sum()) % MULTIPLE, 0]] = True
    return kept.view(present.shape)
