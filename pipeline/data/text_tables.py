"""CSV and TSV: every error names its line."""

import csv
import io
import sys
from pathlib import Path

from pipeline.data.arrow_readers import delimited
from pipeline.data.example_table import table_of
from pipeline.data.rows import Rows, Wanted
from pipeline.errors import DataError


def read_utf8(path: Path, field: str) -> str:
    """The whole file as text.

    Raises:
        DataError: it is empty, cannot be read, is not UTF-8 (line and byte are named) or holds zero bytes.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{field} must be readable, but {path} is not: {error}.") from error
    if not data.strip():
        raise DataError(f"{field} must hold rows, but {path} is empty.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise not_utf8(path, data, error, field) from error
    if "\0" in text:
        at = data.index(b"\0")
        raise DataError(
            f"{field} must be plain text, but {path} holds zero bytes from byte {at} on (line {_line(data, at)}): "
            f"the file is damaged, or UTF-16. Fetch it again, or save it as UTF-8."
        )
    return text


def not_utf8(path: Path, data: bytes, error: UnicodeDecodeError, field: str) -> DataError:
    """The error for bytes that are not UTF-8: where, and how to convert the file."""
    at = error.start + (3 if data.startswith(b"\xef\xbb\xbf") else 0)
    encoding = "UTF-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "WINDOWS-1252"
    return DataError(
        f"{field} must be UTF-8, but {path} has byte 0x{data[at]:02x} on line {_line(data, at)} (byte offset {at}). "
        f"Convert it, for example with `iconv -f {encoding} -t UTF-8 {path.name} > utf8-{path.name}`."
    )


def read_delimited(path: Path, ask: Wanted, field: str) -> Rows:
    """The wanted columns of a CSV (commas, semicolons or tabs) or TSV file, whose first line names the columns.

    Arrow reads it. What Arrow cannot read is read here line by line, or refused with the line that is wrong.

    Raises:
        DataError: a column is missing, a line has too many or too few fields, or a quote never ends.
    """
    separator = _separator(_first_line(path), ask) if path.suffix.lower() == ".csv" else "\t"
    for quoted in (True, False) if separator == "\t" and path.suffix.lower() != ".csv" else (True,):
        found = delimited(path, ask, separator, quoted=quoted)
        if found is not None:
            return found
    return _strictly(path, ask, field)


def _first_line(path: Path) -> str:
    try:
        with open(path, encoding="utf-8-sig", errors="replace") as file:
            return file.readline()
    except OSError:
        return ""  # said when it is read


def _strictly(path: Path, ask: Wanted, field: str) -> Rows:
    text = read_utf8(path, field)
    if path.suffix.lower() == ".csv":
        return _delimited(text, path, ask, field, _separator(text, ask), csv.QUOTE_MINIMAL)
    try:
        return _delimited(text, path, ask, field, "\t", csv.QUOTE_MINIMAL)
    except _MalformedError:  # many TSV files hold bare quotes, which stand for themselves
        return _delimited(text, path, ask, field, "\t", csv.QUOTE_NONE)


class _MalformedError(DataError):
    """The table's quoting or its number of fields is wrong."""


def _line(data: bytes, at: int) -> int:
    return data.count(b"\n", 0, at) + 1


def _separator(text: str, ask: Wanted) -> str:
    head = text.split("\n", 1)[0].rstrip("\r")
    headers = {separator: next(csv.reader([head], delimiter=separator), []) for separator in (",", ";", "\t")}
    return max(headers, key=lambda separator: (ask.fields["text"] in headers[separator], len(headers[separator])))


def _delimited(text: str, path: Path, ask: Wanted, field: str, separator: str, quoting: int) -> Rows:
    csv.field_size_limit(sys.maxsize)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True, quoting=quoting)  # type: ignore[arg-type]
    try:
        header = [name.strip() for name in next(reader)]
        ask.check(header, path.name)
        columns = {name: header.index(name) for name in ask.columns}
        rows: dict[str, list[str | None]] = {name: [] for name in columns}
        for line in reader:
            if line[len(header) :] == [""]:  # a separator behind the last field, too
                del line[len(header) :]
            if len(line) == len(header):
                for name, at in columns.items():
                    rows[name].append(line[at])
            elif line:
                raise _MalformedError(
                    f"{field}: line {reader.line_num} of {path.name} has {len(line)} fields where the first line has "
                    f"{len(header)}. A text with {separator!r} in it must stand in double quotes."
                )
    except csv.Error as error:
        raise _MalformedError(
            f"{field}: line {reader.line_num} of {path.name} cannot be read ({error}). "
            f'Check the double quotes there; one inside a quoted text is written twice, as "".'
        ) from error
    return table_of(rows)
