"""Features on disk: each text's are computed once, for whichever cell asks first, and shared by all."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.files import lock, require_intact, seal, staged_directory

Compute = Callable[[np.ndarray], np.ndarray]  # numbers of texts, int64 [N], ascending -> their vectors


@dataclass(frozen=True)
class FeatureStore:
    """Texts have numbers, and a vector of H values each. They lie in parts that only ever come to be whole.

    A part is a folder `root/features/KEY-0000/`, `-0001/`, ...: rows.npy, int64 [N], ascending, and vectors.npy,
    float32 [N, H]. KEY begins with the name of the prepared data that the texts are of.
    """

    root: Path
    key: str

    def read(self, rows: np.ndarray, compute: Compute) -> np.ndarray:
        """float32 [N, H] of the texts numbered `rows`; what is not there is computed and kept.

        Raises:
            StorageError: the disk is full or cannot be written to, or a part is damaged.
        """
        with lock(self.root / "locks" / f"features-{self.key}.lock"):
            for part in self._parts():
                require_intact(part)
            there = [np.load(part / "rows.npy", allow_pickle=False) for part in self._parts()]
            missing = np.setdiff1d(rows, np.concatenate([np.empty(0, np.int64), *there]))
            if len(missing):
                self._add(len(there), missing, compute(missing))
        return self._gather(rows)

    def _parts(self) -> list[Path]:
        return sorted((self.root / "features").glob(f"{self.key}-*"))

    def _add(self, number: int, rows: np.ndarray, vectors: np.ndarray) -> None:
        with staged_directory(self.root / "features" / f"{self.key}-{number:04d}") as folder:
            np.save(folder / "rows.npy", rows, allow_pickle=False)
            np.save(folder / "vectors.npy", vectors, allow_pickle=False)
            seal(folder)

    def _gather(self, rows: np.ndarray) -> np.ndarray:
        gathered: np.ndarray | None = None
        for part in self._parts():
            there = np.load(part / "rows.npy", allow_pickle=False)
            vectors = np.load(part / "vectors.npy", mmap_mode="r", allow_pickle=False)
            gathered = np.empty((len(rows), *vectors.shape[1:]), np.float32) if gathered is None else gathered
            wanted = np.flatnonzero(np.isin(rows, there))
            gathered[wanted] = vectors[np.searchsorted(there, rows[wanted])]
        assert gathered is not None
        return gathered
