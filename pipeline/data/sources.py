"""Reads labelled rows from any source: a file in a package, a file, the hub, or a directory written by `datasets`."""

from pathlib import Path
from typing import Any

from pipeline.config.schema import Data
from pipeline.data.arrow_tables import read_parquet, read_saved, split_folder
from pipeline.data.catalogues import CATALOGUES, read_catalogue
from pipeline.data.conversations import CONVERSATIONS, conversation_files, read_conversations
from pipeline.data.example_table import table_of
from pipeline.data.hub import commit_of, read_hub
from pipeline.data.json_tables import read_json
from pipeline.data.locate import check_content, content_hash, folder_files, located, saved_directory
from pipeline.data.rows import Rows, Value, Wanted, examples_of, filtered, label_value, labels_of, wanted
from pipeline.data.sets import RawSet, RawSplits
from pipeline.data.text_tables import not_utf8, read_delimited
from pipeline.errors import DataError, nearest

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
    sentences: list[str] = []
    tables = _tables(data, ask, sentences)
    place = f"the rows of task {task_name}"
    kept = {role: filtered(rows, ask, place) for role, rows in tables.items()}
    sets = {role: RawSet(table=examples_of(rows, ask)) for role, rows in kept.items()}
    if not len(sets["train"]):
        raise DataError(f"{field}.path must hold rows, but {data.path} has a heading and nothing below it.")
    names = _class_names(_values(kept["train"], ask), ask)
    return RawSplits(
        train=sets["train"],
        validation=sets.get("validation"),
        test=sets.get("test"),
        labels=(UNLABELLED,) if data.labels else names,
        several=names if data.labels else (),
        sentences=tuple(sentences),
    )


def split_settings(data: Data) -> dict[str, tuple[str, str]]:
    """For hub and local data: role -> (setting, split's name)."""
    given = {"train": ("train_split", data.train_split)}
    given |= {"validation": ("validation", data.validation)} if data.validation else {}
    return given | ({"test": ("test", data.test)} if data.test else {})


def _tables(data: Data, ask: Wanted, sentences: list[str]) -> dict[str, Rows]:
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


def _read_path(path: Path, data: Data, ask: Wanted, field: str, sentences: list[str]) -> Rows:
    if path.is_dir() and conversation_files(path):
        return read_conversations(conversation_files(path), ask, field)
    if path.is_dir():
        return _read_folder(path, data, ask, field, sentences)
    return read_table(path, ask, field)


def read_table(path: Path, ask: Wanted, field: str) -> Rows:
    """The wanted columns of a file, whose name's ending says what it is.

    Raises:
        DataError: it cannot be read as that, or lacks a column.
    """
    suffix = path.suffix.lower()
    if suffix in CONVERSATIONS:
        return read_conversations([path], ask, field)
    if suffix in CATALOGUES:
        return read_catalogue(path, ask, field)
    if suffix in (".parquet", ".pq"):
        return read_parquet(path, ask, field)
    if suffix in (".json", ".jsonl", ".ndjson"):
        return read_json(path, ask, field)
    return read_delimited(path, ask, field)


def _read_folder(root: Path, data: Data, ask: Wanted, field: str, sentences: list[str]) -> Rows:
    """One row a file: columns "text" and "label", the sub-folder's name."""
    ask.check(("text", "label"), f"a directory of classes ({root.name})")
    files = [(label, path) for label, paths in folder_files(root, field).items() for path in paths]
    texts = (_read_text(path, data, field, sentences) for _, path in files)
    return table_of({"text": texts, "label": (label for label, _ in files)})


def _read_text(path: Path, data: Data, field: str, sentences: list[str]) -> str:
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if data.source != "package":  # whoever uses a package cannot put its files right
            raise not_utf8(path, content, error, field) from error
    sentences.append(f"{path.parent.name}/{path.name} is not UTF-8 and was read as Windows-1252.")
    return content.decode("cp1252", errors="replace")


def _values(rows: Rows, ask: Wanted) -> set[str]:
    """Every class that occurs, as it stands in its column."""
    if "labels" in ask.fields:
        values = (value for chunk in rows.column(ask.fields["labels"]).chunks for value in _different(chunk))
        return {label for value in values for label in labels_of(value, ask)}
    if "label" not in ask.fields:
        return {UNLABELLED}
    found = (label_value(value) for value in rows.column(ask.fields["label"]).unique().to_pylist())
    return {label for label in found if label is not None}


def _different(chunk: Any) -> list[Value]:
    """The values of one chunk, each once; of lists, those within them as one list."""
    import pyarrow as pa

    if pa.types.is_list(chunk.type):
        return [[label for label in chunk.flatten().unique().to_pylist() if label is not None]]
    found: list[Value] = chunk.unique().to_pylist()
    return found


def _class_names(values: set[str], ask: Wanted) -> tuple[str, ...]:
    """The classes in the order of their values (by number where all are whole numbers), each name once."""
    names = dict(ask.names)
    for value in names:
        if value not in values:
            known = sorted(values)[:30]
            raise DataError(
                f"{ask.field}.label_names renames {value!r}, which is no value of column {ask.classes!r}. "
                f"{nearest(value, known)}"
            )
    whole = all(v.removeprefix("-").isdecimal() and v.isascii() for v in values)
    ordered = sorted(values, key=int) if whole else sorted(values)
    return tuple(dict.fromkeys(names.get(v, v) for v in ordered))
