"""What a network takes in memory while it is trained: its parameters, and what a step keeps for its backward pass.

The latter is counted on the network itself, with one short text of three lengths.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.methods import Method
from pipeline.models.build import Network, base_of
from pipeline.models.speed.gradient_checkpointing import can_checkpoint_gradients
from pipeline.tasks import TaskKind, probe

_LENGTHS = (22, 42, 62)  # as in flops.py


@dataclass(frozen=True, kw_only=True)
class Footprint:
    """Parameters, and bytes kept from the forward pass to the backward pass.

    `fixed` bytes do not depend on the batch: weights in the precision that is computed in. Of B texts of L positions
    with T tokens in all, `linear` T come from what looks at one token at a time, `quadratic` B L^2 from attention.
    """

    parameters: int
    trained: int  # all, of the token embedding too
    row: int  # parameters of a row of the token embedding, where only the rows read are trained; else 0
    rows: int  # of that embedding
    layers: int
    width: int  # of the hidden states between layers
    packed_to: int  # tokens, a multiple of which batches without their padding are filled up to; 0: they are padded
    checkpoints_gradients: bool  # whether its layers can be computed again in the backward pass
    fixed: float
    linear: float
    quadratic: float
    logits: float  # numbers that the network is read for, for each token: next to none but for language models

    def activations(self, *, tokens: float, texts: int, length: int) -> float:
        """Bytes of one batch, weights left out."""
        return self.linear * tokens + self.quadratic * texts * length**2

    def between(self, tokens: float) -> float:
        """What stands between layers, in float32: it is kept where they are computed again."""
        return 4 * self.layers * self.width * tokens


def footprint(network: Network, task: TaskKind, *, method: Method, precision: str) -> Footprint:
    """Count; the network is left as it was, but for torch's random numbers.

    Where the base stays fixed, what its layers would keep is counted all the same: it says what passes through them.

    Args:
        method: how the arm is trained.
        precision: fp32 or bf16.
    """
    from pipeline.models.speed.embedding_rows import splittable
    from pipeline.models.speed.padding_free import MULTIPLE

    model = network.model
    sizes = [(p.numel(), p.requires_grad) for p in model.parameters()]
    embedding = model.get_input_embeddings() if method.trains_embeddings and splittable(model) else None
    fixed = list(base_of(model, network.base_prefix).parameters()) if method.solved else []
    for parameter in fixed:
        parameter.requires_grad_(True)
    counted = [_kept(model, task, length, precision) for length in _LENGTHS]
    for parameter in fixed:
        parameter.requires_grad_(False)
    vandermonde = np.vander(np.array(_LENGTHS, dtype=float), 3, increasing=True)
    constant, linear, quadratic = (max(0.0, float(x)) for x in np.linalg.solve(vandermonde, [k for k, _ in counted]))
    parts = [model.config.encoder, model.config.decoder] if hasattr(model.config, "encoder") else [model.config]
    return Footprint(
        parameters=sum(n for n, _ in sizes),
        trained=sum(n for n, required in sizes if required),
        row=0 if embedding is None else int(embedding.embedding_dim),
        rows=0 if embedding is None else int(embedding.num_embeddings),
        layers=sum(int(getattr(part, "num_hidden_layers", 1)) for part in parts),
        width=max(int(part.hidden_size) for part in parts),
        packed_to=MULTIPLE if network.packed else 0,
        checkpoints_gradients=can_checkpoint_gradients(model),
        fixed=constant,
        linear=linear,
        quadratic=quadratic,
        logits=counted[-1][1] / _LENGTHS[-1],
    )


def _kept(model: Any, task: TaskKind, length: int, precision: str) -> tuple[int, int]:
    """Bytes of all storages that autograd keeps and that are not the network's own, each counted once; and logits."""
    import torch

    own = {tensor.untyped_storage().data_ptr() for tensor in (*model.parameters(), *model.buffers())}
    kept: dict[int, Any] = {}  # storages and not tensors, whose graphs would hold this dictionary in turn

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage
        return tensor

    device = next(model.parameters()).device
    batch = {name: values.to(device) for name, values in probe(task, length).items()}
    bf16 = torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bf16")
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor), bf16:
        logits = task.forward(model, batch)
        losses = task.losses(logits, batch)
    total, read = sum(int(storage.nbytes()) for storage in kept.values()), logits.numel()
    del losses, logits
    return total, read
