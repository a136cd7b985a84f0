"""How the cells of a source are read, which follows from all of its cells: once for training, validation and test."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pipeline.data.table_cells.columns import Wanted
from pipeline.data.table_cells.decimals import Mark, decimal_mark
from pipeline.data.table_cells.label_lists import Cell, ListForm, applies, form_of, only_labels
from pipeline.data.table_cells.spelling import label_value, value_of
from pipeline.language import Sentence, said


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How labels, lists of labels and numbers are spelt; `notes` are sentences about what was not as expected."""

    form: ListForm | None = None
    mark: Mark = "."
    only: dict[str, str] = field(default_factory=dict)  # cells that are lists of one label, and that label
    notes: tuple[Sentence, ...] = ()

    def label(self, cell: str | None) -> str | None:
        """The label in a cell, None where there is none."""
        return label_value(self.only.get(cell, cell) if cell else None)

    def labels(self, cell: Cell) -> list[str]:
        """The labels in a cell."""
        assert self.form is not None
        return self.form.labels(cell)


def reading_of(tables: Iterable[Any], ask: Wanted) -> Reading:
    """How the wanted columns of these tables are spelt.

    Raises:
        DataError: labels or numbers can be read in no way, or in two.
    """
    read = list(tables)
    if ask.indicators:
        return Reading(form=ListForm(split=lambda text: [text]))
    if "labels" in ask.fields:
        form = form_of(_cells(read, ask.fields["labels"]), ask)
        return Reading(form=form, notes=(form.note,) if form.note else ())
    if "label" in ask.fields:
        column = ask.fields["label"]
        texts = [str(cell) for cell in _cells(read, column) if value_of(cell) is not None]  # type: ignore[arg-type]
        only = only_labels(texts, ask)
        if not only:
            return Reading()
        listed = said(
            "Column {column} holds lists of one label, such as {example}.",
            column=repr(column),
            example=repr(texts[0][:40]),
        )
        return Reading(only=only, notes=(listed,))
    if "score" in ask.fields:
        column = ask.fields["score"]
        mark = decimal_mark(_cells(read, column), ask)  # type: ignore[arg-type]
        comma = said("Column {column} has a decimal comma.", column=repr(column))
        return Reading(mark=mark, notes=(comma,) if mark == "," else ())
    return Reading()


def with_indicators(rows: Any, ask: Wanted) -> Any:
    """The rows with one column of labels, the names of the columns that apply, in place of a column for each label.

    Raises:
        DataError: a column holds something else than 0 and 1.
    """
    import pyarrow as pa

    if not ask.indicators:
        return rows
    columns = []
    for name in ask.indicators:
        texts = rows.column(name).to_pylist()
        known = {text: applies(text, name, ask) for text in set(texts)}
        columns.append([known[text] for text in texts])
    listed = [
        [name for name, there in zip(ask.indicators, row, strict=True) if there] for row in zip(*columns, strict=True)
    ]
    return rows.append_column(ask.fields["labels"], pa.array(listed, pa.list_(pa.string())))


def _cells(tables: Iterable[Any], column: str) -> list[Cell]:
    """The different cells of a column in all of the tables."""
    import pyarrow as pa

    distinct: dict[Any, Cell] = {}
    for table in tables:
        values = table.column(column)
        if pa.types.is_list(values.type):
            distinct |= {tuple(cell): cell for cell in values.to_pylist() if cell is not None}
        else:
            distinct |= {cell: cell for cell in values.unique().to_pylist()}
    return list(distinct.values())
