"""What must be equal between arms, recorded when a cell takes its place on the start line."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from pipeline.data.batches import batch_schedule
from pipeline.errors import UnequalStartError
from pipeline.files import digest
from pipeline.models.adapters import without_adapters
from pipeline.models.build import Network, base_of
from pipeline.models.dropout_settings import is_dropout
from pipeline.records import StartLine
from pipeline.training.job import Job, seed_for
from pipeline.training.libraries import versions
from pipeline.training.loop.evaluation_schedule import FIRST, regular_interval


def start_line(
    job: Job, network: Network | None, *, train_items: np.ndarray, lengths: np.ndarray, dropout: float
) -> StartLine:
    """The record of this cell's start.

    Args:
        network: None where the arm has none.
        train_items: rows of the train subset, int [N].
        lengths: their tokens, int [N].
        dropout: of the network.
    """
    cell, method, items = job.cell, job.cell.method, len(train_items)
    interval = regular_interval(items=items, batch=cell.train.batch, every=cell.train.eval_every)
    epoch = batch_schedule(lengths, batch=cell.train.batch, examples=items, seed=seed_for(cell.train.seed, "order"))
    numbers = {k: float(v) for k, v in vars(cell.recipe).items() if not isinstance(v, str)}
    return StartLine(
        architecture=network.architecture if network else "",
        pooling=network.pooling if network else "",
        shrink=cell.arm.shrink,
        tokenizer=job.tokenizer_fingerprint,
        train_items=digest(train_items.astype("<i8").tobytes().hex())[:16],
        order=digest(*(",".join(map(str, batch.tolist())) for batch in epoch))[
            :16
        ],  # to its end, however early it ends
        evaluation_grid=f"0, doublings of {FIRST * cell.train.batch}, every {interval} examples at first",
        global_batch=cell.train.batch,
        dropout=dropout,
        trained_mode=_trained_mode(network) if network and not method.solved else "",
        parameter_dtype=_dtype(network.model) if network else "",
        precision=cell.train.precision,
        versions=versions(),
        recipe={} if method.solved else numbers,
        method=method.name,
        base_mode="train" if method.base_trains else "eval",
    )


def dropout_of(model: Any) -> float:
    """The largest dropout probability in the network as built, that of attention included.

    Adapters' own dropout is left out: it belongs to their arm, as their rank does.
    """
    parts = ((name, m) for name, m in model.named_modules() if "lora_dropout" not in name)
    return max((p for _, m in parts for p in _probabilities(m)), default=0.0)


def _probabilities(module: torch.nn.Module) -> Iterator[float]:
    """Of the module itself, which may be a dropout or, as attention is, pass a probability to a function."""
    if isinstance(module, torch.nn.Dropout):
        yield module.p
    yield from (float(value) for name, value in vars(module).items() if is_dropout(name, value))


def _trained_mode(network: Network) -> str:
    """The mode of every module with trained parameters.

    Raises:
        UnequalStartError: some are not in train mode, so that dropout would differ between arms.
    """
    model = network.model
    owners = [m for m in model.modules() if any(p.requires_grad for p in m.parameters(recurse=False))]
    if not all(m.training for m in owners):
        raise UnequalStartError("Some trained modules are not in train mode: dropout would differ between the arms.")
    fixed = not any(p.requires_grad for p in base_of_plain(network).parameters())
    if fixed and base_of_plain(network).training:
        raise UnequalStartError("The fixed base is in train mode: its features would change with dropout.")
    return "train"


def base_of_plain(network: Network) -> Any:
    """The base inside the network, adapters or not."""
    model = network.model
    plain = without_adapters(model)
    return base_of(plain, network.base_prefix)


def _dtype(model: Any) -> str:
    dtypes = sorted({str(p.dtype).removeprefix("torch.") for p in model.parameters()})
    if dtypes != ["float32"]:
        raise UnequalStartError(f"Parameters must be float32 in every arm, but this one has {', '.join(dtypes)}.")
    return dtypes[0]
