"""The independent script agrees with finished cells, and finds what was changed in them."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from experiment_files import import_file

from pipeline.cli import main
from tests import tiny
from tests.models.tiny_bases import save_tiny, tiny_tokenizer
from tests.tiny_kinds import write_table

SCRIPT = Path(__file__).parents[2] / "experiments" / "recompute_scores.py"


Capture = pytest.CaptureFixture[str]


def elsewhere(root: Path, cell: str) -> "subprocess.CompletedProcess[str]":
    """What the script says of a cell, in a process that cannot import our package."""
    guard = f"import sys, runpy; sys.modules['pipeline'] = None; sys.argv = ['script', {str(root)!r}, {cell!r}]; "
    code = f"{guard}runpy.run_path({str(SCRIPT)!r}, run_name='__main__')"
    return subprocess.run(
        [sys.executable, "-I", "-c", code], cwd=root, capture_output=True, text=True, timeout=100, check=False
    )


def script() -> Any:
    """The script as a module."""
    return import_file(SCRIPT)


def exported(folder: Path, **arms: str) -> Path:
    """Results of cells of these arms, whose heads read a pooling each, and their exports."""
    base = save_tiny(folder / "base", "bert", initializer_range=0.2)
    tiny_tokenizer().save_pretrained(base)
    data = write_table(folder / "reviews.csv", tiny.rows())
    recipe = ["train.size=48", "train.lr=3e-3", "train.epochs=3", "train.min_steps=12", "train.keep=all"]
    for arm, pooling in arms.items():
        asked = [*tiny.overrides(base, data, folder / "out"), *recipe, f"arm={arm}", f"base.pooling={pooling}"]
        asked += ["base.prefix='query: '", "study.audits=[decay,new_words]", "task.data.time=day"]
        assert main(["train", *asked]) == 0
        assert main(["export", *asked]) == 0
    return folder / "out"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network read by Sentence Transformers, and a model on words."""
    return exported(tmp_path_factory.mktemp("recomputed"), frozen="mean", bag_of_words="mean")


@pytest.fixture
def copied(world: Path, tmp_path: Path) -> Path:
    shutil.copytree(world, tmp_path / "out")
    return tmp_path / "out"


def test_every_score_is_found_again(world: Path, capsys: Capture) -> None:
    capsys.readouterr()
    assert script().main([str(world)]) == 0
    assert "fp32: 2 cells, 0 with differences" in capsys.readouterr().out


def test_it_needs_nothing_of_ours(world: Path) -> None:
    (words,) = world.glob("exports/*/vocabulary.json")
    done = elsewhere(world, words.parent.name)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "fp32: 1 cells, 0 with differences" in done.stdout
    assert not re.search(r"^\s*(import|from) pipeline", SCRIPT.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.slow
def test_a_network_with_its_own_head_is_read_by_transformers(tmp_path: Path, capsys: Capture) -> None:
    root = exported(tmp_path, pretrained="head")
    capsys.readouterr()
    assert script().main([str(root)]) == 0
    assert "fp32: 1 cells, 0 with differences" in capsys.readouterr().out


def test_what_was_changed_is_found(copied: Path, capsys: Capture) -> None:
    losses, others = sorted((copied / "cells").glob("*"))
    scores = np.load(losses / "scores.npy")
    scores["loss"][50] += 1e-3
    np.save(losses / "scores.npy", scores)
    scores = np.load(others / "scores.npy")
    scores["predicted"][40] = 1 - scores["predicted"][40]
    np.save(others / "scores.npy", scores)
    result = json.loads((others / "result.json").read_text(encoding="utf-8"))
    result["evaluations"][-1]["metrics"]["macro_f1"] += 0.01
    (others / "result.json").write_text(json.dumps(result), encoding="utf-8")
    capsys.readouterr()
    assert script().main([str(copied)]) == 1
    first, second, summary = capsys.readouterr().out.splitlines()
    assert "test: a probability differs by" in first
    assert "test: 1 predictions differ" in second
    assert "scores are not those of the predictions" in second
    assert "train: macro_f1 is" in second
    assert "2 with differences" in summary


@pytest.mark.parametrize(
    ("audit", "column", "said"),
    [("decay", 0, "the fall is"), ("new_words", 2, "new words differ from those stored")],
)
def test_changed_items_of_an_audit_are_found(copied: Path, capsys: Capture, audit: str, column: int, said: str) -> None:
    for record in copied.glob("cells/*/evaluations/*/record.json"):
        if json.loads(record.read_text(encoding="utf-8")).get("audit") == audit:
            items = np.load(record.with_name("items.npy"))
            items[:, column] += np.linspace(0.0, 0.5, len(items)) ** 2
            np.save(record.with_name("items.npy"), items)
    capsys.readouterr()
    assert script().main([str(copied)]) == 1
    assert capsys.readouterr().out.count(said) == 2


def test_texts_that_are_not_the_cells_are_found(copied: Path, capsys: Capture) -> None:
    (path,) = copied.glob("data/*/test.examples.arrow")
    with pa.ipc.open_stream(path.read_bytes()) as reader:  # of a copy: the file is written anew
        table = reader.read_all()
    with pa.ipc.new_stream(path, table.schema) as writer:
        writer.write_table(table.take([1, 0, *range(2, len(table))]))
    capsys.readouterr()
    assert script().main([str(copied)]) == 1
    assert capsys.readouterr().out.count("test: a probability differs by") == 2


def test_a_cell_without_an_export_names_the_command_for_it(copied: Path) -> None:
    missing = sorted((copied / "exports").glob("*"))[0]
    shutil.rmtree(missing)
    with pytest.raises(ValueError, match=f"headstart export cell={missing.name}"):
        script().main([str(copied)])
