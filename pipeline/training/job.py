"""What a worker needs to train one cell; nothing else reaches it."""

from dataclasses import dataclass

from pipeline.config.cell import Cell
from pipeline.files import digest
from pipeline.hardware import Resolved
from pipeline.tasks import Vocabulary


@dataclass(frozen=True, kw_only=True)
class Job:
    """One cell, ready to be trained: identities computed, data prepared, hardware resolved."""

    cell: Cell
    cell_id: str
    root: str  # paths.root
    base_directory: str
    base_fingerprint: str
    tokenizer_fingerprint: str
    network_digest: str  # of the files that the base's network is read from
    data_folder: str  # of the prepared data
    vocabulary: Vocabulary
    hardware: Resolved
    concurrency: int  # cells that run at the same time
    pretraining: str | None = None  # the cell that this one goes on from
    pausing: bool = False  # whether it is saved where it is given up, to go on from there


def seed_for(seed: int, purpose: str) -> int:
    """An independent 63-bit seed for one purpose ("init", "order", "dropout", ...) of a cell's seed."""
    return int(digest(str(seed), purpose)[:15], 16)
