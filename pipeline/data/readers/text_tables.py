"""CSV and TSV: every error names its line."""

import csv
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from pipeline.data.example_table import TextRows
from pipeline.data.readers.arrow_readers import delimited
from pipeline.data.readers.dialects import HEAD, SEPARATORS, Dialect, beginning, dialect_of
from pipeline.data.table_cells.columns import Wanted
from pipeline.data.table_cells.rows import Rows
from pipeline.errors import DataError


def read_utf8(path: Path, field: str) -> str:
    """The whole file as text.

    Raises:
        DataError: it is empty, cannot be read, is not UTF-8 (line and byte are named) or holds zero bytes.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{field} must be readable, but {path.name} is not: {error}.") from error
    if not data.strip():
        raise DataError(f"{field} must hold rows, but {path.name} is empty.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise not_utf8(path, data, error, field) from error
    if "\0" in text:
        at = data.index(b"\0")
        raise DataError(
            f"{field} must be plain text, but {path.name} holds zero bytes from byte {at} on (line {_line(data, at)}): "
            f"the file is damaged, or UTF-16. Fetch it again, or save it as UTF-8."
        )
    return text


def not_utf8(path: Path, data: bytes, error: UnicodeDecodeError, field: str) -> DataError:
    """The error for bytes that are not UTF-8: where, and how to convert the file."""
    at = error.start + (3 if data.startswith(b"\xef\xbb\xbf") else 0)
    encoding = "UTF-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "WINDOWS-1252"
    return DataError(
        f"{field} must be UTF-8, but {path.name} has byte 0x{data[at]:02x} on line {_line(data, at)} (byte offset "
        f"{at}). Convert it, for example with `iconv -f {encoding} -t UTF-8 {path.name} > utf8-{path.name}`."
    )


def read_delimited(path: Path, ask: Wanted, field: str) -> Rows:
    """The wanted columns of a CSV or TSV file, whose first line names the columns; see `dialects`.

    Arrow reads it. What Arrow cannot read is read here line by line, or refused with the line that is wrong.

    Raises:
        DataError: a column is missing, a line has too many or too few fields, or a quote never ends.
    """
    preferred = SEPARATORS if path.suffix.lower() == ".csv" else ("\t", *(s for s in SEPARATORS if s != "\t"))
    dialect = dialect_of(_head(path), ask, preferred=preferred)
    for quote in (dialect.quote, None) if dialect.separator == "\t" else (dialect.quote,):
        standard = delimited(path, ask, replace(dialect, quote=quote)) if dialect.standard else None
        if standard is not None:
            return standard
    return _strictly(path, ask, field, dialect)


def _head(path: Path) -> str:
    try:
        with open(path, "rb") as file:
            return beginning(file.read(HEAD))
    except OSError:
        return ""  # said when it is read


def _strictly(path: Path, ask: Wanted, field: str, dialect: Dialect) -> Rows:
    refusal: _MalformedError | None = None
    for one in _dialects(path, field, dialect):
        try:
            with open(path, encoding="utf-8-sig", newline="") as lines:
                return _delimited(lines, path, ask, field, one)
        except _MalformedError as error:
            refusal = refusal or error
    assert refusal
    raise refusal


def _dialects(path: Path, field: str, dialect: Dialect) -> list[Dialect]:
    text = read_utf8(path, field)
    return list(dialect.others(text, bare_quotes=dialect.separator == "\t"))  # which stand for themselves in many files


class _MalformedError(DataError):
    """The table's quoting or its number of fields is wrong."""


def _line(data: bytes, at: int) -> int:
    return data.count(b"\n", 0, at) + 1


def _delimited(lines: Iterable[str], path: Path, ask: Wanted, field: str, dialect: Dialect) -> Rows:
    csv.field_size_limit(sys.maxsize)
    fields = dialect.fields(lines)
    try:
        header = next(fields, [])
        columns = ask.located(header, path.name, heading=True)
        rows = TextRows(list(columns))
        for line in fields:
            if line[len(header) :] == [""]:  # a separator behind the last field, too
                del line[len(header) :]
            if len(line) == len(header):
                rows.add([line[at] for at in columns.values()])
            elif line:
                raise _MalformedError(
                    f"{field}: line {fields.line} of {path.name} has {len(line)} fields where the first line has "
                    f"{len(header)}. A text with {dialect.separator!r} in it must stand in double quotes."
                )
    except csv.Error as error:
        raise _MalformedError(
            f"{field}: line {fields.line} of {path.name} cannot be read ({error}). "
            f'Check the double quotes there; one inside a quoted text is written twice, as "".'
        ) from error
    return rows.table()
