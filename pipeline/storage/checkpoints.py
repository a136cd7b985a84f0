"""A training's state on disk, from which it goes on to the same bits: tensors in safetensors, the rest as JSON."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import torch

from pipeline.errors import StorageError
from pipeline.files import require_intact, safe_name, seal, staged_directory, write_text
from pipeline.records import TrajectoryPoint, from_json, to_json
from pipeline.storage.tensors import write_tensors

FORMAT = 2  # of checkpoints; raised when what is in them changes


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where a training stands after `step` steps; seconds are those of all its attempts together."""

    cell_id: str
    format: int
    step: int
    points: tuple[TrajectoryPoint, ...]
    seconds: tuple[float, ...]  # of training before each point
    training_seconds: float
    evaluation_seconds: float
    best_step: int
    waited: int  # evaluations without a better one
    loss_steps: int  # since the last point
    world: int  # processes, each with random numbers of its own


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A standing with its tensors, on the processor: "model.NAME", "optimizer.INDEX.NAME", "best.NAME", and others."""

    standing: Standing
    tensors: dict[str, torch.Tensor]

    def part(self, prefix: str) -> dict[str, torch.Tensor]:
        """The tensors whose names start with `prefix` and a dot, by what follows."""
        start = f"{prefix}."
        return {name.removeprefix(start): t for name, t in self.tensors.items() if name.startswith(start)}


@dataclass(frozen=True)
class CheckpointStore:
    """The checkpoints of one cell, `root/checkpoints/CELL-STEP/`. One appears complete or not at all."""

    root: Path
    cell_id: str

    def save(self, checkpoint: Checkpoint) -> None:
        """Write it beside the one before, which goes once this one is on disk.

        Raises:
            StorageError: the disk is full or cannot be written to; the one before stands.
        """
        target = self._folder / f"{safe_name(self.cell_id, 'cell')}-{checkpoint.standing.step:09d}"
        before = self._all()
        with staged_directory(target) as folder:
            write_tensors(folder / "tensors.safetensors", checkpoint.tensors)
            write_text(folder / "standing.json", to_json(checkpoint.standing))
            seal(folder)
        for folder in before:
            if folder != target:
                shutil.rmtree(folder, ignore_errors=True)

    def load(self) -> Checkpoint | None:
        """The latest, or None.

        Raises:
            StorageError: it is damaged, of another cell or of another version.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        saved = self._all()
        if not saved:
            return None
        require_intact(saved[-1])
        try:
            standing = self._standing((saved[-1] / "standing.json").read_text(encoding="utf-8"))
            tensors = load_file(saved[-1] / "tensors.safetensors")
        except (OSError, ValueError, SafetensorError) as error:
            raise StorageError(
                f"The checkpoint {saved[-1]} cannot be used ({error}). Delete that folder to begin the cell again."
            ) from error
        return Checkpoint(standing=standing, tensors=tensors)

    def _standing(self, text: str) -> Standing:
        """Raises ValueError where it is damaged, of another version or of another cell."""
        written = json.loads(text)
        if written.get("format") != FORMAT:
            raise ValueError("it was written by another version of Headstart")
        if written.get("cell_id") != self.cell_id:
            raise ValueError(f"it is of another cell, {written.get('cell_id')}")
        return from_json(Standing, text)

    def clear(self) -> None:
        """Remove them: the training is over."""
        for folder in self._all():
            shutil.rmtree(folder, ignore_errors=True)

    @property
    def _folder(self) -> Path:
        return self.root / "checkpoints"

    def _all(self) -> list[Path]:
        return sorted(self._folder.glob(f"{self.cell_id}-*"))
