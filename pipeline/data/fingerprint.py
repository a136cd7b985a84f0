"""Fingerprints of data: their content, byte by byte, and how rows become examples."""

import json
from pathlib import Path

from pipeline.config.schema import Data, Task
from pipeline.data.readers.arrow_tables import arrow_files, split_folder
from pipeline.data.readers.hub import commit_of
from pipeline.data.readers.locate import check_content, check_source, content_hash, located, saved_directory
from pipeline.data.readers.unpacking import table_suffix
from pipeline.files import digest
from pipeline.tasks import columns, kind

_VERSION = "3"  # raised by hand when reading, cleaning or splitting changes the examples
_DECIDING = ("label_names", "where", "group", "validation_size", "test_size")
_OF_FIELDS = {"score": ("scale",), "labels": ("separator", "label_pattern")}  # what decides how a field is read


def data_fingerprint(task: Task) -> str:
    """A digest of what a task is trained, validated and tested on; sets that are only evaluated have their own.

    It changes with the content of any file and with the settings that turn rows into examples. Content is hashed anew
    at each call: size and modification time can stay the same when content changes. Where files lie does not matter.
    Hub data counts by its commit.

    Raises:
        DataError: something is missing or unreadable; the message says what to do.
    """
    parts = [_VERSION, *_parts(task.data, "task.data", {})]
    parts += ["sources compared"] if kind(task.kind).target == "second" else []
    return digest(*parts)


def set_fingerprints(task: Task) -> dict[str, str]:
    """The same of each set that a task is only evaluated on, with which of its rows are drawn; names do not count.

    Raises:
        DataError: as `data_fingerprint`.
    """
    hashes: dict[Path, str] = {}
    drawn = [str(task.out_of_domain_size), str(task.split_seed)]
    return {
        name: digest(_VERSION, *drawn, *_parts(data, f"task.out_of_domain.{name}", hashes))
        for name, data in task.out_of_domain.items()
    }


def _parts(data: Data, field: str, hashes: dict[Path, str]) -> list[str]:
    check_source(data, field)
    fields = {name: column for name, column in columns(data).items() if column}
    deciding = [*_DECIDING, *(setting for name in fields for setting in _OF_FIELDS.get(name, ()))]
    deciding += ["time"] if data.time else []
    settings = {"columns": fields} | {name: getattr(data, name) for name in deciding}
    return [json.dumps(settings, sort_keys=True), json.dumps(_content(data, field, hashes), sort_keys=True)]


def _content(data: Data, field: str, hashes: dict[Path, str]) -> dict[str, object]:
    splits = {"train": data.train_split, "validation": data.validation, "test": data.test}
    if data.source == "hub":
        return {"name": data.path, "subset": data.subset, "commit": commit_of(data, field), "splits": splits}
    if data.source == "local":
        return {"splits": splits, **_saved(data, field, splits, hashes)}
    settings = {"train": "path"}
    paths = located(data, field)
    digests = {role: _hashed(path, f"{field}.{settings.get(role, role)}", hashes) for role, path in paths.items()}
    check_content(data, digests["train"].split(":")[-1], field)
    return dict(digests)


def _saved(data: Data, field: str, splits: dict[str, str | None], hashes: dict[Path, str]) -> dict[str, object]:
    """Of the splits in use: the Arrow files, and the features, which name the classes."""
    root = saved_directory(data, field)
    digests: dict[str, object] = {}
    for role, split in splits.items():
        if split:
            folder = split_folder(root, split, f"{field}.{'train_split' if role == 'train' else role}")
            files = [folder / "dataset_info.json", *arrow_files(folder, field)]
            digests[role] = [_hashed(path, field, hashes) for path in files]
    return digests


def _hashed(path: Path, field: str, hashes: dict[Path, str]) -> str:
    """The kind of file, which decides how it is parsed, and its content."""
    if path not in hashes:
        hashes[path] = content_hash(path, field)
    return f"{table_suffix(path)}:{hashes[path]}"
