"""`prune`: deletes results that no study refers to, and says what that frees."""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.config.compose import compose
from pipeline.errors import StorageError
from pipeline.storage.results import ResultStore
from pipeline.study.references import References, alone, references


def run(overrides: Sequence[str]) -> int:
    """Delete them; with plan=true only say which they are."""
    config = compose(overrides)
    root = Path(config.paths.root)
    if not root.is_dir():
        print(f"There are no results under {root}.")
        return 0
    with alone(root):
        return _prune(root, only_said=config.plan)


def _prune(root: Path, *, only_said: bool) -> int:
    folders = {what: list(unreferred) for what, unreferred in _unreferred(root, references(root)).items()}
    total = 0
    for what, paths in folders.items():
        size = sum(map(_size, paths))
        total += size
        print(f"{what}: {len(paths)} that no study refers to, {size / 1e6:,.1f} MB")
        for path in () if only_said else paths:
            shutil.rmtree(path)
    print(f"{'Would free' if only_said else 'Freed'} {total / 1e6:,.1f} MB under {root}.")
    return 0


def _unreferred(root: Path, kept: References) -> dict[str, Iterator[Path]]:
    """Folders that can go.

    Trials and pretrainings stay, since a sweep may go on; so do data, where no study wrote down which it refers to.
    """
    store, referred = ResultStore(root), set(kept.cells)
    cells = (store.folder(name) for name in store.ids() if name not in referred and _is_tested(store, name))
    checkpoints = (p for p in _folders(root / "checkpoints") if p.name.partition("-")[0] not in referred)
    data = (p for p in _folders(root / "data") if kept.data and p.name not in kept.data)
    features = (p for p in _folders(root / "features") if kept.data and p.name.partition(".")[0] not in kept.data)
    return {"Cells": cells, "Checkpoints": checkpoints, "Prepared data": data, "Features": features}


def _is_tested(store: ResultStore, name: str) -> bool:
    try:
        return store.cell(name).tested
    except StorageError:  # written by another version, of which nothing is known
        return False


def _folders(parent: Path) -> Iterator[Path]:
    return (p for p in sorted(parent.glob("*")) if p.is_dir() and not p.name.startswith("."))


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
