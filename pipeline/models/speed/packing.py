"""Where the tokens of a padded batch lie once they are packed, that is, laid one after another without the padding."""

from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True, kw_only=True)
class _Places:
    """Where the vectors of single heads lie."""

    to_rows: torch.Tensor  # int64 [B x heads x L]: of each place in rows, the vector among T x heads; padding: any
    to_tokens: torch.Tensor  # int64 [T x heads]: of each vector among the tokens, its place in rows
    padding: torch.Tensor  # int64: places in rows that belong to no token


class Packing:
    """Where the T tokens of B rows of L positions lie; each row's first position is one.

    Args:
        mask: bool [B, L], True where tokens are.
    """

    def __init__(self, mask: torch.Tensor) -> None:
        self.mask = mask
        self.tokens = mask.flatten().nonzero()[:, 0]  # int64 [T]: places among the B x L positions
        self.number = mask.flatten().cumsum(0).sub_(1).clamp_(min=0).view(mask.shape)  # of each position's token
        self._places: dict[int, _Places] = {}  # by number of heads: queries may have more of them than keys

    def places(self, heads: int) -> _Places:
        """Of the vectors of so many heads."""
        if heads not in self._places:
            self._places[heads] = self._counted(heads)
        return self._places[heads]

    def _counted(self, heads: int) -> _Places:
        rows, length = self.mask.shape
        head = torch.arange(heads)
        places = (self.tokens // length * heads * length + self.tokens % length)[:, None] + head * length
        return _Places(
            to_rows=(self.number[:, None] * heads + head[:, None]).flatten(),
            to_tokens=places.flatten(),
            padding=(~self.mask)[:, None].expand(rows, heads, length).flatten().nonzero()[:, 0],
        )

    def taken(self, values: torch.Tensor) -> torch.Tensor:
        """[B, L, ...] -> [1, T, ...]."""
        return values.flatten(0, 1).index_select(0, self.tokens)[None]

    def restored(self, packed: torch.Tensor) -> torch.Tensor:
        """[1, T, H] -> [B, L, H], where padding holds some token's vector, which must not be read."""
        return packed[0].index_select(0, self.number.flatten()).view(*self.mask.shape, -1)

    def first(self, packed: torch.Tensor) -> torch.Tensor:
        """[1, T, H] -> [B, 1, H]: each row's first position."""
        return packed[0].index_select(0, self.number[:, 0])[:, None]

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
        (rows, length), heads, width = packing.mask.shape, packed.shape[1], packed.shape[3]
        ctx.places = packing.places(heads)
        vectors = packed.transpose(1, 2).reshape(-1, width)
        return vectors.index_select(0, ctx.places.to_rows).view(rows, heads, length, width)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        heads, width = gradient.shape[1], gradient.shape[3]
        vectors = gradient.reshape(-1, width).index_select(0, ctx.places.to_tokens)
        return vectors.view(1, -1, heads, width).transpose(1, 2), None


class _Packed(torch.autograd.Function):
    """What attention made for padding is left behind."""

    @staticmethod
    def forward(ctx: Any, rows: torch.Tensor, packing: Packing) -> torch.Tensor:
        ctx.shape, ctx.places = rows.shape, packing.places(rows.shape[1])
        vectors = rows.reshape(-1, rows.shape[-1]).index_select(0, ctx.places.to_tokens)
        return vectors.view(1, -1, rows.shape[1], rows.shape[3])

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        vectors = gradient.reshape(-1, gradient.shape[-1]).index_select(0, ctx.places.to_rows)
        return vectors.index_fill_(0, ctx.places.padding, 0).view(ctx.shape), None
