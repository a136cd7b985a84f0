"""Trains the rows of the token embedding that the train subset reads, and leaves the others out of every step.

Half of a small encoder's parameters are embeddings, and a few hundred texts read a small part of them. The other rows
have no gradient, so that AdamW without decay never moves them; yet clipping, moments and update would go over all of
them at each step. Left out, they cost nothing, and what is trained comes to the same.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from pipeline.models.distributed.sharding import whole as all_of


class ReadRows(torch.nn.Embedding):
    """An embedding of which only the rows `read` are parameters; in evaluation it serves all rows."""

    def __init__(self, whole: torch.nn.Embedding, read: torch.Tensor) -> None:
        place = torch.full((whole.num_embeddings,), -1).index_copy(0, read, torch.arange(len(read)))
        pad = None if whole.padding_idx is None else int(place[whole.padding_idx])
        super().__init__(
            len(read),
            whole.embedding_dim,
            padding_idx=None if pad == -1 else pad,
            _weight=whole.weight.detach()[read].clone(),
        )
        self.place: torch.Tensor
        self.table: torch.Tensor
        self.register_buffer("place", place, persistent=False)
        self.register_buffer("table", whole.weight.detach(), persistent=False)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """Rows of these ids, [..., width]. In training an id that was not among `read` is an IndexError."""
        place = self.place[input]
        if self.training:
            return functional.embedding(place, self.weight, self.padding_idx)
        trained = functional.embedding(place.clamp_min(0), self.weight)
        return torch.where((place >= 0)[..., None], trained, functional.embedding(input, self.table))


@contextmanager
def only_rows_read(model: Any, ids: np.ndarray) -> Iterator[None]:
    """While the block lasts, `model` trains those rows of its token embedding alone; afterwards it is whole again.

    Args:
        ids: every token id that training will read, int [n], without repetition.
    """
    whole = model.get_input_embeddings()
    if not splittable(model):
        yield
        return
    read = torch.from_numpy(ids.astype(np.int64))
    part = ReadRows(whole, read).train(whole.training)
    model.set_input_embeddings(part)
    try:
        yield
    except BaseException:
        model.set_input_embeddings(whole)  # as it was: of shards, the others might not be there to put it together
        raise
    with torch.no_grad():
        trained = all_of(part.weight)
        whole.to(trained.device).weight[read] = trained
    model.set_input_embeddings(whole)


def splittable(model: Any) -> bool:
    """Whether the token embedding is a plain one that is trained, the only one, and that no other module shares."""
    if model.config.is_encoder_decoder:
        return False
    whole = model.get_input_embeddings()
    if type(whole) is not torch.nn.Embedding or whole.max_norm is not None or not whole.weight.requires_grad:
        return False
    return sum(p is whole.weight for m in model.modules() for p in m.parameters(recurse=False)) == 1
