"""Files that are packed (gzip, bzip2, xz) or in UTF-16, as files that are neither."""

import bz2
import codecs
import contextlib
import gzip
import lzma
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pipeline.errors import DataError
from pipeline.files import storage_error

_TEXTS = (".csv", ".tsv", ".tab", ".jsonl", ".ndjson", ".json")
_PACKED = (".gz", ".bz2", ".xz")
_OPENERS: dict[bytes, Callable[[Path], Any]] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\0": lzma.open}
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_OTHER_KINDS = {
    b"PK\x03\x04": "a zip archive or an Excel workbook",
    b"\xd0\xcf\x11\xe0": "an Excel workbook",
    b"PAR1": "a Parquet file",
    b"%PDF": "a PDF document",
    b"SQLite format 3": "an SQLite database",
}
_BLOCK = 1 << 20


def table_suffix(path: Path) -> str:
    """The ending of a file's name that says what kind of table it is, in lower case: ".csv" of reviews.csv.gz."""
    suffix = path.suffix.lower()
    return Path(path.stem).suffix.lower() if suffix in _PACKED else suffix


@contextlib.contextmanager
def unpacked(path: Path, field: str) -> Iterator[Path]:
    """The file itself, or for as long as the context lasts a copy of the same name that is unpacked and in UTF-8.

    Raises:
        DataError: it is torn, or of another kind than its name says.
        StorageError: the copy cannot be written.
    """
    try:
        with open(path, "rb") as file:
            start = file.read(16)
    except OSError as error:
        raise DataError(f"{field} must be readable, but {path} is not: {error}.") from error
    opener = next((each for magic, each in _OPENERS.items() if start.startswith(magic)), None)
    with contextlib.ExitStack() as stack:
        if opener is not None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            path = _unpack(path, folder / _plain_name(path), opener, field)
            with open(path, "rb") as file:
                start = file.read(16)
        if table_suffix(path) in _TEXTS:
            _check_text(path, start, field)
            if encoding := _wide(start):
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
                path = _recode(path, folder / path.name, encoding, field)
        yield path


def _plain_name(path: Path) -> str:
    return path.stem if path.suffix.lower() in _PACKED else path.name


def _check_text(path: Path, start: bytes, field: str) -> None:
    kind = next((what for magic, what in _OTHER_KINDS.items() if start.startswith(magic)), None)
    if kind:
        raise DataError(
            f"{field} must be what its name says, but {path.name} is {kind}. Save the rows as CSV, JSON lines or "
            f"Parquet, or give the file the ending that it should have."
        )


def _wide(start: bytes) -> str | None:
    """The encoding of a text whose characters take two bytes or four; a heading begins with a plain letter."""
    for mark, encoding in _MARKS.items():
        if start.startswith(mark):
            return encoding
    if len(start) < 4 or start[:2] == b"\0\0" or start[2:4] == b"\0\0" or start[0] == start[1]:
        return None
    if start[1:4:2] == b"\0\0":
        return "utf-16-le"
    return "utf-16-be" if start[0:4:2] == b"\0\0" else None


def _unpack(path: Path, target: Path, opener: Callable[[Path], Any], field: str) -> Path:
    try:
        with opener(path) as packed, open(target, "wb") as file:
            shutil.copyfileobj(packed, file, _BLOCK)
    except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile, OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno:
            raise storage_error(target, error) from error
        raise DataError(f"{field}: {path.name} cannot be unpacked ({error}). It is torn: fetch it again.") from error
    return target


def _recode(path: Path, target: Path, encoding: str, field: str) -> Path:
    try:
        with open(path, encoding=encoding, newline="") as text, open(target, "w", encoding="utf-8", newline="") as file:
            shutil.copyfileobj(text, file, _BLOCK)
    except UnicodeError as error:
        raise DataError(
            f"{field}: {path.name} begins as {encoding.upper()}, but cannot be read as that ({error}). It is damaged: "
            f"save it again as UTF-8."
        ) from error
    except OSError as error:
        raise storage_error(target, error) from error
    return target
