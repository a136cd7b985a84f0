"""Data frames on their way in and out."""

import hashlib
import io
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pipeline.config.schema import TextField
from pipeline.errors import DataError, nearest
from pipeline.files import write_bytes
from pipeline.records import Findings
from pipeline.report.verdict_sentences import verdict_sentence
from pipeline.tasks import Example

if TYPE_CHECKING:
    import pandas

NUMBERS = ("probability", "similarity")  # columns of predictions
SCORES = ("arm", "labels", "dataset", "role", "metric", "score", "low", "high", "level", "seeds", "items")
VERDICTS = ("claim", "statement", "verdict", "effect", "low", "high", "level", "seeds", "sentence")


class Frame(Protocol):
    """A table that offers its columns as Arrow: a DataFrame of pandas or polars, or a table of pyarrow."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """See Arrow's PyCapsule interface."""
        ...


def stored(table: "str | os.PathLike[str] | Frame", columns: Sequence[str | None], root: Path) -> Path:
    """The path of a table: as it was given, or of a Parquet file under `root` with what a data frame holds.

    Args:
        table: a path or a data frame.
        columns: names that a data frame must have; None stands for no name.
        root: the folder for results.

    Raises:
        DataError: it is neither, is empty, lacks a column, or holds values that Parquet cannot.
    """
    if isinstance(table, str | os.PathLike):
        return Path(table)
    import pyarrow.parquet as pq

    content = _as_arrow(table)
    for name in columns:
        if name is not None and name not in content.column_names:
            raise DataError(f"The data frame has no column {name!r}. {nearest(name, content.column_names)}")
    if not content.num_rows:
        raise DataError("compare must be given a table with rows, but the data frame has none.")
    buffer = io.BytesIO()
    pq.write_table(content.replace_schema_metadata(None), buffer)
    path = root / "tables" / f"table_{hashlib.sha256(buffer.getvalue()).hexdigest()[:12]}.parquet"
    if not path.is_file():
        write_bytes(path, buffer.getvalue())
    return path


def _as_arrow(table: Any) -> Any:
    """A table of pyarrow with the columns of a data frame, without its index."""
    import pandas
    import pyarrow as pa

    try:
        if isinstance(table, pandas.DataFrame):
            named = table.rename(columns=str)
            return pa.Table.from_pandas(named, preserve_index=False)
        if hasattr(table, "__arrow_c_stream__"):
            return pa.table(table)
    except (pa.ArrowException, ValueError, TypeError) as error:
        raise DataError(f"The data frame cannot be written as Parquet: {error}. Give each column one type.") from error
    raise DataError(
        f"compare must be given a path or a data frame (pandas, polars, Arrow), but got {type(table).__name__}."
    )


def score_table(findings: Findings) -> "pandas.DataFrame":
    """One row for each arm, train size and evaluation set."""
    import pandas

    rows = [
        (s.arm, s.size, s.dataset, s.role, s.metric, s.estimate.value, s.estimate.low, s.estimate.high,
         s.estimate.level, s.estimate.seeds, s.estimate.items)
        for s in findings.scores
    ]  # fmt: skip
    return pandas.DataFrame(rows, columns=SCORES)


def verdict_table(findings: Findings) -> "pandas.DataFrame":
    """One row for each claim; effect and interval are missing if nothing could be measured."""
    import pandas

    rows = [
        (v.claim, v.statement, v.verdict, *_effect(v.estimate), verdict_sentence(findings, v))
        for v in findings.verdicts
    ]
    return pandas.DataFrame(rows, columns=VERDICTS)


def _effect(estimate: Any) -> tuple[float | None, ...]:
    if estimate is None:
        return (None,) * 5
    return estimate.value, estimate.low, estimate.high, estimate.level, estimate.seeds


def examples_of(texts: Iterable[Any], fields: Sequence[TextField]) -> list[Example]:
    """The texts as examples.

    Args:
        texts: one text, several, or tuples of as many texts as there are fields.
        fields: the texts that the network reads.

    Raises:
        DataError: one of them is no text, or no such tuple.
    """
    given = [texts] if isinstance(texts, str) else list(texts)
    return [_example(text, number, fields) for number, text in enumerate(given)]


def _example(text: Any, number: int, fields: Sequence[TextField]) -> Example:
    parts = (text,) if isinstance(text, str) else tuple(text) if isinstance(text, list | tuple) else ()
    if len(parts) != len(fields) or not all(isinstance(part, str) for part in parts):
        wanted = f"a tuple of {len(fields)} texts ({', '.join(fields)})" if fields[1:] else "a text"
        raise DataError(f"predict needs {wanted} for each item, but item {number} is {text!r:.80}.")
    return Example(**dict(zip(fields, parts, strict=True)))


def prediction_table(columns: Sequence[str], rows: Iterable[tuple[str, ...]]) -> "pandas.DataFrame":
    """Predictions with numbers where they are numbers; an empty text has none."""
    import pandas

    table = pandas.DataFrame(list(rows), columns=["text", *columns])
    for name in NUMBERS:
        if name in columns:
            table[name] = pandas.to_numeric(table[name])
    return table
