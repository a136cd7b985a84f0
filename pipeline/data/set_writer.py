"""Writing one encoded set a batch at a time, so that no set has to fit into memory."""

import hashlib
import json
import operator
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from pipeline.data.sets import LabelledSet
from pipeline.data.store import SetMeta
from pipeline.data.unknown import UnknownTokens
from pipeline.language import Sentence
from pipeline.tasks import FIELDS, FILLER, Encoded, Example, Field

_HEADER = 128  # bytes before the numbers of a .npy file
_FIRST_FIELDS: tuple[Field, ...] = ("text", "second", "label", "score", "labels")
_LATER_FIELDS = tuple(name for name in FIELDS if name not in _FIRST_FIELDS)
_FIRST_OF = operator.attrgetter(*_FIRST_FIELDS)


class SetWriter:
    """Writes the token ids, labels, groups and examples of one set into a folder. To be used as a context manager.

    Args:
        folder: where files go.
        name: of the set.
        tokenizer: a Hugging Face tokenizer, which says what it does not know.
    """

    def __init__(self, folder: Path, name: str, tokenizer: Any) -> None:
        self.folder, self.name = folder, name
        self.sentences: tuple[Sentence, ...] = ()  # what people should know of the set
        self._ids = folder / f"{name}.ids.npy"
        self._ids.write_bytes(bytes(_HEADER))
        self._examples: Any = None
        self._lengths: list[int] = []
        self._beside: dict[str, list[np.ndarray]] = {}
        self._truncated, self._unknown, self._digest = 0, UnknownTokens(tokenizer), hashlib.sha256()

    def __enter__(self) -> "SetWriter":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._examples is not None:
            self._examples.close()

    def add(self, table: Any, examples: Sequence[Example], encoded: Encoded) -> None:
        """Write the next examples of the set, which are the rows of an Arrow table."""
        if self._examples is None:
            import pyarrow as pa

            path, self.sentences = str(self.folder / f"{self.name}.examples.arrow"), encoded.sentences
            self._examples = pa.ipc.new_stream(path, table.schema)
        self._examples.write_table(table)
        tokens = np.concatenate(encoded.ids).astype(np.int32)
        with open(self._ids, "ab") as file:
            tokens.tofile(file)
        self._unknown.count(tokens)
        self._lengths += [len(row) for row in encoded.ids]
        self._truncated += encoded.truncated
        for known, numbers in encoded.beside.items():
            self._beside.setdefault(known, []).append(numbers)
        for e in examples:
            self._digest.update(json.dumps(_content(e)).encode() + b"\n")

    def finish(self, role: str, rows: LabelledSet) -> SetMeta:
        """Write what is known at the end, and describe what was written."""
        offsets = np.cumsum([0, *self._lengths], dtype=np.int64)
        with open(self._ids, "r+b") as file:
            file.write(_header(int(offsets[-1])))
        self._save("offsets", offsets)
        self._save("labels", rows.labels.astype(np.int32))
        self._save("groups", rows.group_numbers)
        if rows.years is not None:
            self._save("years", rows.years)
        for known, parts in self._beside.items():
            self._save(known, _together(parts))
        return SetMeta(
            name=self.name,
            role=role,
            rows=len(rows),
            tokens=int(offsets[-1]),
            truncated=self._truncated,
            unknown=self._unknown.share,
            beside=tuple(self._beside),
            timed=rows.years is not None,
            fingerprint=self._digest.hexdigest(),
        )

    def _save(self, part: str, numbers: np.ndarray) -> None:
        np.save(self.folder / f"{self.name}.{part}.npy", numbers, allow_pickle=False)


def _content(example: Example) -> list[Any]:
    """All that an example holds. A later field counts where it holds something, so that a new one changes no digest."""
    later = [(name, getattr(example, name)) for name in _LATER_FIELDS]
    return [*_FIRST_OF(example), *(held for held in later if held[1])]


def _header(numbers: int) -> bytes:
    """That of a .npy file with so many int32 numbers, which is padded to the same size whatever their number."""
    said = repr({"descr": "<i4", "fortran_order": False, "shape": (numbers,)}).encode()
    start = np.lib.format.magic(1, 0)
    size = _HEADER - len(start) - 2
    return start + size.to_bytes(2, "little") + said.ljust(size - 1) + b"\n"


def _together(parts: list[np.ndarray]) -> np.ndarray:
    """The rows of all parts; those that are shorter than others are filled up."""
    if parts[0].ndim == 1:
        return np.concatenate(parts)
    width = max(part.shape[1] for part in parts)
    return np.concatenate([np.pad(p, ((0, 0), (0, width - p.shape[1])), constant_values=FILLER) for p in parts])
