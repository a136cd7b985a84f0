"""Examples in an Arrow table: a column for each field, read as records a batch at a time."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, overload

import numpy as np

from pipeline.tasks import FIELDS, Example

BATCH = 4096  # examples that are Python objects at a time


class ExampleTable(Sequence[Example]):
    """Some rows of an Arrow table as examples. Tables share their columns, which may be mapped from disk.

    Args:
        table: columns called like the fields of an example; others are left out.
        rows: numbers of the rows, int64 [N]; None for all.
    """

    def __init__(self, table: Any, rows: np.ndarray | None = None) -> None:
        self.table = table.select([name for name in FIELDS if name in table.column_names])
        self.rows = np.arange(table.num_rows) if rows is None else rows

    @classmethod
    def of(cls, examples: Sequence[Example]) -> "ExampleTable":
        """A table of examples that are not read from anywhere."""
        import pyarrow as pa

        columns = {name: [getattr(example, name) for example in examples] for name in FIELDS}
        return cls(
            pa.table({name: values for name, values in columns.items() if any(v not in (None, ()) for v in values)})
        )

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, at: int) -> Example: ...
    @overload
    def __getitem__(self, at: slice) -> "ExampleTable": ...
    def __getitem__(self, at: int | slice) -> "Example | ExampleTable":
        if isinstance(at, slice):
            return self.take(np.arange(len(self))[at])
        return next(iter(self.take(np.array([range(len(self))[at]]))))

    def __iter__(self) -> Iterator[Example]:
        for batch in self.batches():
            yield from batch

    def batches(self, size: int = BATCH) -> Iterator[list[Example]]:
        """The examples in their order, at most `size` at a time."""
        for table in self.tables(size):
            columns = {name: table.column(name).to_pylist() for name in table.column_names}
            columns |= {"labels": [tuple(labels) for labels in columns["labels"]]} if "labels" in columns else {}
            yield [Example(**dict(zip(columns, row, strict=True))) for row in zip(*columns.values(), strict=True)]

    def tables(self, size: int = BATCH) -> Iterator[Any]:
        """The same as Arrow tables."""
        for start in range(0, len(self), size):
            some = self.rows[start : start + size]
            first = int(some.min())
            yield _taken(self.table.slice(first, int(some.max()) + 1 - first), some - first)

    def take(self, rows: np.ndarray) -> "ExampleTable":
        """The examples at these positions, in order."""
        return ExampleTable(self.table, self.rows[rows])


def _taken(table: Any, rows: np.ndarray) -> Any:
    """Rows of a table, taken chunk by chunk: Arrow would copy the whole table into one chunk first."""
    import pyarrow as pa

    order, batches = np.argsort(rows, kind="stable"), table.to_batches()
    starts = np.cumsum([0, *(batch.num_rows for batch in batches)])
    parts = np.split(rows[order], np.searchsorted(rows[order], starts[1:-1]))
    pieces = [
        batch.take(pa.array(part - start)) for batch, part, start in zip(batches, parts, starts[:-1], strict=True)
    ]
    taken = pa.Table.from_batches(pieces, table.schema).combine_chunks()
    return taken if (rows[order] == rows).all() else taken.take(pa.array(np.argsort(order)))


def table_of(columns: Mapping[str, Iterable[str | None]]) -> Any:
    """An Arrow table of columns of texts."""
    import pyarrow as pa

    return pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})


class TextRows:
    """Rows of texts, gathered one by one and kept in Arrow's memory, some thousand at a time.

    Args:
        names: of the columns.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names, self._rows, self._tables = names, list[Sequence[str | None]](), list[Any]()

    def add(self, row: Sequence[str | None]) -> None:
        """One text for each column, None where it is missing."""
        self._rows.append(row)
        if len(self._rows) == BATCH:
            self._flush()

    def table(self) -> Any:
        """All rows as an Arrow table."""
        import pyarrow as pa

        self._flush()
        return pa.concat_tables(self._tables)

    def _flush(self) -> None:
        self._tables.append(table_of({name: [row[at] for row in self._rows] for at, name in enumerate(self._names)}))
        self._rows = []


def mapped(column: Any, function: Any, kind: Any) -> Any:
    """A column of texts with `function` of each value; of equal values in a chunk it is asked once.

    Args:
        column: chunked array of texts; missing ones stay missing.
        function: of one text.
        kind: Arrow type of what it returns.
    """
    import pyarrow as pa

    chunks = []
    for chunk in column.chunks:
        encoded = chunk.dictionary_encode()
        values = pa.array([function(value) for value in encoded.dictionary.to_pylist()], kind)
        chunks.append(values.take(encoded.indices))
    return pa.chunked_array(chunks, kind)
