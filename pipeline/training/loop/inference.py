"""What a network answers on an encoded set: batched by length, in the cell's precision, shared between ranks."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from pipeline.data.batches import evaluation_batches
from pipeline.models.output import float32_output
from pipeline.tasks import TaskKind
from pipeline.training.setup.inputs import Inputs


@contextmanager
def evaluating(model: Any, precision: str) -> Iterator[None]:
    """The network in evaluation mode, without gradients, in a cell's precision; its mode is put back then.

    Logits are float32 in either precision: ties and differences of a thousandth are the network's, not rounding's.
    Layers compiled for training are not compiled for this as well: it would take longer than it spares.
    """
    device, modes = next(model.parameters()).device, [m.training for m in model.modules()]
    model.eval()
    try:
        bf16 = torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bf16")
        with torch.no_grad(), bf16, float32_output(model), torch.compiler.set_stance("force_eager"):
            yield
    finally:
        for module, mode in zip(model.modules(), modes, strict=True):
            module.training = mode


def answers(
    model: Any, inputs: Inputs, task: TaskKind, *, classes: int, precision: str, rank: int = 0, world: int = 1
) -> np.ndarray:
    """What `task` keeps of each example, float32 [N, width], in the set's order. The model's mode is put back then.

    Batches depend on the set alone, see evaluation_batches.
    """
    device = next(model.parameters()).device
    predictions = torch.zeros((len(inputs), task.width(classes)), dtype=torch.float32)
    batches = evaluation_batches(inputs.lengths, texts=task.evaluated_at_once)
    with evaluating(model, precision):
        for number in range(rank, math.ceil(len(batches) / world) * world, world):
            items = batches[min(number, len(batches) - 1)]  # as many passes on every rank: of shards all are needed
            batch = {name: values.to(device) for name, values in inputs.collate(items).items()}
            batch = inputs.judged(model, batch, items)
            kept = task.answers(task.forward(model, batch), batch)
            if number < len(batches):
                predictions[torch.from_numpy(items)] = kept.float().cpu()
    if world > 1:
        predictions = predictions.to(device)  # NCCL knows no other
        torch.distributed.all_reduce(predictions)
    return predictions.cpu().numpy()
