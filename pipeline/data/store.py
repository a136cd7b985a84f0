"""Encoded sets on disk: plain arrays and a table of examples that every cell maps, and one JSON about them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.data.example_table import ExampleTable
from pipeline.data.sets import RESERVED, DataReport, EncodedSet, Prepared
from pipeline.errors import DataError, StorageError, nearest
from pipeline.records import from_json, to_json

META = "meta.json"


@dataclass(frozen=True, kw_only=True)
class SetMeta:
    """One stored set; `rows` and `tokens` are what its arrays must hold."""

    name: str
    role: str
    rows: int
    tokens: int
    truncated: int
    unknown: float  # see EncodedSet
    fingerprint: str
    beside: tuple[str, ...] = ()  # what else is stored of each text


@dataclass(frozen=True, kw_only=True)
class Meta:
    """What meta.json says."""

    labels: tuple[str, ...]
    sets: tuple[SetMeta, ...]
    report: DataReport


def write_meta(folder: Path, meta: Meta) -> None:
    """Write what describes the folder."""
    (folder / META).write_text(to_json(meta), encoding="utf-8")


def load(folder: Path) -> Prepared:
    """The prepared data in `folder`; arrays are memory-mapped, so this takes milliseconds at any size.

    Raises:
        StorageError: the folder is missing or damaged.
    """
    try:
        text = (folder / META).read_text(encoding="utf-8")
    except OSError as error:
        raise StorageError(
            f"{folder} holds no prepared data ({error}). Run the study again: it prepares it."
        ) from error
    meta = from_json(Meta, text, f"{folder.name}/{META}")
    sets = {s.name: _load_set(folder, s) for s in meta.sets}
    return Prepared(
        folder=folder,
        labels=meta.labels,
        train=sets["train"],
        validation=sets["validation"],
        test=sets["test"],
        out_of_domain={name: found for name, found in sets.items() if name not in RESERVED},
        report=meta.report,
    )


def stored_examples(prepared: Prepared, set_name: str) -> ExampleTable:
    """The examples of one set, in the order of its items, mapped from disk.

    Raises:
        DataError: there is no such set.
        StorageError: the file is damaged.
    """
    if set_name not in prepared.sets:
        raise DataError(f"{set_name!r} must be a prepared set. {nearest(set_name, prepared.sets)}")
    import pyarrow as pa

    path, rows = prepared.folder / f"{set_name}.examples.arrow", len(prepared.sets[set_name])
    try:
        with pa.memory_map(str(path)) as source, pa.ipc.open_stream(source) as reader:
            table = reader.read_all()
        table.validate(full=True)
    except (OSError, ValueError) as error:  # Arrow's own are ValueErrors
        raise _damaged(prepared.folder, set_name, str(error)) from error
    if table.num_rows != rows:
        raise _damaged(prepared.folder, set_name, f"{table.num_rows} examples for {rows} labels")
    return ExampleTable(table)


def _load_set(folder: Path, meta: SetMeta) -> EncodedSet:
    ids, offsets, labels, groups = (_array(folder, meta.name, p) for p in ("ids", "offsets", "labels", "groups"))
    beside = {known: _array(folder, meta.name, known) for known in meta.beside}
    if any(len(numbers) != meta.rows for numbers in (groups, *beside.values())):
        raise _damaged(folder, meta.name, "its arrays do not fit together")
    if (len(ids), len(offsets), len(labels)) != (meta.tokens, meta.rows + 1, meta.rows) or offsets[-1] != meta.tokens:
        raise _damaged(folder, meta.name, "its arrays do not fit together")
    return EncodedSet(
        name=meta.name,
        role=meta.role,
        ids=ids,
        offsets=offsets,
        labels=labels,
        groups=groups,
        beside=beside,
        truncated=meta.truncated,
        unknown=meta.unknown,
        fingerprint=meta.fingerprint,
    )


def _array(folder: Path, name: str, part: str) -> Any:
    try:
        return np.load(folder / f"{name}.{part}.npy", mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise _damaged(folder, name, str(error)) from error


def _damaged(folder: Path, name: str, why: str) -> StorageError:
    return StorageError(f"The set {name!r} in {folder} is damaged ({why}). Delete that folder and run again.")
