"""What is measured of a trained cell beside its training: each in a folder of its own, complete or not there at all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from pipeline.audits import Examination, examinations, measured_by
from pipeline.config.identity import evaluation_id
from pipeline.errors import StorageError
from pipeline.files import require_intact, safe_name, seal, staged_directory, write_text
from pipeline.records import AuditResult, Evaluation, from_json, to_json

T = TypeVar("T", Evaluation, AuditResult)
_RECORD, _ITEMS = "record.json", "items.npy"
SCORES = "scores"  # what is measured on a set, in the identity of an evaluation


def set_ids(cell_id: str, evaluated: Mapping[str, str]) -> dict[str, str]:
    """By name, the ids of the evaluations of a cell on sets; `evaluated` are the fingerprints of these."""
    return {name: evaluation_id(cell_id, measured=SCORES, content=content) for name, content in evaluated.items()}


def audit_ids(cell_id: str, audits: Sequence[str], evaluated: Mapping[str, str]) -> dict[Examination, str]:
    """The ids of what audits find of a cell on each set that they examine; `evaluated` as in `set_ids`."""
    return {
        each: evaluation_id(cell_id, measured=measured_by(each.audit), content=evaluated.get(each.dataset, ""))
        for each in examinations(audits, evaluated)
    }


@dataclass(frozen=True)
class Evaluations:
    """`CELL/evaluations/ID/`: record.json, and items.npy with a row for each item.

    Args:
        cell: the cell's folder.
    """

    cell: Path

    @property
    def root(self) -> Path:
        """The folder of all of them."""
        return self.cell / "evaluations"

    def folder(self, evaluation_id: str) -> Path:
        """Where one is, or would be."""
        return self.root / safe_name(evaluation_id, "An evaluation's id")

    def has(self, evaluation_id: str) -> bool:
        """Whether it is there."""
        return (self.folder(evaluation_id) / _RECORD).is_file()

    def write(self, record: Evaluation | AuditResult, items: np.ndarray) -> None:
        """Store one in a single step; one that is there already stays.

        Args:
            record: what was found, with its id.
            items: `scores_dtype` [N] of a set, float32 [N, columns] of an audit.
        """
        with staged_directory(self.folder(record.evaluation_id)) as folder:
            np.save(folder / _ITEMS, items, allow_pickle=False)
            write_text(folder / _RECORD, to_json(record))
            seal(folder)

    def record(self, kind: type[T], evaluation_id: str) -> T:
        """What was found.

        Raises:
            StorageError: it is not there or damaged.
        """
        path = self._intact(evaluation_id, _RECORD)
        try:
            return from_json(kind, path.read_text(encoding="utf-8"), f"{path}")
        except (OSError, UnicodeDecodeError) as error:
            raise _unreadable(path, error) from error

    def items(self, evaluation_id: str) -> np.ndarray:
        """What is known of each item.

        Raises:
            StorageError: it is not there or damaged.
        """
        path = self._intact(evaluation_id, _ITEMS)
        try:
            return np.asarray(np.load(path, allow_pickle=False))
        except (OSError, ValueError) as error:
            raise _unreadable(path, error) from error

    def _intact(self, evaluation_id: str, name: str) -> Path:
        """One of its files, or where that would be. Raises StorageError if its content is not what was written."""
        folder = self.folder(evaluation_id)
        require_intact(folder, name)
        return folder / name


def _unreadable(path: Path, error: Exception) -> StorageError:
    return StorageError(f"{path} cannot be read ({error}). Delete its folder to have it measured again.")
