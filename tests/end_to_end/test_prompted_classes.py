"""Classes told by their words, the whole way: a study that starts without an example, and a network put to use."""

import csv
import io
from pathlib import Path

import pytest
from command_kit import command
from conftest import Finished

from pipeline.data.store import load, stored_examples
from tests import tiny
from tests.examples_kit import texts_of
from tests.tiny import reviews, tiny_base
from tests.tiny_kinds import settings

__all__ = ["reviews", "tiny_base"]

Capture = pytest.CaptureFixture[str]
ARMS = ("pretrained", "scratch")
WORDS = {"dull", "bright"}  # that the two classes are called by


@pytest.fixture(scope="module")
def prompted(tiny_base: Path, reviews: Path, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    from pipeline.cli import main

    root = tmp_path_factory.mktemp("prompted")
    world = [*tiny.overrides(tiny_base, reviews, root), *settings("prompted_classification")]
    start = "+study.claims.start={statement: 'It tells them without an example', metric: initial_score, size: 96}"
    study = [*tiny.study(arms=",".join(ARMS), sizes="96"), start, "train.keep=all", "train.epochs=10"]
    found = Finished(root=root, world=world, study=study)
    assert main(["study", *found.at(root)]) == 0
    return found


def cell_of(prompted: Finished, arm: str) -> str:
    plan = prompted.plan
    return next(n for n, c in plan.cells.items() if (c.arm.name, c.train.seed) == (arm, 1))


def test_its_report_judges_what_was_told_without_an_example(prompted: Finished) -> None:
    plan = prompted.plan
    report = (plan.folder / "report.md").read_text(encoding="utf-8")
    assert "It tells them without an example" in report
    assert "bright, dull" in report or "dull, bright" in report


def test_training_makes_the_words_of_the_right_classes_likelier(prompted: Finished) -> None:
    for result in prompted.plan.results():
        assert min(p.validation_loss for p in result.trajectory[1:]) < result.trajectory[0].validation_loss


@pytest.mark.parametrize("arm", ARMS)
def test_the_words_written_to_a_csv_are_right_where_the_cell_was(
    prompted: Finished, tmp_path: Path, capsys: Capture, arm: str
) -> None:
    plan, cell = prompted.plan, cell_of(prompted, arm)
    data = load(plan.data_folder)
    given, written = tmp_path / "new.csv", tmp_path / "told.csv"
    with open(given, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["review"], *([text] for text in texts_of(stored_examples(data, "test")))])
    asked = [f"predict.path={given}", "predict.column=review", f"predict.output={written}"]
    done = command(capsys, "predict", f"paths.root={prompted.root}", f"cell={cell}", *asked)
    assert (done.code, done.out) == (0, ""), done.err
    rows = list(csv.DictReader(io.StringIO(written.read_text(encoding="utf-8"))))
    assert [row["text"] for row in rows] == texts_of(stored_examples(data, "test"))
    assert {row["label"] for row in rows} <= WORDS
    right = [data.labels[number] for number in data.sets["test"].labels]
    scores = plan.store.scores(cell)
    hits = [float(row["label"] == word) for row, word in zip(rows, right, strict=True)]
    assert hits == scores[scores["dataset"] == 1]["score"].tolist()


def test_a_class_that_is_called_by_several_tokens_is_refused_before_anything_is_trained(
    prompted: Finished, tmp_path: Path, capsys: Capture
) -> None:
    done = command(capsys, "study", *prompted.at(tmp_path), "task.data.label_names={bad: dreadful, good: bright}")
    assert done.code == 2
    assert "needs classes that are called by words of one token, but these are not: 'dreadful'" in done.err
    assert not list((tmp_path / "cells").glob("[!.]*"))
