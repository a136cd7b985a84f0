"""True and false are the same value, however a source spells them."""

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.config.schema import Data
from pipeline.data.readers.sources import read

SPELLINGS = {"json": (True, False), "small": ("true", "false"), "python": ("True", "False"), "sheet": ("TRUE", "FALSE")}


def table(path: Path, values: tuple[Any, Any], *, column: str = "label") -> str:
    """Ten rows, the first of the two values in every other one; typed in JSON, text in CSV."""
    rows = [{"review": f"text {i}", "label": "ab"[i % 2], column: values[i % 2]} for i in range(10)]
    if isinstance(values[0], bool):
        path = path.with_suffix(".jsonl")
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        path = path.with_suffix(".csv")
        lines = [",".join(map(str, row.values())) for row in rows]
        path.write_text("\n".join([",".join(rows[0]), *lines]) + "\n")
    return str(path)


@pytest.mark.parametrize("trained", SPELLINGS)
@pytest.mark.parametrize("tested", SPELLINGS)
def test_classes_of_two_sources_are_the_same(tmp_path: Path, trained: str, tested: str) -> None:
    paths = {"path": table(tmp_path / "train", SPELLINGS[trained]), "test": table(tmp_path / "test", SPELLINGS[tested])}
    found = read(Data(text="review", **paths), task_name="t")
    assert found.labels == ("false", "true")
    assert found.test is not None
    assert set(found.test.table.column("label").to_pylist()) == {"false", "true"}


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("asked", ["true", "True"])
def test_rows_are_kept_by_a_switch(tmp_path: Path, spelling: str, asked: str) -> None:
    path = table(tmp_path / "train", SPELLINGS[spelling], column="verified")
    found = read(Data(path=path, text="review", where={"verified": asked}), task_name="t")
    assert found.train.table.column("label").to_pylist() == ["a"] * 5


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_names_stand_for_them(tmp_path: Path, spelling: str) -> None:
    path = table(tmp_path / "train", SPELLINGS[spelling])
    found = read(Data(path=path, text="review", label_names={"True": "fits", "false": "unfit"}), task_name="t")
    assert found.labels == ("unfit", "fits")
