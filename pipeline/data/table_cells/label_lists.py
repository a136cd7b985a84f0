r"""The labels that one cell holds, in the ways in which tables spell lists.

* text with a separator, "price;taste", or labels that a pattern finds;
* a list that is spelt out, "['price', 'taste']" (`spelt_lists.py`);
* a vector of 0 and 1, "[1, 0, 1]" or "1 0 1": the numbers of the labels that apply, counted from 0;
* a column of 0 and 1 for each label.

Which of them a column holds follows from all of its cells, never from one alone.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from pipeline.data.table_cells.columns import Wanted
from pipeline.data.table_cells.spelling import bare, label_value, value_of
from pipeline.data.table_cells.spelt_lists import spelt_members
from pipeline.errors import DataError
from pipeline.language import Sentence, said

Cell = str | list[str] | None  # a list where the source has lists
_HASHTAGS = re.compile(r"#\S+(\s+#\S+)*")
_BITS = re.compile(r"[01](?:\.0*)?(?:[\s,|]+[01](?:\.0*)?)+")
_LIST = re.compile(r"\[(?:\s*|\s*['\"].*['\"]\s*|\s*[01](?:[\s,.]+[01])+[\s.]*)\]", re.DOTALL)  # quoted, or of 0 and 1
_OTHERS = (",", "|", "\t", "\n", "/")  # what stands between labels in other tables
_BIT = {"0": False, "1": True, "false": False, "true": True}
_SWITCH = {**_BIT, "no": False, "yes": True, "n": False, "y": True, "f": False, "t": True, "x": True}


@dataclass(frozen=True, kw_only=True)
class ListForm:
    """How the cells of a column of labels are read; `note` says so where that is not what the settings say."""

    split: Callable[[str], list[str]]  # the labels in a text, repeats included
    vector: bool = False
    note: Sentence | None = None

    def labels(self, cell: Cell) -> list[str]:
        """The labels in one cell as they stand there, repeats included; none where it is empty."""
        parts = _parts(cell, self.split)
        if self.vector:
            return [str(at) for at, part in enumerate(parts) if _BIT.get(part or "", False)]
        return [part for part in parts if part is not None]


def form_of(cells: Iterable[Cell], ask: Wanted) -> ListForm:
    """How the labels of a column are spelt.

    Args:
        cells: the different values of the column, in all sets.
        ask: the columns and how labels are to be told apart.

    Raises:
        DataError: the column holds 0 and 1 for one label alone, or probabilities.
    """
    listed, texts = list[Cell](), list[str]()
    for cell in cells:
        if isinstance(cell, list):
            listed.append(cell)
        elif value_of(cell) is not None:
            texts.append(str(cell))
    form = _split_form(texts, ask)
    rows = [_parts(cell, form.split) for cell in [*listed, *texts]]
    if ask.pattern or not rows:
        return form
    if len(rows[0]) > 1 and all(len(row) == len(rows[0]) for row in rows):
        return _fixed_length(rows, form, ask)
    named = {value for value, _ in ask.names}
    if all(len(row) == 1 and row[0] in _BIT and row[0] not in named for row in rows):
        column, by = ask.fields["labels"], ask.separator
        raise DataError(
            f"{ask.field}.labels must be a column with the names of labels, but {column!r} holds 0 or 1 in every row: "
            f"whether one label applies. Name the columns of all labels, such as "
            f"'{ask.field}.labels={column}{by}SECOND{by}THIRD', or for this one alone use task=classification "
            f"{ask.field}.label={column}."
        )
    return form


def applies(value: str | None, column: str, ask: Wanted) -> bool:
    """Whether a label applies, as its own column says.

    Raises:
        DataError: the value is neither yes nor no.
    """
    text = (label_value(value) or "").casefold()
    if text and text not in _SWITCH:
        raise DataError(
            f"{ask.field}.labels names {len(ask.indicators)} columns, of which each must hold 0 or 1, but "
            f"column {column!r} has {str(value)[:60]!r}. For labels in one cell name one column."
        )
    return _SWITCH.get(text, False)


def only_labels(cells: Sequence[str], ask: Wanted) -> dict[str, str] | None:
    """The label in each cell of a column whose cells are all spelt as lists, "" where one is empty.

    Of vectors of 0 and 1 it is the number of the one that is 1. None where cells are no lists.

    Raises:
        DataError: some list has several labels.
    """
    lists = {cell: spelt_members(cell.strip()) for cell in cells if _LIST.fullmatch(cell.strip())}
    if not lists or len(lists) < len(cells) or None in lists.values():
        return None
    members = [[label_value(each) for each in labels or ()] for labels in lists.values()]
    if all(len(row) == len(members[0]) > 1 and all(each in _BIT for each in row) for row in members):
        members = [[str(at) for at, each in enumerate(row) if _BIT[each or ""]] for row in members]
    several = next((cell for cell, row in zip(lists, members, strict=True) if len(row) > 1), None)
    if several is not None:
        raise DataError(
            f"{ask.field}.label must be one label a row, but column {ask.fields['label']!r} has lists of several, "
            f"such as {several[:60]!r}. Use task=multi_label_classification {ask.field}.labels={ask.fields['label']}."
        )
    return {cell: row[0] or "" if row else "" for cell, row in zip(lists, members, strict=True)}


def _parts(cell: Cell, split: Callable[[str], list[str]]) -> list[str | None]:
    parts = cell if isinstance(cell, list) else split(value_of(cell) or "")
    labels = [label_value(part) for part in parts]
    return labels if isinstance(cell, list) else [part for part in labels if part is not None]


def _split_form(texts: Sequence[str], ask: Wanted) -> ListForm:
    pattern, column = ask.pattern, ask.fields["labels"]
    if pattern:
        compiled = re.compile(pattern)
        return ListForm(split=lambda text: list(dict.fromkeys(compiled.findall(text))))
    as_set = ListForm(split=lambda text: text.split(ask.separator))
    if not texts:
        return as_set
    if all(spelt_members(bare(text)) is not None for text in texts):
        note = said("Column {column} holds lists, such as {example}.", column=repr(column), example=repr(texts[0][:40]))
        return ListForm(split=lambda text: spelt_members(bare(text)) or [], note=note)
    if any(ask.separator in text for text in texts):
        return as_set
    if all(_HASHTAGS.fullmatch(bare(text)) for text in texts) and any(" " in bare(text) for text in texts):
        blanks = said("Labels of column {column} are separated by blanks.", column=repr(column))
        return ListForm(split=str.split, note=blanks)
    if all(_BITS.fullmatch(bare(text)) for text in texts):
        return ListForm(split=lambda text: re.split(r"[\s,|]+", bare(text)))
    for other in _OTHERS:
        parts = {part.strip() for text in texts for part in text.split(other)}
        if "" not in parts and 1 < len(parts) < len(set(map(str.strip, texts))):  # combinations of fewer labels
            note = said(
                "Labels of column {column} are separated by {mark}: no cell has {expected} in it.",
                column=repr(column),
                mark=repr(other),
                expected=repr(ask.separator),
            )
            return ListForm(split=lambda text, by=other: text.split(by), note=note)  # type: ignore[misc]
    return as_set


def _fixed_length(rows: Sequence[Sequence[str | None]], form: ListForm, ask: Wanted) -> ListForm:
    """All cells have the same number of values: vectors, if these are 0 and 1."""
    column, length = ask.fields["labels"], len(rows[0])
    if all(part in _BIT for row in rows for part in row):
        note = said(
            "Column {column} holds vectors of 0 and 1: its labels are the numbers 0 to {last}, which "
            "{field}.label_names can name.",
            column=repr(column),
            last=length - 1,
            field=ask.field,
        )
        return ListForm(split=form.split, vector=True, note=note)
    parts = [part for row in rows for part in row]
    between = next((part for part in parts if part and "." in part), None)
    if between and all(map(_is_share, parts)):
        raise DataError(
            f"{ask.field}.labels must hold labels or vectors of 0 and 1, but column {column!r} has numbers between "
            f"them, such as {between}. Save 1 for each label that applies."
        )
    return form


def _is_share(part: str | None) -> bool:
    return part is not None and re.fullmatch(r"[01]|0?\.\d+(?:e-\d+)?|\d(?:\.\d+)?e-\d+", part) is not None
