"""Directories whose files are the parts of one table, as Spark, Hive and others write them."""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from pipeline.data.readers.unpacking import table_suffix
from pipeline.errors import DataError

KINDS = (".csv", ".tsv", ".tab", ".jsonl", ".ndjson", ".json", ".parquet", ".pq")
_OF_DATASETS = ("state.json", "dataset_dict.json")
_NOTHING = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True, kw_only=True)
class Part:
    """A file of a table, and the columns whose values its folders' names hold, as in label=good/part-0.parquet."""

    path: Path
    columns: dict[str, str | None]


def part_files(root: Path, field: str) -> list[Part]:
    """The parts of the table in a directory, by name; none where it holds something else.

    Raises:
        DataError: it holds several tables, or a link that leads out of it.
    """
    if any((root / name).is_file() for name in _OF_DATASETS) or _has_classes(root):
        return []
    parts = list(_parts(root, {}))
    for part in parts:
        if not part.path.resolve().is_relative_to(root.resolve()):
            raise DataError(f"{field}: {part.path} is a link out of {root}, refused. Put a copy in its place.")
    names = {re.sub(r"\d+", "0", part.path.name) for part in parts}
    if len(names) > 1 and not all(name.startswith("part") for name in names):
        listed, owner = ", ".join(sorted(part.path.name for part in parts)[:6]), field.rpartition(".")[0]
        raise DataError(
            f"{field} must be one table, but {root} holds several ({listed}). Set {field} to one of them, and "
            f"{owner}.validation and {owner}.test to others if they are meant so."
        )
    return parts


def _has_classes(root: Path) -> bool:
    return any(folder.is_dir() and any(folder.glob("*.txt")) for folder in root.iterdir())


def _parts(folder: Path, columns: dict[str, str | None]) -> "list[Part]":
    parts: list[Part] = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith((".", "_")):
            continue
        name, equals, value = path.name.partition("=")
        if path.is_dir() and equals:
            parts += _parts(path, {**columns, unquote(name): None if value == _NOTHING else unquote(value)})
        elif path.is_file() and table_suffix(path) in KINDS and path.stat().st_size:
            parts.append(Part(path=path, columns=columns))
    return parts
