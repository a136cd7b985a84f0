"""What a cell costs: FLOPs by count, parameters, bytes, and the memory of this process."""

import json
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from pipeline.config.cell import Cell
from pipeline.config.identity import RESULT_VERSION
from pipeline.files import digest, write_text
from pipeline.models.flops import Flops, count
from pipeline.records import decode, to_json

T = TypeVar("T")


def flops_of(cell: Cell, config: Any, *, root: Path) -> Flops:
    """The count for this network and arm; kept under `root/flops`, since it takes about a second."""
    return counted_once(Flops, root / "flops", cell, config, lambda: count(cell, config))


def counted_once(kind: type[T], folder: Path, cell: Cell, config: Any, compute: Callable[[], T], *more: str) -> T:
    """What `compute` counts of a cell's network, with the configuration `config`; kept in `folder` from then on.

    Args:
        more: what the count depends on besides the architecture and what is trained of it.
    """
    arm = [cell.arm.method, str(cell.arm.lora), cell.task.kind]
    path = folder / f"{digest(str(RESULT_VERSION), config.to_json_string(), *arm, *more)[:16]}.json"
    if path.is_file():
        return decode(kind, json.loads(path.read_text(encoding="utf-8")), str(path))
    counted = compute()
    write_text(path, to_json(counted))
    return counted


def cumulative_flops(flops: Flops, schedule: list[np.ndarray], lengths: np.ndarray) -> list[float]:
    """Training FLOPs after each step: of the texts' own tokens, whatever padding the hardware computes besides."""
    each = np.array([flops.training(1, int(length)) for length in lengths])
    return [float(x) for x in np.cumsum([each[batch].sum() for batch in schedule])]


def parameter_counts(model: Any) -> tuple[int, int]:
    """(all, trained) parameters."""
    sizes = [(p.numel(), p.requires_grad) for p in model.parameters()]
    return sum(n for n, _ in sizes), sum(n for n, trained in sizes if trained)


def resident_bytes() -> int:
    """What this process has in memory now."""
    import psutil

    return int(psutil.Process().memory_info().rss)


def peak_memory_bytes() -> int:
    """The peak of this process: of the GPU's allocator where one is used, else of resident memory, imports included."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        return int(torch.cuda.max_memory_allocated())
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
