"""What a worker needs to train or evaluate one cell; nothing else reaches it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.config.cell import Cell
from pipeline.data.sets import Prepared
from pipeline.data.store import load
from pipeline.files import digest
from pipeline.hardware import Resolved
from pipeline.models.checkpoints.locate import Located
from pipeline.storage.evaluations import audit_ids, set_ids
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
    network_state: str  # of the same files
    data_folder: str  # of the prepared data
    vocabulary: Vocabulary
    hardware: Resolved
    concurrency: int  # cells that run at the same time
    pretraining: str | None = None  # the cell that this one goes on from
    pausing: bool = False  # whether it is saved where it is given up, to go on from there
    evaluated: Mapping[str, str] = field(default_factory=dict)  # sets that are only evaluated: fingerprints by name
    audits: tuple[str, ...] = ()

    def located(self) -> Located:
        """Its base on this disk."""
        return Located(
            directory=Path(self.base_directory),
            weights=self.base_fingerprint,
            tokenizer=self.tokenizer_fingerprint,
            network=self.network_digest,
            state=self.network_state,
        )

    def data(self) -> Prepared:
        """The prepared data, mapped from disk."""
        return load(Path(self.data_folder), self.evaluated)

    @property
    def beside(self) -> tuple[str, ...]:
        """The ids of all that is measured of the cell beside its training."""
        sets = set_ids(self.cell_id, self.evaluated)
        return (*sets.values(), *audit_ids(self.cell_id, self.audits, self.evaluated).values())


def seed_for(seed: int, purpose: str) -> int:
    """An independent 63-bit seed for one purpose ("init", "order", "dropout", ...) of a cell's seed."""
    return int(digest(str(seed), purpose)[:15], 16)
