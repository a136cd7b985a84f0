"""Finished cells on disk. A cell's folder appears in one step, complete, or not at all."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pipeline.audits import Examination
from pipeline.config.cell import Cell
from pipeline.config.identity import RESULT_VERSION
from pipeline.config.redaction import public
from pipeline.errors import StorageError, UserError
from pipeline.files import lock, require_intact, safe_name, seal, staged_directory, write_text
from pipeline.records import (
    AuditResult,
    CellResult,
    Evaluation,
    Sample,
    decode,
    from_json,
    scores_dtype,
    to_json,
)
from pipeline.storage.evaluations import Evaluations
from pipeline.storage.item_scores import packed, unpacked

SAMPLES = "samples.json"
VALIDATION = "validation.npy"


@dataclass(frozen=True)
class ResultStore:
    """`root/cells/<cell_id>/`: config.json, result.json, scores.npy, validation.npy, environment.json, samples.json,
    weights/, evaluations/, and the digests of what was there when it was finished. Samples, weights and evaluations are
    there for some cells alone.
    """

    root: Path

    @property
    def cells(self) -> Path:
        """The folder of all finished cells."""
        return self.root / "cells"

    def folder(self, cell_id: str) -> Path:
        """Where the cell is, or would be."""
        return self.cells / safe_name(cell_id, "A cell's id")

    def has(self, cell_id: str) -> bool:
        """Whether the cell is finished."""
        return (self.folder(cell_id) / "result.json").is_file()

    def result(self, cell_id: str) -> CellResult:
        """The finished cell's result.

        Raises:
            StorageError: it does not exist or is damaged.
        """
        path = self._intact(cell_id, "result.json")
        return from_json(CellResult, _read(path), f"{path}")

    def _intact(self, cell_id: str, name: str) -> Path:
        """One of its files, or where that would be. Raises StorageError if its content is not what was written."""
        require_intact(self.folder(cell_id), name)
        return self.folder(cell_id) / name

    def evaluations(self, cell_id: str) -> Evaluations:
        """What was measured of the cell beside its training."""
        return Evaluations(self.folder(cell_id))

    def evaluated(self, cell_id: str, sets: Mapping[str, str], audits: Mapping[Examination, str]) -> CellResult:
        """The cell's result with what was measured beside its training.

        Args:
            cell_id: the cell.
            sets: by the name that it is to have, the id of the evaluation on a set.
            audits: the ids of audits; their sets are to have the names that these hold.

        Raises:
            StorageError: one is not there or is damaged.
        """
        result, there = self.result(cell_id), self.evaluations(cell_id)
        more = [replace(there.record(Evaluation, number), dataset=name) for name, number in sets.items()]
        examined = tuple(
            replace(there.record(AuditResult, number), dataset=of.dataset) for of, number in audits.items()
        )
        return replace(result, evaluations=(*result.evaluations, *more), audits=examined)

    def cell(self, cell_id: str) -> Cell:
        """The configuration it was trained with."""
        path = self._intact(cell_id, "config.json")
        return decode(Cell, json.loads(_read(path)), f"{path}")

    def scores_on(self, cell_id: str, evaluation_id: str) -> np.ndarray:
        """Per-example scores on a set that is no part of the training, `scores_dtype` [items]."""
        return self.evaluations(cell_id).items(evaluation_id)

    def scores(self, cell_id: str) -> np.ndarray:
        """Per-example scores, `scores_dtype` [items of all sets that are part of the training]."""
        path = self._intact(cell_id, "scores.npy")
        try:
            scores = np.load(path, allow_pickle=False)
        except (OSError, ValueError) as error:
            raise StorageError(
                f"{path} cannot be read ({error}). Delete its folder to train the cell again."
            ) from error
        beside = scores.dtype["statistics"].shape[0] if "statistics" in (scores.dtype.names or ()) else 0
        if scores.dtype != scores_dtype(beside):
            raise StorageError(f"{path} was written by another version. Delete its folder to train the cell again.")
        return np.asarray(scores)

    def validation(self, result: CellResult) -> np.ndarray:
        """What its metric is made of, for each of T points of its trajectory and V validation items.

        Zeros and ones uint8 [T, V], else float32 [T, V], or [T, V, K] if it follows from sums of K numbers.

        Raises:
            StorageError: it is not there or does not fit the result.
        """
        path = self._intact(result.cell_id, VALIDATION)
        items = next(evaluation.items for evaluation in result.evaluations if evaluation.role == "validation")
        try:
            return unpacked(np.load(path, allow_pickle=False), points=len(result.trajectory), items=items)
        except (OSError, ValueError) as error:
            raise StorageError(
                f"{path} cannot be read ({error}). Delete its folder to train the cell again."
            ) from error

    def samples(self, cell_id: str) -> tuple[Sample, ...]:
        """What it said of a few test texts; none where it was not asked."""
        path = self._intact(cell_id, SAMPLES)
        return decode(tuple[Sample, ...], json.loads(_read(path)), f"{path}") if path.is_file() else ()

    def weights(self, cell_id: str) -> Path | None:
        """The folder of its weights, or None where they were not kept."""
        path = self.folder(cell_id) / "weights"
        return path if path.is_dir() else None

    def intact_weights(self, cell_id: str) -> Path | None:
        """As `weights`, after every file in that folder was compared with what was written.

        Raises:
            StorageError: one of them is damaged.
        """
        path = self.weights(cell_id)
        if path:
            cell = path.parent
            require_intact(cell, *(str(file.relative_to(cell)) for file in path.rglob("*") if file.is_file()))
        return path

    def drop_checkpoints(self, cell_id: str) -> None:
        """Remove what a finished cell's training was saved as, where its process could not do so itself."""
        for checkpoint in (self.root / "checkpoints").glob(f"{cell_id}-*"):
            shutil.rmtree(checkpoint, ignore_errors=True)

    def drop_weights(self, cell_id: str) -> None:
        """Delete the weights and keep the result."""
        shutil.rmtree(self.folder(cell_id) / "weights", ignore_errors=True)

    def ids(self) -> list[str]:
        """All finished cells."""
        return sorted(p.parent.name for p in self.cells.glob("*/result.json") if not p.parent.name.startswith("."))

    def earlier(self) -> str:
        """A sentence on cells of an earlier version of results, the first time that it is asked; else empty."""
        path = self.root / "version"
        known = path.read_text(encoding="utf-8").strip() if path.is_file() else ""
        if known == str(RESULT_VERSION):
            return ""
        old = len(self.ids())
        write_text(path, f"{RESULT_VERSION}\n")
        if not old:
            return ""
        return (
            f"{old} cells under {self.cells} are results of {f'version {known}' if known else 'an earlier version'}, "
            f"and this is version {RESULT_VERSION}: they are left as they are and not used. prune deletes those that "
            "no study refers to."
        )

    def lock_file(self, cell_id: str) -> Path:
        """The file whose lock a process holds while it trains the cell."""
        return self.root / "locks" / f"{safe_name(cell_id, 'cell')}.lock"

    def find(self, prefix: str) -> str:
        """The one finished cell whose id starts with `prefix`.

        Raises:
            UserError: there is none, or more than one.
        """
        safe_name(prefix, "cell")
        matching = [name for name in self.ids() if name.startswith(prefix)]
        if len(matching) != 1:
            what = "no finished cell starts" if not matching else f"{len(matching)} finished cells start"
            raise UserError(f"cell={prefix}: {what} with these letters under {self.cells}. `report` lists the cells.")
        return matching[0]

    @contextmanager
    def claim(self, cell_id: str) -> Iterator[bool]:
        """Hold the cell's lock; yields whether it is still to be trained. The lock goes with its holder's death."""
        with lock(self.lock_file(cell_id)):
            to_do = not self.has(cell_id)
            if to_do:  # a folder without its marker is no cell, and would stand in the new one's place
                shutil.rmtree(self.folder(cell_id), ignore_errors=True)
            yield to_do

    @contextmanager
    def writing(self, cell: Cell, result: CellResult, scores: np.ndarray, validation: np.ndarray) -> Iterator[Path]:
        """A folder holding the result; what the caller adds to it (weights) is part of the same atomic step.

        Args:
            cell: its configuration.
            result: what it left behind.
            scores: per-example scores, `scores_dtype` [items of all evaluation sets].
            validation: what the metric is made of at each point of the trajectory, [T, V] or [T, V, K].
        """
        with staged_directory(self.folder(result.cell_id)) as folder:
            np.save(folder / "scores.npy", scores, allow_pickle=False)
            np.save(folder / VALIDATION, packed(validation), allow_pickle=False)
            write_text(folder / "config.json", to_json(public(cell)))
            yield folder
            write_text(folder / "result.json", to_json(result))
            seal(folder)

    def failure(self, cell_id: str) -> Path:
        """Where the reason of its last failure is kept."""
        return self.root / "failures" / f"{safe_name(cell_id, 'cell')}.txt"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise StorageError(f"{path} cannot be read ({error}).") from error
