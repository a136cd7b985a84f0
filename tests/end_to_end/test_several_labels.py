"""Texts with several labels, the whole way: a study, a network put to use, a directory for others."""

import csv
import io
from pathlib import Path

import pytest
from command_kit import command
from conftest import Finished

from pipeline.data.store import load, stored_examples
from tests import tiny
from tests.tiny import reviews, tiny_base

__all__ = ["reviews", "tiny_base"]

Capture = pytest.CaptureFixture[str]
ARMS = ("pretrained", "frozen", "lora", "scratch")


def posts(folder: Path) -> Path:
    """240 texts that are labelled with their tone and, half of them, as early."""
    path = folder / "posts.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("post", "tags"))
        table.writerows((text, f"{tone};early" if i % 2 else tone) for i, (text, tone) in enumerate(tiny.rows(240)))
    return path


@pytest.fixture(scope="module")
def tagged(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    from pipeline.cli import main

    root = tmp_path_factory.mktemp("several")
    data = posts(tmp_path_factory.mktemp("data"))
    columns = ["task.data.text=post", "task.data.label=null", "task.data.labels=tags"]
    world = [*tiny.overrides(tiny_base, data, root), "task=multi_label_classification", *columns]
    study = [*tiny.study(arms=",".join(ARMS), sizes="24", seeds="1", claim=False), "train.keep=all"]
    found = Finished(root=root, world=world, study=study)
    assert main(["study", *found.at(root)]) == 0
    return found


def cell_of(tagged: Finished, arm: str) -> str:
    plan = tagged.plan
    return next(n for n, c in plan.cells.items() if (c.arm.name, c.train.seed) == (arm, 1))


def test_its_cells_are_judged_by_the_labels_of_each_text(tagged: Finished) -> None:
    plan = tagged.plan
    report = (plan.folder / "report.md").read_text(encoding="utf-8")
    assert "3: bad, early, good" in report
    assert "Mean F1 of a text's labels on test" in report
    assert "24 labels" not in report
    for result in plan.results():
        test = next(e for e in result.evaluations if e.role == "in_domain")
        assert {"example_f1", "micro_f1", "macro_f1", "exact", "loss"} <= set(test.metrics)
        assert not test.confusion


@pytest.mark.parametrize("arm", ARMS)
def test_what_is_told_of_the_test_set_scores_as_the_cell_did(
    tagged: Finished, tmp_path: Path, capsys: Capture, arm: str
) -> None:
    plan, cell = tagged.plan, cell_of(tagged, arm)
    sample = stored_examples(load(plan.data_folder), "test")
    path = tmp_path / "sample.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("post",), *((example.text,) for example in sample)])
    given = [f"predict.path={path}", "predict.column=post"]
    done = command(capsys, "predict", f"paths.root={tagged.root}", f"cell={cell}", *given)
    assert done.code == 0, done.err
    found = [set(filter(None, row["labels"].split(", "))) for row in csv.DictReader(io.StringIO(done.out))]
    right = [set(example.labels) for example in sample]
    scores = plan.store.scores(cell)
    expected = scores[scores["dataset"] == 1]["score"].tolist()
    own = [2 * len(r & f) / (len(r) + len(f)) for r, f in zip(right, found, strict=True)]
    assert sum(abs(a - b) > 1e-6 for a, b in zip(own, expected, strict=True)) <= 1  # on the very edge, by rounding


@pytest.mark.parametrize("arm", ["pretrained", "lora"])
def test_an_exported_network_tells_the_same(tagged: Finished, tmp_path: Path, capsys: Capture, arm: str) -> None:
    from transformers import pipeline

    target, cell = tmp_path / "model", cell_of(tagged, arm)
    done = command(capsys, "export", f"paths.root={tagged.root}", f"cell={cell}", f"export={target}")
    assert done.code == 0, done.err
    card = (target / "README.md").read_text(encoding="utf-8")
    assert "A classifier of texts with 3 classes, of which any number apply: bad, early, good." in card
    said = pipeline("text-classification", model=str(target), device="cpu", top_k=None)(["bright film"])[0]
    done = command(capsys, "predict", f"paths.root={tagged.root}", f"cell={cell}", "predict.text='bright film'")
    row = next(csv.DictReader(io.StringIO(done.out)))
    own = dict(zip(row["labels"].split(", "), map(float, filter(None, row["probabilities"].split(", "))), strict=False))
    theirs = {each["label"]: each["score"] for each in said if each["score"] > 0.5}
    assert own == pytest.approx(theirs, abs=2e-3)
