"""CSV, TSV and JSON lines read by Arrow, which is quick and takes little memory but forgives much.

So a file is checked first, and where it is not as it should be None comes back: the strict readers then say which line
is wrong, or read what Arrow cannot.
"""

import codecs
import csv
import mmap
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipeline.data.readers.arrow_tables import rows_of
from pipeline.data.readers.dialects import Dialect
from pipeline.data.table_cells.columns import Wanted
from pipeline.data.table_cells.rows import Rows

_BLOCK = 8 << 20  # bytes that Arrow parses at a time, more than the longest line
_EXACT = 2**53  # whole numbers up to here are exact as floats


def delimited(path: Path, ask: Wanted, dialect: Dialect) -> Rows | None:
    """The wanted columns of a table whose first line names the columns.

    Args:
        path: the file.
        ask: the columns.
        dialect: a standard one.

    Returns:
        A table of texts, or None.

    Raises:
        DataError: a column is missing, or stands there twice.
    """
    import pyarrow as pa
    import pyarrow.csv as pc

    names, quoted = _header(path, dialect), dialect.quote is not None
    if names is None or not _is_sound(path, dialect.separator if quoted else None):
        return None
    asked = {column: names[at] for column, at in ask.located(names, path.name, heading=True).items()}
    if any(names.count(name) > 1 for name in asked.values()):
        return None
    try:
        table = pc.read_csv(
            path,
            read_options=pc.ReadOptions(block_size=_BLOCK, skip_rows=dialect.before),
            parse_options=pc.ParseOptions(
                delimiter=dialect.separator, quote_char='"' if quoted else False, newlines_in_values=quoted
            ),
            convert_options=pc.ConvertOptions(
                include_columns=list(asked.values()),
                column_types=dict.fromkeys(asked.values(), pa.string()),
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowException:
        return None
    return table.rename_columns(list(asked))


def json_lines(path: Path, ask: Wanted) -> Rows | None:
    """The wanted columns of a file with one JSON object a line.

    Returns:
        A table of texts, or None; also where a column is missing, or holds what is no text, truth or whole number.
    """
    import pyarrow as pa

    if not _is_sound(path, None):
        return None
    texts = pa.schema([(column, pa.string()) for column in ask.columns])
    for schema in (texts, None):  # other columns are left unread where the wanted ones are texts
        table = _parsed(path, schema)
        if table is not None and all(_is_plain(table, column, ask) for column in ask.columns):
            return rows_of(table, ask, path.name, {}, {column: column for column in ask.columns})
    return None


def _parsed(path: Path, schema: Any) -> Any:
    import pyarrow as pa
    import pyarrow.json as pj

    others = "infer" if schema is None else "ignore"
    try:
        return pj.read_json(
            path,
            read_options=pj.ReadOptions(block_size=_BLOCK),
            parse_options=pj.ParseOptions(explicit_schema=schema, unexpected_field_behavior=others),
        )
    except pa.ArrowException:
        return None


def _is_plain(table: Any, name: str, ask: Wanted) -> bool:
    """Whether a column is there and holds what JSON says, as Arrow has taken it; lists are for labels alone."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if name not in table.column_names or table.column(name).null_count == len(table):
        return False
    column = table.column(name)
    listed = pa.types.is_list(column.type) and name == ask.fields.get("labels")
    kind = column.type.value_type if listed else column.type
    if pa.types.is_floating(kind) and not listed:
        return bool(pc.max(pc.abs(column)).as_py() < _EXACT)
    return any(test(kind) for test in (pa.types.is_string, pa.types.is_int64, pa.types.is_boolean))


def _header(path: Path, dialect: Dialect) -> list[str] | None:
    """The names in the heading; None where it cannot be read as a line of its own."""
    with open(path, "rb") as file:
        lines = [file.readline(_BLOCK) for _ in range(dialect.before + 1)]
    try:
        text = lines[-1].decode("utf-8" if dialect.before else "utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError:
        return None
    if not text.strip() or any(b"\r" in line.rstrip(b"\r\n") for line in lines):
        return None
    if dialect.quote and text.count('"') % 2:
        return None
    try:
        return next(replace(dialect, before=0).rows(text), None)
    except csv.Error:
        return None


def _is_sound(path: Path, separator: str | None) -> bool:
    """Whether a file is UTF-8 without zero bytes and, if a separator is given, double quotes enclose whole fields."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with open(path, "rb") as file:
            while block := file.read(_BLOCK):
                decoder.decode(block)
                if b"\0" in block:
                    return False
            decoder.decode(b"", final=True)
            if separator is None or not path.stat().st_size:
                return True
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                return content.find(b'"') < 0 or _fields(separator).match(content) is not None
    except (OSError, UnicodeDecodeError):
        return False


def _fields(separator: str) -> re.Pattern[bytes]:
    """A whole file of fields, each in double quotes or without one at its start."""
    between = re.escape(separator).encode()
    field = rb'(?:"(?:[^"]++|"")*+"|[^"%b\r\n][^%b\r\n]*+)?+' % (between, between)
    return re.compile(field + rb"(?:[%b\r\n]" % between + field + rb")*+\Z")
