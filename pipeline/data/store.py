"""Encoded sets on disk: plain arrays and a table of examples that every cell maps, and one JSON about them."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from pipeline.data.example_table import ExampleTable
from pipeline.data.sets import DataReport, EncodedSet, LabelledSet, Prepared
from pipeline.errors import DataError, StorageError, nearest
from pipeline.files import digest
from pipeline.records import from_json, to_json

META = "meta.json"
GROUP = "group"  # column of the table of examples, beside the fields of an example


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
    timed: bool = False  # whether the time of each text is stored


@dataclass(frozen=True, kw_only=True)
class Meta:
    """What meta.json says."""

    labels: tuple[str, ...]
    sets: tuple[SetMeta, ...]
    report: DataReport


def write_meta(folder: Path, meta: Meta) -> None:
    """Write what describes the folder."""
    (folder / META).write_text(to_json(meta), encoding="utf-8")


def load(folder: Path, evaluated: Mapping[str, str] = MappingProxyType({})) -> Prepared:
    """The prepared data in `folder`; arrays are memory-mapped, so this takes milliseconds at any size.

    Args:
        folder: of what is trained, validated and tested on.
        evaluated: by name, the fingerprints of sets that are only evaluated.

    Raises:
        StorageError: a folder is missing or damaged.
    """
    meta = _meta(folder)
    sets = {s.name: _load_set(folder, s) for s in meta.sets}
    folders = {name: set_folder(folder, name, fingerprint) for name, fingerprint in evaluated.items()}
    more = {name: _meta(path) for name, path in folders.items()}
    return Prepared(
        folder=folder,
        labels=meta.labels,
        train=sets["train"],
        validation=sets["validation"],
        test=sets["test"],
        out_of_domain={name: _load_set(folders[name], meta_of_set.sets[0]) for name, meta_of_set in more.items()},
        report=functools.reduce(
            DataReport.with_set, (meta_of_set.report for meta_of_set in more.values()), meta.report
        ),
    )


def set_folder(prepared: Path, name: str, fingerprint: str) -> Path:
    """Where a set that is only evaluated lies, or will lie.

    Args:
        prepared: the folder of the task's own data, which decides how the set is encoded.
        name: what it is called.
        fingerprint: see `set_fingerprints`.
    """
    return prepared.with_name(digest(prepared.name, name, fingerprint)[:16])


def is_prepared(folder: Path) -> bool:
    """Whether a folder of encoded sets is there, whole."""
    return (folder / META).is_file()


def _meta(folder: Path) -> Meta:
    try:
        text = (folder / META).read_text(encoding="utf-8")
    except OSError as error:
        raise StorageError(
            f"{folder} holds no prepared data ({error}). Run the study again: it prepares it."
        ) from error
    return from_json(Meta, text, f"{folder.name}/{META}")


def stored_examples(prepared: Prepared, set_name: str) -> ExampleTable:
    """The examples of one set, in the order of its items, mapped from disk.

    Raises:
        DataError: there is no such set.
        StorageError: the file is damaged.
    """
    if set_name not in prepared.sets:
        raise DataError(f"{set_name!r} must be a prepared set. {nearest(set_name, prepared.sets)}")
    return examples_of(prepared.sets[set_name])


def examples_of(encoded: EncodedSet) -> ExampleTable:
    """The examples of a set, in the order of its items: mapped from disk, or those of a probe.

    Raises:
        StorageError: the file is damaged.
    """
    return ExampleTable(_table(encoded)) if encoded.examples is None else encoded.examples


def stored_rows(prepared: Prepared, set_name: str) -> LabelledSet:
    """One set as it was before it was encoded.

    Raises:
        StorageError: the file is damaged.
    """
    encoded = prepared.sets[set_name]
    table = _table(encoded)
    groups = tuple(table.column(GROUP).to_pylist()) if GROUP in table.column_names else None
    return LabelledSet(examples=ExampleTable(table), labels=np.asarray(encoded.labels), groups=groups)


def _table(encoded: EncodedSet) -> Any:
    import pyarrow as pa

    path, rows = encoded.folder / f"{encoded.name}.examples.arrow", len(encoded)
    try:
        with pa.memory_map(str(path)) as source, pa.ipc.open_stream(source) as reader:
            table = reader.read_all()
        table.validate(full=True)
    except (OSError, ValueError) as error:  # Arrow's own are ValueErrors
        raise _damaged(encoded.folder, encoded.name, str(error)) from error
    if table.num_rows != rows:
        raise _damaged(encoded.folder, encoded.name, f"{table.num_rows} examples for {rows} labels")
    return table


def _load_set(folder: Path, meta: SetMeta) -> EncodedSet:
    ids, offsets, labels, groups = (_array(folder, meta.name, p) for p in ("ids", "offsets", "labels", "groups"))
    beside = {known: _array(folder, meta.name, known) for known in meta.beside}
    years = _array(folder, meta.name, "years") if meta.timed else None
    if any(len(numbers) != meta.rows for numbers in (groups, *beside.values(), *([] if years is None else [years]))):
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
        years=years,
        beside=beside,
        truncated=meta.truncated,
        unknown=meta.unknown,
        fingerprint=meta.fingerprint,
        folder=folder,
    )


def _array(folder: Path, name: str, part: str) -> Any:
    try:
        # A plain array on the same mapping: a batch is hundreds of slices, which take nine times as long of a memmap.
        return np.asarray(np.load(folder / f"{name}.{part}.npy", mmap_mode="r", allow_pickle=False))
    except (OSError, ValueError) as error:
        raise _damaged(folder, name, str(error)) from error


def _damaged(folder: Path, name: str, why: str) -> StorageError:
    return StorageError(f"The set {name!r} in {folder} is damaged ({why}). Delete that folder and run again.")
