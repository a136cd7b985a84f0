"""Data sets of the Hugging Face hub, pinned to a commit and read from the local cache that `datasets` fills."""

import json
import os
import re
from pathlib import Path

from pipeline.config.schema import Data
from pipeline.data.readers.arrow_tables import class_names, read_arrow
from pipeline.data.table_cells.columns import Wanted
from pipeline.data.table_cells.rows import Rows
from pipeline.errors import DataError, nearest

_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{40}")


def commit_of(data: Data, field: str) -> str:
    """The commit that `revision` (null: the main branch) stands for, 40 hexadecimal digits.

    A full commit needs no network. Without network the newest cached commit is taken, if no revision was asked for.

    Raises:
        DataError: the hub cannot be reached and nothing is cached.
    """
    name = _checked_name(data, field)
    if data.revision and _COMMIT.fullmatch(data.revision):
        return data.revision
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]

    try:
        commit = HfApi().dataset_info(name, revision=data.revision, token=_token(data), timeout=10).sha
    except (HTTPError, OSError, ValueError) as error:
        cached = None if data.revision else _newest(name, data.subset)
        if cached is None:
            raise _unreachable(data, error, field) from error
        return cached.name
    return str(commit)


def read_hub(data: Data, commit: str, splits: dict[str, str], ask: Wanted) -> dict[str, Rows]:
    """The wanted columns of each split at `commit`; `splits` maps the setting's name ("train_split") to the split.

    Raises:
        DataError: it cannot be fetched, or a split or column is missing.
    """
    folder = _cached(data, commit) or _fetched(data, commit, ask.field)
    info = json.loads((folder / "dataset_info.json").read_text(encoding="utf-8"))
    names = class_names(info, ask.classes)
    return {setting: read_arrow(_files(folder, split, info, f"{ask.field}.{setting}"), ask, ask.field, names)
            for setting, split in splits.items()}  # fmt: skip


def _files(folder: Path, split: str, info: dict[str, object], setting: str) -> list[Path]:
    listed = info.get("splits")
    known = sorted(listed) if isinstance(listed, dict) else []
    name = re.escape(split)
    files = sorted(p for p in folder.glob("*.arrow") if re.fullmatch(rf".+?-{name}(-\d+-of-\d+)?\.arrow", p.name))
    if split not in known or not files:
        raise DataError(f"{setting} must name a split of the data set, but got {split!r}. {nearest(split, known)}")
    return files


def _checked_name(data: Data, field: str) -> str:
    name = data.path or ""
    if not _NAME.fullmatch(name) or ".." in name or name.endswith((".py", ".git")):
        raise DataError(f"{field}.path must be a hub name such as owner/name, but got {name!r}.")
    if Path(name).exists():
        raise DataError(
            f"{field}.path={name} is also a path on this machine. Use {field}.source=local (or file) for that, "
            f"or start the command in another folder."
        )
    return name


def _token(data: Data) -> str | None:
    return data.token or None  # None lets the hub's client take HF_TOKEN


def _cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    hub = os.environ.get("HF_HOME") or f"{home}/huggingface"
    return Path(os.environ.get("HF_DATASETS_CACHE") or f"{hub}/datasets").expanduser()


def _cached_folders(name: str, subset: str | None) -> list[Path]:
    """CACHE/owner___name/CONFIG/VERSION/COMMIT, the way `datasets` lays it out."""
    *owner, last = name.split("/")
    last = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", last)
    last = re.sub(r"([a-z\d])([A-Z])", r"\1_\2", last).lower()
    root = _cache() / "___".join([*owner, last])
    folders = [p.parent for p in root.glob("*/*/*/dataset_info.json") if _COMMIT.fullmatch(p.parent.name)]
    return [p for p in folders if subset in (None, p.parts[-3])]


def _newest(name: str, subset: str | None) -> Path | None:
    folders = _cached_folders(name, subset)
    return max(folders, key=lambda p: p.stat().st_mtime) if folders else None


def _cached(data: Data, commit: str) -> Path | None:
    folders = [p for p in _cached_folders(data.path or "", data.subset) if p.name == commit]
    if len(folders) > 1 and data.subset is None:
        folders = [p for p in folders if p.parts[-3] == "default"]
    return folders[0] if folders else None


def _fetched(data: Data, commit: str, field: str) -> Path:
    import datasets
    from datasets.exceptions import DatasetsError
    from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]

    try:
        builder = datasets.load_dataset_builder(data.path, name=data.subset, revision=commit, token=_token(data))
        builder.download_and_prepare()
    except (DatasetsError, HTTPError, OSError, ValueError, RuntimeError) as error:
        raise _unreachable(data, error, field) from error
    folder = Path(builder.cache_dir)
    if folder.name != commit:
        raise DataError(
            f"{field}: {data.path} is wanted at commit {commit}, but only {folder.name} is cached here. "
            f"Connect to the network once, or set {field}.revision={folder.name}."
        )
    return folder


def _unreachable(data: Data, error: Exception, field: str) -> DataError:
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
    if data.token:
        reason = reason.replace(data.token, "***")
    return DataError(
        f"{field}.path={data.path} could not be fetched from the hub ({reason}). Check the name, {field}.subset, "
        f"{field}.revision and the network. Without network use a local copy: on a connected machine run "
        f"`python -c \"import datasets; datasets.load_dataset('{data.path}').save_to_disk('copy')\"`, bring the folder "
        f"here and set {field}.source=local {field}.path=copy. A file serves too: {field}.source=file."
    )
