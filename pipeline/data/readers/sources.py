"""Reads labelled rows from any source: a file in a package, a file, the hub, or a directory written by `datasets`."""

from dataclasses import replace
from pathlib import Path

from pipeline.config.schema import Data
from pipeline.data.example_table import table_of
from pipeline.data.readers.arrow_tables import read_parquet, read_saved, split_folder
from pipeline.data.readers.catalogues import CATALOGUES, read_catalogue
from pipeline.data.readers.conll import CONLL, read_conll
from pipeline.data.readers.conversations import CONVERSATIONS, conversation_files, read_conversations
from pipeline.data.readers.hub import commit_of, read_hub
from pipeline.data.readers.json_tables import read_json
from pipeline.data.readers.locate import check_content, content_hash, folder_files, located, saved_directory
from pipeline.data.readers.part_files import Part, part_files
from pipeline.data.readers.text_tables import not_utf8, read_delimited
from pipeline.data.readers.unpacking import unpacked
from pipeline.data.sets import RawSet, RawSplits
from pipeline.data.table_cells.classes import cells_of, classes_of, counted, renamed, spellings
from pipeline.data.table_cells.columns import Wanted, wanted
from pipeline.data.table_cells.reading import reading_of, with_indicators
from pipeline.data.table_cells.rows import Rows, examples_of, filtered, without_headings
from pipeline.data.table_cells.times import check_times
from pipeline.errors import DataError
from pipeline.language import Sentence, said, set_name

UNLABELLED = "text"  # the one class of examples without one
_SETTING = {"train": "path", "validation": "validation", "test": "test"}


def read(data: Data, *, task_name: str, field: str = "task.data") -> RawSplits:
    """The rows of `data`, filtered by `where`, labels renamed by `label_names`; nothing is dropped or drawn yet.

    Args:
        data: where the rows are and how they are taken.
        task_name: the task, for messages.
        field: the setting that `data` comes from, for messages.

    Raises:
        DataError: the data is missing, unreadable, unsafe, without a column, or not what its hash says.
    """
    ask = wanted(data, field)
    sentences: list[Sentence] = []
    tables = {role: with_indicators(rows, ask) for role, rows in _rows(data, ask, sentences).items()}
    kept = {role: filtered(rows, ask, f"the rows of task {task_name}") for role, rows in tables.items()}
    if not len(kept["train"]):
        raise DataError(f"{field}.path must hold rows, but {data.path} has a heading and nothing below it.")
    check_times(kept, tables, ask)
    reading = reading_of(kept.values(), ask)
    read_in = {role: examples_of(rows, ask, reading) for role, rows in kept.items()}
    classes = classes_of(counted(read_in["train"]), ask)
    cells = cells_of(kept.values(), read_in.values(), ask)
    sentences += [*reading.notes, *spellings(cells, ask, reading, classes)]
    sets = {role: RawSet(table=renamed(table, classes.name)) for role, table in read_in.items()}
    return RawSplits(
        train=sets["train"],
        validation=sets.get("validation"),
        test=sets.get("test"),
        labels=classes.names if data.label else (UNLABELLED,),
        several=classes.names if data.labels else (),
        sentences=tuple(sentences),
    )


def split_settings(data: Data) -> dict[str, tuple[str, str]]:
    """For hub and local data: role -> (setting, split's name)."""
    given = {"train": ("train_split", data.train_split)}
    given |= {"validation": ("validation", data.validation)} if data.validation else {}
    return given | ({"test": ("test", data.test)} if data.test else {})


def _rows(data: Data, ask: Wanted, sentences: list[Sentence]) -> dict[str, Rows]:
    """The rows of each set, without headings in their midst."""
    by_role = _tables(data, ask, sentences)
    kept = {role: without_headings(rows) for role, rows in by_role.items()}
    for role, rows in by_role.items():
        if repeated := len(rows) - len(kept[role]):
            form = "Lines of {set} that repeat the heading, and were left out: {lines:,}."
            sentences.append(said(form, set=set_name(role), lines=repeated))
    return kept


def _tables(data: Data, ask: Wanted, sentences: list[Sentence]) -> dict[str, Rows]:
    field = ask.field
    if data.source == "hub":
        splits = split_settings(data)
        read_in = read_hub(data, commit_of(data, field), dict(splits.values()), ask)
        return {role: read_in[setting] for role, (setting, _) in splits.items()}
    if data.source == "local":
        root = saved_directory(data, field)
        return {
            role: read_saved(split_folder(root, split, f"{field}.{setting}"), ask, field)
            for role, (setting, split) in split_settings(data).items()
        }
    paths = located(data, field)
    if data.sha256:
        check_content(data, content_hash(paths["train"], f"{field}.path"), field)
    return {role: _read_path(p, data, ask, f"{field}.{_SETTING[role]}", sentences) for role, p in paths.items()}


def _read_path(path: Path, data: Data, ask: Wanted, field: str, sentences: list[Sentence]) -> Rows:
    if path.is_dir() and conversation_files(path):
        return read_conversations(conversation_files(path), ask, field)
    if path.is_dir() and (parts := part_files(path, field)):
        return _together([_read_part(part, ask, field) for part in parts], field)
    if path.is_dir():
        return _read_folder(path, data, ask, field, sentences)
    return read_table(path, ask, field)


def _read_part(part: Part, ask: Wanted, field: str) -> Rows:
    """The wanted columns of a part, of which its folders' names may hold some."""
    import pyarrow as pa

    given = part.columns
    fields = {name: column for name, column in ask.fields.items() if column not in given}
    where = {column: value for column, value in ask.where.items() if column not in given}
    group, time = (None if column in given else column for column in (ask.group, ask.time))
    rows = read_table(part.path, replace(ask, fields=fields, where=where, group=group, time=time), field)
    for column in given.keys() & set(ask.columns):
        rows = rows.append_column(column, pa.array([given[column]] * len(rows), pa.string()))
    return rows.select(list(ask.columns))


def _together(parts: list[Rows], field: str) -> Rows:
    import pyarrow as pa

    try:
        return pa.concat_tables(parts)
    except pa.ArrowInvalid as error:
        raise DataError(
            f"{field} must be parts of one table, but a column of theirs is a list in some and a text in others."
        ) from error


def read_table(path: Path, ask: Wanted, field: str) -> Rows:
    """The wanted columns of a file, whose name's ending says what it is; it may be packed, as reviews.csv.gz.

    Raises:
        DataError: it cannot be read as that, or lacks a column.
    """
    with unpacked(path, field) as plain:
        return _read_plain(plain, ask, field)


def _read_plain(path: Path, ask: Wanted, field: str) -> Rows:
    suffix = path.suffix.lower()
    if suffix in CONVERSATIONS:
        return read_conversations([path], ask, field)
    if suffix in CONLL:
        return read_conll(path, ask, field)
    if suffix in CATALOGUES:
        return read_catalogue(path, ask, field)
    if suffix in (".parquet", ".pq"):
        return read_parquet(path, ask, field)
    if suffix in (".json", ".jsonl", ".ndjson"):
        return read_json(path, ask, field)
    return read_delimited(path, ask, field)


def _read_folder(root: Path, data: Data, ask: Wanted, field: str, sentences: list[Sentence]) -> Rows:
    """One row a file: columns "text" and "label", the sub-folder's name."""
    ask.check(("text", "label"), f"a directory of classes ({root.name})")
    files = [(label, path) for label, paths in folder_files(root, field).items() for path in paths]
    texts = (_read_text(path, data, field, sentences) for _, path in files)
    return table_of({"text": texts, "label": (label for label, _ in files)})


def _read_text(path: Path, data: Data, field: str, sentences: list[Sentence]) -> str:
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if data.source != "package":  # whoever uses a package cannot put its files right
            raise not_utf8(path, content, error, field) from error
    file = f"{path.parent.name}/{path.name}"
    sentences.append(said("{file} is not UTF-8 and was read as Windows-1252.", file=file))
    return content.decode("cp1252", errors="replace")
