"""Parquet files and directories written by `datasets`, read through Arrow: nothing in them is executed."""

import json
from pathlib import Path, PurePosixPath
from typing import Any

from pipeline.data.example_table import BATCH
from pipeline.data.table_cells.columns import Wanted
from pipeline.data.table_cells.rows import Rows, cell
from pipeline.errors import DataError, nearest

_DAMAGED = (OSError, ValueError, OverflowError)  # what a torn file raises beside Arrow's own errors


def read_parquet(path: Path, ask: Wanted, field: str) -> Rows:
    """The wanted columns of a Parquet file.

    Raises:
        DataError: the file is torn or not Parquet, or a column is missing.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            columns = _found(file.schema_arrow, ask, path.name)
            table = file.read(columns=list(columns.values()))
            table.validate(full=True)
            names = _names_in_metadata(file.schema_arrow.metadata)
        return rows_of(table, ask, path.name, names, columns)
    except (pa.ArrowException, *_DAMAGED) as error:
        raise _torn(path, "Parquet", error, field) from error


def splits_of(root: Path) -> tuple[str, ...]:
    """The names of a saved DatasetDict's splits; empty for a single Dataset."""
    if not (root / "dataset_dict.json").is_file():
        return ()
    splits = _json(root / "dataset_dict.json").get("splits", [])
    return tuple(s for s in splits if isinstance(s, str) and PurePosixPath(s).name == s)


def split_folder(root: Path, split: str, setting: str) -> Path:
    """The folder of one split of a saved directory.

    Raises:
        DataError: there is no such split; the nearest is named.
    """
    splits = splits_of(root)
    if not splits:
        if setting.endswith("train_split"):
            return root
        raise DataError(f"{setting}={split} must name a split, but {root} holds a single set. Set {setting}=null.")
    if split not in splits:
        raise DataError(f"{setting} must name a split of {root.name}, but got {split!r}. {nearest(split, splits)}")
    return root / split


def arrow_files(folder: Path, field: str) -> list[Path]:
    """The Arrow files of one saved split, in order.

    Raises:
        DataError: the list is damaged, a file is missing, or a name leads out of the folder.
    """
    listed = _json(folder / "state.json").get("_data_files", [])
    names = [entry.get("filename") for entry in listed if isinstance(entry, dict)]
    for name in names:
        if not isinstance(name, str) or not (folder / name).resolve().is_relative_to(folder.resolve()):
            raise DataError(f"{field}: {folder}/state.json names {name!r}, which leads out of its directory: refused.")
        if not (folder / name).is_file():
            raise DataError(f"{field}: {folder} is incomplete, {name} is missing. Save the data set again.")
    return [folder / str(name) for name in names]


def read_saved(folder: Path, ask: Wanted, field: str) -> Rows:
    """The wanted columns of one saved split; class numbers become class names.

    Raises:
        DataError: as `arrow_files`, or a file is torn, or a column is missing.
    """
    files = arrow_files(folder, field)
    return read_arrow(files, ask, field, class_names(_json(folder / "dataset_info.json"), ask.classes))


def read_arrow(files: list[Path], ask: Wanted, field: str, names: tuple[str, ...]) -> Rows:
    """The wanted columns of Arrow stream files, one after the other; `names` are those of the classes, if any."""
    import pyarrow as pa

    tables = []
    for path in files:
        try:
            with pa.memory_map(str(path)) as source, pa.ipc.open_stream(source) as reader:
                columns = _found(reader.schema, ask, path.parent.name)
                table = reader.read_all()
                table.validate(full=True)
                tables.append(rows_of(table, ask, path.name, {ask.classes: names}, columns))
        except (pa.ArrowException, *_DAMAGED) as error:
            raise _torn(path, "Arrow", error, field) from error
    return pa.concat_tables(tables)


def class_names(info: dict[str, Any], column: str | None) -> tuple[str, ...]:
    """The class names that `datasets` records for a column of labels, or of lists of them; else none."""
    features = info.get("features")
    feature = _of_each(features.get(column)) if isinstance(features, dict) else None
    names = feature.get("names") if isinstance(feature, dict) and feature.get("_type") == "ClassLabel" else None
    return tuple(str(n) for n in names) if isinstance(names, list) else ()


def _of_each(feature: Any) -> Any:
    """What the members of a list are; `datasets` has written lists in several ways."""
    if isinstance(feature, list) and feature:
        return feature[0]
    return feature.get("feature") if isinstance(feature, dict) and "feature" in feature else feature


def rows_of(
    table: Any, ask: Wanted, place: str, names: dict[str | None, tuple[str, ...]], called: dict[str, str]
) -> Rows:
    """The wanted columns of an Arrow table as text; numbers of a class column become its names, -1 is missing.

    Args:
        table: with those columns at least.
        ask: the columns.
        place: the table's name, for messages.
        names: of the classes in columns that hold their numbers.
        called: what each wanted column is called in the table.
    """
    import pyarrow as pa

    return pa.table({c: _as_text(_column(table, n), ask, c, place, names.get(n, ())) for c, n in called.items()})


def _as_text(column: Any, ask: Wanted, name: str, place: str, classes: tuple[str, ...]) -> Any:
    """A column as texts, or as lists of texts; Arrow's own where it writes values as they are written here."""
    import pyarrow as pa

    kind = column.type
    if any(test(kind) for test in _plain_kinds()) and not classes:
        return column.cast(pa.string())
    chunks = []
    for start in range(0, len(column), BATCH):
        values = column.slice(start, BATCH).to_pylist()
        if classes:
            values = [
                [_class_name(one, classes) for one in v] if isinstance(v, list) else _class_name(v, classes)
                for v in values
            ]
        chunks.append([cell(ask, name, value, place) for value in values])
    lists = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list, pa.types.is_list_view)
    listed = name == ask.fields.get("labels") and any(test(kind) for test in lists)
    kind = pa.list_(pa.string()) if listed else pa.string()
    return pa.chunked_array([pa.array(chunk, kind) for chunk in chunks], kind)


def _plain_kinds() -> tuple[Any, ...]:
    import pyarrow.types as kinds

    texts = (kinds.is_string, kinds.is_large_string, kinds.is_string_view)
    return (*texts, kinds.is_integer, kinds.is_boolean, kinds.is_null)


def _found(schema: Any, ask: Wanted, place: str) -> dict[str, str]:
    """What each wanted column is called in a table, or field within one: "translation.en"."""
    names = _columns(schema)
    return {column: names[at] for column, at in ask.located(names, place).items()}


def _columns(schema: Any) -> list[str]:
    """The names of a schema's columns, and of the fields within them: "translation.en"."""
    import pyarrow as pa

    within = [f"{c.name}.{field.name}" for c in schema if pa.types.is_struct(c.type) for field in c.type]
    return [*schema.names, *within]


def _column(table: Any, name: str) -> Any:
    import pyarrow.compute as pc

    if name in table.column_names:
        return table.column(name)
    column, _, field = name.partition(".")
    return pc.struct_field(table.column(column), field)


def _class_name(value: Any, names: tuple[str, ...]) -> Any:
    if isinstance(value, int):
        return names[value] if 0 <= value < len(names) else None
    return value


def _names_in_metadata(metadata: dict[bytes, bytes] | None) -> dict[str | None, tuple[str, ...]]:
    """Class names from the schema note that `datasets` leaves in the Parquet files it writes."""
    try:
        info = json.loads((metadata or {}).get(b"huggingface", b"{}")).get("info", {})
    except (json.JSONDecodeError, AttributeError):
        return {}
    return {c: class_names(info, c) for c in info.get("features", {})} if isinstance(info, dict) else {}


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} must be JSON as `datasets` writes it, but cannot be read: {error}.") from error
    return value if isinstance(value, dict) else {}


def _torn(path: Path, kind: str, error: Exception, field: str) -> DataError:
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    return DataError(
        f"{field}: {path} cannot be read as {kind} ({reason}). It is torn or of another kind: fetch or write it again."
    )
