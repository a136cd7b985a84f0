"""Encoded sets on disk: plain arrays that every cell maps into memory, the examples, and one JSON about them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.data.sets import RESERVED, DataReport, EncodedSet, LabelledSet, Prepared
from pipeline.errors import DataError, StorageError, nearest
from pipeline.files import digest, write_text
from pipeline.records import decode, encode, from_json, to_json
from pipeline.tasks import Encoded, Example

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


def write_set(folder: Path, name: str, role: str, rows: LabelledSet, encoded: Encoded, unknown: float) -> SetMeta:
    """Write one set's token ids, labels and examples, and say what was written."""
    offsets = np.cumsum([0, *(len(row) for row in encoded.ids)], dtype=np.int64)
    np.save(folder / f"{name}.ids.npy", np.concatenate(encoded.ids).astype(np.int32), allow_pickle=False)
    np.save(folder / f"{name}.offsets.npy", offsets, allow_pickle=False)
    np.save(folder / f"{name}.labels.npy", rows.labels.astype(np.int32), allow_pickle=False)
    for known, numbers in encoded.beside.items():
        np.save(folder / f"{name}.{known}.npy", numbers, allow_pickle=False)
    lines = [json.dumps(encode(example)) for example in rows.examples]
    write_text(folder / f"{name}.examples.jsonl", "".join(f"{line}\n" for line in lines))
    return SetMeta(
        name=name,
        role=role,
        rows=len(rows),
        tokens=int(offsets[-1]),
        truncated=encoded.truncated,
        unknown=unknown,
        beside=tuple(encoded.beside),
        fingerprint=digest(*lines, *(str(label) for label in rows.labels.tolist())),
    )


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


def stored_examples(prepared: Prepared, set_name: str) -> list[Example]:
    """The examples of one set, in the order of its items.

    Raises:
        DataError: there is no such set.
        StorageError: the file is damaged.
    """
    if set_name not in prepared.sets:
        raise DataError(f"{set_name!r} must be a prepared set. {nearest(set_name, prepared.sets)}")
    try:
        with open(prepared.folder / f"{set_name}.examples.jsonl", encoding="utf-8") as file:
            found = [decode(Example, json.loads(line)) for line in file]
    except (OSError, ValueError) as error:
        raise _damaged(prepared.folder, set_name, str(error)) from error
    if len(found) != len(prepared.sets[set_name]):
        raise _damaged(prepared.folder, set_name, f"{len(found)} examples for {len(prepared.sets[set_name])} labels")
    return found


def _load_set(folder: Path, meta: SetMeta) -> EncodedSet:
    ids, offsets, labels = (_array(folder, meta.name, part) for part in ("ids", "offsets", "labels"))
    beside = {known: _array(folder, meta.name, known) for known in meta.beside}
    if any(len(numbers) != meta.rows for numbers in beside.values()):
        raise _damaged(folder, meta.name, "its arrays do not fit together")
    if (len(ids), len(offsets), len(labels)) != (meta.tokens, meta.rows + 1, meta.rows) or offsets[-1] != meta.tokens:
        raise _damaged(folder, meta.name, "its arrays do not fit together")
    return EncodedSet(
        name=meta.name,
        role=meta.role,
        ids=ids,
        offsets=offsets,
        labels=labels,
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
