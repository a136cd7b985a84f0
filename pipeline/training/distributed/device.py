"""Where a cell's process computes."""

import os
from typing import TYPE_CHECKING

from pipeline.config.cell import Cell
from pipeline.hardware import Resolved

if TYPE_CHECKING:
    import torch


def rank() -> int:
    """This process's number among those of its cell, from 0."""
    return int(os.environ.get("RANK", "0"))


def device_of(hardware: Resolved) -> "torch.device":
    """The processor, or this process's GPU among those that it sees."""
    import torch

    if hardware.accelerator != "gpu":
        return torch.device("cpu")
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))


def is_sharded(cell: Cell, hardware: Resolved) -> bool:
    """Whether each process keeps a share of the network; a head alone is not worth it."""
    return hardware.sharded and cell.method.shardable


def shares_memory(cell: Cell, hardware: Resolved) -> bool:
    """Whether processes of this cell, on the processors of one machine, average gradients in memory that they share."""
    several = hardware.devices > 1 and hardware.nodes == 1
    return several and hardware.accelerator == "cpu" and not is_sharded(cell, hardware)
