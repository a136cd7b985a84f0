"""A local store that exists already: MLflow takes seconds to create its tables, and it need not happen in each test."""

import shutil
from pathlib import Path

import pytest

from pipeline.tracking.store import Store


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with MLflow's tables and nothing in them."""
    from pipeline.tracking.runs import Runs

    store = Store(root=tmp_path_factory.mktemp("template"))
    store.artifacts.mkdir(parents=True)
    Runs(store).experiment("unused")
    return store.database


@pytest.fixture
def store(tmp_path: Path, empty_database: Path) -> Store:
    """The local store of a fresh root."""
    store = Store(root=tmp_path / "outputs")
    store.artifacts.mkdir(parents=True)
    shutil.copy(empty_database, store.database)
    return store
