"""Own data in one line, in every form, and the packaged base on it."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from command_kit import command, findings, planned

from tests import tiny

Capture = pytest.CaptureFixture[str]


def as_csv(folder: Path) -> list[str]:
    return [f"task.data.path={tiny.write_csv(folder / 'reviews.csv', tiny.rows())}"]


def as_tsv(folder: Path) -> list[str]:
    lines = ["review\tstars", *("\t".join(row) for row in tiny.rows())]
    (folder / "reviews.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return [f"task.data.path={folder / 'reviews.tsv'}"]


def as_json_lines(folder: Path) -> list[str]:
    lines = [json.dumps({"review": text, "stars": label}) for text, label in tiny.rows()]
    (folder / "reviews.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return [f"task.data.path={folder / 'reviews.jsonl'}"]


def as_parquet(folder: Path) -> list[str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    text, labels = zip(*tiny.rows(), strict=True)
    integers = [tiny.LABELS.index(label) for label in labels]
    pq.write_table(pa.table({"review": list(text), "stars": integers}), folder / "reviews.parquet")
    return [f"task.data.path={folder / 'reviews.parquet'}", "task.data.label_names={0: bad, 1: good}"]


def as_separate_files(folder: Path) -> list[str]:
    parts = {"train": 160, "validation": 32, "test": 48}
    ends = np.cumsum([0, *parts.values()])
    table = tiny.rows(int(ends[-1]))
    for i, name in enumerate(parts):
        tiny.write_csv(folder / f"{name}.csv", table[ends[i] : ends[i + 1]])
    given = {"path": "train", "validation": "validation", "test": "test"}
    return [f"task.data.{setting}={folder / name}.csv" for setting, name in given.items()]


FORMS: dict[str, Callable[[Path], list[str]]] = {
    "csv": as_csv,
    "tsv": as_tsv,
    "json lines": as_json_lines,
    "parquet": as_parquet,
    "separate files": as_separate_files,
}


@pytest.mark.parametrize("form", FORMS)
def test_the_quickstart_study_runs_on_own_data_in_one_line(
    tiny_base: Path, tmp_path: Path, capsys: Capture, form: str
) -> None:
    line = ["experiments=quickstart", "task=classification", "task.data.text=review", "task.data.label=stars"]
    line += FORMS[form](tmp_path)
    base = ["base=local", f"base.path={tiny_base}", "tracking=none", f"paths.root={tmp_path / 'out'}"]
    short = [
        "study.sizes=[16]", "study.seeds=[0]", "study.arms=[pretrained,scratch]", "train.min_steps=2",
        "train.epochs=1", "task.max_length=32", "hardware=cpu",
    ]  # fmt: skip
    done = command(capsys, "study", *line, *base, *short)
    assert done.code == 0, done.err
    assert "Not judged: 'It also serves another domain better'" in done.out
    plan = planned([*line, *base, *short])
    found = findings(plan)
    assert [s["dataset"] for s in found["scores"]] == ["test"] * 2
    assert plan.results()[0].labels == tiny.LABELS
    assert "out_of_domain" not in {v["claim"] for v in found["verdicts"]}
    assert len(found["verdicts"]) == 4


def test_many_classes_with_string_labels_are_learned(tiny_base: Path, tmp_path: Path, capsys: Capture) -> None:
    names = ("sport", "arts", "money", "science", "travel")
    data = tiny.write_csv(tmp_path / "topics.csv", tiny.rows(300, labels=names))
    world = tiny.overrides(tiny_base, data, tmp_path / "out")
    arguments = [*world, "train.lr=5e-3", "train.epochs=20", "train.size=all", "train.seed=1"]
    assert command(capsys, "train", *arguments).code == 0
    (path,) = (tmp_path / "out" / "cells").glob("*/result.json")
    result = json.loads(path.read_text(encoding="utf-8"))
    assert result["labels"] == sorted(names)
    test = next(e for e in result["evaluations"] if e["dataset"] == "test")
    assert test["metrics"]["accuracy"] > 0.5


def test_the_packaged_base_takes_a_few_steps_on_own_data(reviews: Path, tmp_path: Path, capsys: Capture) -> None:
    given = [o for o in tiny.overrides(tmp_path, reviews, tmp_path / "out") if not o.startswith("base")]
    arguments = [*given, "train.precision=auto", "train.size=16", "train.epochs=1", "train.min_steps=2"]
    done = command(capsys, "train", *arguments, "task.data.test_size=16", "task.data.validation_size=8")
    assert done.code == 0, done.err
    (path,) = (tmp_path / "out" / "cells").glob("*/result.json")
    result = json.loads(path.read_text(encoding="utf-8"))
    assert result["checkpoint"]["loaded_parameters"] == 22_565_376  # without the pooler, which nothing reads
    assert result["cost"]["parameters"] == pytest.approx(22.7e6, rel=0.01)
