"""What `predict` is given and where its answers go: as many rows in, in order, as out."""

import contextlib
import csv
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

from pipeline.config.schema import TEXTS, Field, Predict, TextField
from pipeline.data.example_table import ExampleTable
from pipeline.data.readers.locate import TABLES
from pipeline.data.readers.sources import read_table
from pipeline.data.readers.text_tables import read_utf8
from pipeline.data.readers.unpacking import table_suffix
from pipeline.data.table_cells.columns import Wanted
from pipeline.errors import DataError, UserError
from pipeline.tasks import Example


def given_examples(given: Predict, fields: Sequence[TextField]) -> Iterator[Example]:
    """One example for each row of what is given, an empty one for a blank line or an empty cell.

    Of a file all rows are read first, so that a row that cannot be taken is refused before any answer is written.

    Args:
        given: the settings.
        fields: the texts that the network reads.

    Raises:
        DataError: there is no such file or column, a row lacks one of the texts, or it is not UTF-8.
    """
    if given.text is not None:
        return iter([_example([getattr(given, name) for name in TEXTS], TEXTS, fields)])
    if given.path is None and sys.stdin is None:
        raise DataError("predict reads standard input, but there is none. Use predict.text=TEXT or predict.path=FILE.")
    if given.path is None:
        return _of_standard_input(fields)
    path = Path(given.path)
    if not path.is_file():
        raise DataError(f"predict.path={given.path}: there is no such file.")
    if table_suffix(path) in TABLES:
        return iter(_of_table(path, given, fields))
    lines = read_utf8(path, "predict.path").replace("\r\n", "\n").removesuffix("\n").split("\n")
    return iter([_of_line(line, fields, f" on line {n} of {path.name}") for n, line in enumerate(lines, start=1)])


def _of_standard_input(fields: Sequence[TextField]) -> Iterator[Example]:
    """Line by line, as they come."""
    for n, line in enumerate(getattr(sys.stdin, "buffer", sys.stdin), start=1):
        text = _decoded(line, n) if isinstance(line, bytes) else line
        yield _of_line(text.removesuffix("\n").removesuffix("\r"), fields, f" on line {n}")


def _decoded(line: bytes, number: int) -> str:
    try:
        return line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise DataError(
            f"Standard input must be UTF-8, but has byte 0x{line[error.start]:02x} on line {number}. Convert it, for "
            "example with `iconv -f WINDOWS-1252 -t UTF-8`."
        ) from error


def _of_table(path: Path, given: Predict, fields: Sequence[TextField]) -> ExampleTable:
    import pyarrow as pa

    settings: dict[Field, str] = {name: f"predict.{_column(name)}" for name in fields}
    asked: dict[Field, str] = {name: getattr(given, _column(name)) for name in fields}
    rows = read_table(path, Wanted(fields=asked, field="predict", settings=settings), "predict.path")
    return ExampleTable(pa.table({name: rows.column(column).fill_null("") for name, column in asked.items()}))


def _column(name: TextField) -> str:
    """The setting that names a text's column."""
    return "column" if name == "text" else f"{name}_column"


def _of_line(line: str, fields: Sequence[TextField], where: str) -> Example:
    """A line is a text, or several with a tab between them."""
    texts = line.split("\t", len(fields) - 1)
    others = ["" if not line.strip() else None] * (len(fields) - len(texts))
    return _example([*texts, *others], fields, fields, where)


def _example(
    texts: Sequence[str | None], names: Sequence[TextField], fields: Sequence[TextField], where: str = ""
) -> Example:
    """The example with these texts, called `names`, for a network that reads `fields`."""
    given: dict[str, Any] = {name: text for name, text in zip(names, texts, strict=True) if text is not None}
    for name in fields:
        if name not in given:
            raise DataError(
                f"This cell reads {_listed(fields)}, but {given['text'][:60]!r}{where} comes without {name}. Give "
                f"it: predict.{name}=TEXT, a column of a table (predict.{_column(name)}), or after a tab in a line."
            )
    unread = [name for name in given if name not in fields]
    if unread:
        raise DataError(f"This cell reads {_listed(fields)} alone: leave out predict.{unread[0]}.")
    return Example(**given)


def _listed(fields: Sequence[TextField]) -> str:
    return " and ".join([", ".join(fields[:-1]), fields[-1]] if fields[1:] else fields)


def write_answers(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]], output: str | None) -> None:
    """Write a CSV with a heading to the file `output`, or to standard output.

    Raises:
        UserError: the file cannot be written.
    """
    if output is None:
        _write(columns, rows, sys.stdout)
        return
    with _whole_file(Path(output)) as file:
        _write(columns, rows, file)


@contextlib.contextmanager
def _whole_file(path: Path) -> Iterator[TextIO]:
    """A file that is called `path` once it is whole; until then, and if not all rows come, it is `path`.partial."""
    partial = path.with_name(f"{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = open(partial, "w", newline="", encoding="utf-8")  # noqa: SIM115 - closed below
    except OSError as error:
        raise UserError(f"predict.output={path} cannot be written: {error.strerror}. Choose another file.") from error
    with file:
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
        except BaseException:
            _keep_or_remove(partial)
            raise
    os.replace(partial, path)


def _keep_or_remove(partial: Path) -> None:
    answers = partial.read_text(encoding="utf-8").count("\n") - 1
    if answers > 0:
        print(f"The answers until then are in {partial}.", file=sys.stderr)
    else:
        partial.unlink()


def _write(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]], stream: TextIO) -> None:
    writer = csv.writer(stream)
    writer.writerow(["text", *columns])
    for row in rows:
        writer.writerow(row)
        stream.flush()
