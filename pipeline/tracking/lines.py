"""Files of JSON lines that only ever grow: one write per line, and a line torn by a crash harms no other."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.files import storage_error


@dataclass(frozen=True)
class Line:
    """One whole line: its JSON value (None where it is not an object) and the offset in bytes just after it."""

    value: dict[str, Any] | None
    end: int


def append(path: Path, value: dict[str, Any]) -> None:
    """Add `value` as one line, in one write; a torn last line is closed first, so that it spoils itself alone.

    Where the disk has room for a part of the line, nothing of it stays.

    Raises:
        StorageError: the folder is read-only or the disk is full.
    """
    line = dump(value)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            _write_all(handle, line if _closed(handle) else b"\n" + line)
        finally:
            os.close(handle)
    except OSError as error:
        raise storage_error(path, error) from error


def _write_all(handle: int, data: bytes) -> None:
    """A full disk takes a part of it first, without an error, and says why with the next write."""
    size = os.fstat(handle).st_size
    try:
        while data:
            data = data[os.write(handle, data) :]
    except OSError:
        os.ftruncate(handle, size)
        raise


def dump(value: dict[str, Any]) -> bytes:
    """One line."""
    return (json.dumps(value, ensure_ascii=False, allow_nan=False) + "\n").encode("utf-8")


def read(path: Path, offset: int = 0) -> Iterator[Line]:
    """The whole lines from byte `offset` on; a last line without its end is not there yet."""
    with open(path, "rb") as file:
        file.seek(offset)
        for raw in file:
            if not raw.endswith(b"\n"):
                return
            offset += len(raw)
            yield Line(_parse(raw), offset)


def last(path: Path, size: int = 80) -> bytes:
    """The last `size` bytes of the file, or fewer."""
    with open(path, "rb") as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - size))
        return file.read()


def _closed(handle: int) -> bool:
    size = os.fstat(handle).st_size
    return size == 0 or os.pread(handle, 1, size - 1) == b"\n"


def _parse(raw: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(raw)
    except ValueError:  # a torn line that was closed later
        return None
    return value if isinstance(value, dict) else None
