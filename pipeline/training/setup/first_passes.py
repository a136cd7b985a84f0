"""A network's first passes over real texts, before the first cell: it must do what the settings take for granted."""

from typing import Any

import numpy as np
import torch

from pipeline.config.cell import Cell
from pipeline.data.sets import Prepared
from pipeline.errors import BaseModelError, ConfigError
from pipeline.models.adapters import without_adapters
from pipeline.models.batch_independence import INDEPENDENT, depends
from pipeline.models.build import Network
from pipeline.models.positions import longest_text
from pipeline.tasks import TaskKind, Vocabulary, kind
from pipeline.training.loop.inference import evaluating
from pipeline.training.setup.inputs import TokenInputs

_TOLERANCE = 1e-4  # of numbers kept of a text, and relative to them: above rounding, far below a real difference


def try_out(cell: Cell, network: Network, prepared: Prepared, vocabulary: Vocabulary) -> None:
    """Refuse the base of `network` if texts can be longer than it reads, if answers depend on the batch, or if the
    dropout asked for does nothing.

    The network is left as it was, except for the token that it takes for padding.

    Raises:
        BaseModelError, ConfigError: one of them; the message says what to do.
    """
    _require_positions(cell, longest_text(network.model))
    task = kind(cell.task.kind)
    inputs = TokenInputs(prepared.train, task, vocabulary)
    network.model.config.pad_token_id = vocabulary.pad
    model_type = without_adapters(network.model).config.model_type
    if model_type not in INDEPENDENT:
        _require_same_alone(cell, network, task, inputs, model_type)
    if cell.train.dropout:
        _require_dropout(cell, network, task, inputs)


def _require_positions(cell: Cell, longest: int | None) -> None:
    if longest is not None and cell.task.max_length > longest:
        raise ConfigError(
            [f"task.max_length must be at most {longest}, the positions of base {cell.base.name!r}, but got "
             f"{cell.task.max_length}."]
        )  # fmt: skip


def _require_same_alone(cell: Cell, network: Network, task: TaskKind, inputs: TokenInputs, model_type: str) -> None:
    """The shortest training text, beside the longest and then alone, as some architectures remember what they read."""
    short, long = int(inputs.lengths.argmin()), int(inputs.lengths.argmax())
    with evaluating(network.model, "fp32"):
        beside, alone = (_answers(network, task, inputs, rows)[0] for rows in ([short, long], [short]))
    if not np.allclose(beside, alone, rtol=_TOLERANCE, atol=_TOLERANCE):
        apart = float(np.abs(beside - alone).max())
        raise depends(
            cell.base.name,
            model_type,
            f"beside a longer text its numbers for one of the training texts change by {apart:.2g}",
        )


def _require_dropout(cell: Cell, network: Network, task: TaskKind, inputs: TokenInputs) -> None:
    """Two passes in train mode over the longest training text must differ."""
    model, rows = network.model, [int(inputs.lengths.argmax())]
    modes = [module.training for module in model.modules()]
    model.train()
    with torch.random.fork_rng(), torch.no_grad():
        one, two = (_answers(network, task, inputs, rows) for _ in range(2))
    for module, mode in zip(model.modules(), modes, strict=True):
        module.training = mode
    if np.array_equal(one, two):
        raise BaseModelError(
            f"train.dropout={cell.train.dropout} does nothing on base {cell.base.name!r}: its architecture "
            f"({model.config.model_type}) has no dropout that acts. Use train.dropout=null, or 0."
        )


def _answers(network: Network, task: TaskKind, inputs: TokenInputs, rows: list[int]) -> Any:
    """What is kept of each text of a batch, float32 [B, width]."""
    batch = {name: values.to(network.device) for name, values in inputs.collate(np.array(rows)).items()}
    return task.answers(task.forward(network.model, batch), batch).float().cpu().numpy()
