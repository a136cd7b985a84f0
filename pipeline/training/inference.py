"""Logits of a network on an encoded set: batched by length, in the cell's precision, shared between ranks."""

from typing import Any

import numpy as np
import torch

from pipeline.training.inputs import Inputs
from pipeline.training.limits import EVALUATION_BATCH


def logits(model: Any, inputs: Inputs, *, classes: int, precision: str, rank: int = 0, world: int = 1) -> np.ndarray:
    """float32 [N, C] for the whole set, in its order. The model's mode is put back afterwards.

    Batches depend on the set alone, so that the same network gives the same bits whatever the number of ranks.
    """
    device = next(model.parameters()).device
    found = torch.zeros((len(inputs), classes), dtype=torch.float32)
    modes = [m.training for m in model.modules()]
    model.eval()
    order = np.argsort(inputs.lengths, kind="stable")
    batches = [order[i : i + EVALUATION_BATCH] for i in range(0, len(order), EVALUATION_BATCH)]
    with torch.no_grad(), torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bf16"):
        for items in batches[rank::world]:
            batch = inputs.collate(items)
            out = model(
                input_ids=batch["input_ids"].to(device), attention_mask=batch["attention_mask"].to(device)
            ).logits
            found[torch.from_numpy(items)] = out.float().cpu()
    for module, mode in zip(model.modules(), modes, strict=True):
        module.training = mode
    if world > 1:
        torch.distributed.all_reduce(found)
    return found.numpy()
