"""Half-written folders and files that killed processes left behind."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from pipeline.files import clear_abandoned, is_locked, lock
from pipeline.storage.results import ResultStore

# Folders of files that are written one by one; folders elsewhere are made as a whole.
_WRITTEN = ("studies", "sweeps", "failures", "flops", "memory", "tracking/ledger")


def clear_staged(root: Path) -> None:
    """Remove every folder and file in the making under paths.root whose maker is gone, and the checkpoints of finished
    cells whose process was killed before it could remove them itself.
    """
    for kind in _WRITTEN:
        clear_abandoned(root / kind)
    for staged, held in _staged(root):
        if not is_locked(held):
            with lock(held):
                shutil.rmtree(staged, ignore_errors=True)
    store = ResultStore(root)
    for name in {checkpoint.name.rpartition("-")[0] for checkpoint in (root / "checkpoints").glob("[!.]*")}:
        if store.has(name) and not is_locked(store.lock_file(name)):
            store.drop_checkpoints(name)


def _staged(root: Path) -> Iterator[tuple[Path, Path]]:
    """Every folder in the making under paths.root, and the lock that its maker holds."""
    locks: dict[str, Callable[[str], Path]] = {
        "cells": ResultStore(root).lock_file,
        "checkpoints": ResultStore(root).lock_file,
        "data": lambda key: root / "data" / f".{key}.lock",
        "features": lambda key: root / "locks" / f"features-{key}.lock",
    }
    for kind, lock_of in locks.items():
        for staged in (root / kind).glob(".staged-*"):
            yield staged, lock_of(staged.name.split("-")[1])
