"""Pairs of texts, the whole way: a study of all arms, a network put to use, a directory for others."""

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


def pairs(folder: Path) -> Path:
    """240 pairs: the reply is of the question's own tone, or of the other one."""
    questions, replies = tiny.rows(240), tiny.rows(240, seed=1)
    shifted = [replies[(i + (i // 2) % 2) % 240] for i in range(240)]
    path = folder / "pairs.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("question", "reply", "fits"))
        for (question, tone), (reply, other) in zip(questions, shifted, strict=True):
            table.writerow((question, reply, "yes" if tone == other else "no"))
    return path


@pytest.fixture(scope="module")
def asked(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    from pipeline.cli import main

    root = tmp_path_factory.mktemp("pairs")
    data = pairs(tmp_path_factory.mktemp("data"))
    columns = ["task.data.text=question", "task.data.second=reply", "task.data.label=fits"]
    world = [*tiny.overrides(tiny_base, data, root), "task=pair_classification", *columns]
    study = [*tiny.study(arms=",".join(ARMS), sizes="24", seeds="1", claim=False), "train.keep=all"]
    found = Finished(root=root, world=world, study=study)
    assert main(["study", *found.at(root)]) == 0
    return found


def cell_of(asked: Finished, arm: str) -> str:
    plan = asked.plan
    return next(n for n, c in plan.cells.items() if (c.arm.name, c.train.seed) == (arm, 1))


def test_both_texts_are_read(asked: Finished) -> None:
    prepared = load(asked.plan.data_folder)
    for example, length in zip(stored_examples(prepared, "test"), prepared.test.lengths, strict=True):
        assert example.second is not None
        assert length > max(len(example.text.split()), len(example.second.split()))


def test_its_report_says_what_is_taken_for_what(asked: Finished) -> None:
    text = (asked.plan.folder / "report.md").read_text(encoding="utf-8")
    assert "## Answers" in text
    assert "pretrained at 24 labels: for each class (rows), the share predicted as each class (columns)" in text


@pytest.mark.parametrize("arm", ARMS)
def test_predictions_on_the_test_set_are_the_cells_own(
    asked: Finished, tmp_path: Path, capsys: Capture, arm: str
) -> None:
    plan, cell = asked.plan, cell_of(asked, arm)
    sample = [[e.text, e.second] for e in stored_examples(load(plan.data_folder), "test")]
    path = tmp_path / "sample.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("question", "reply"), *sample])
    given = [f"predict.path={path}", "predict.column=question", "predict.second_column=reply"]
    done = command(capsys, "predict", f"paths.root={asked.root}", f"cell={cell}", *given)
    assert done.code == 0, done.err
    found = list(csv.DictReader(io.StringIO(done.out)))
    assert [[row["text"], row["second"]] for row in found] == sample
    scores = plan.store.scores(cell)
    expected = scores[scores["dataset"] == 1]["predicted"]
    assert [row["label"] for row in found] == [("no", "yes")[i] for i in expected]


@pytest.mark.parametrize("arm", ["pretrained", "frozen"])
def test_an_exported_network_scores_as_the_cell_did(asked: Finished, tmp_path: Path, capsys: Capture, arm: str) -> None:
    target = tmp_path / "model"
    done = command(capsys, "export", f"paths.root={asked.root}", f"cell={cell_of(asked, arm)}", f"export={target}")
    assert done.code == 0, done.err
    assert (target / "model.safetensors").is_file()
    card = (target / "README.md").read_text(encoding="utf-8")
    assert "A classifier of pairs of texts with 2 classes: no, yes." in card
    assert 'ask({"text": "…", "text_pair": "…"}, truncation=True)' in card


def test_a_text_without_its_second_is_refused(asked: Finished, capsys: Capture) -> None:
    given = [f"paths.root={asked.root}", f"cell={cell_of(asked, 'scratch')}", "predict.text='a film'"]
    done = command(capsys, "predict", *given)
    assert done.code == 2
    assert "This cell reads text and second, but 'a film' comes without second." in done.err
    assert command(capsys, "predict", *given, "predict.second='a plot'").code == 0


def test_a_column_that_is_missing_is_named(asked: Finished, tmp_path: Path, capsys: Capture) -> None:
    done = command(capsys, "study", *asked.at(tmp_path), "task.data.second=replies")
    assert done.code == 2
    assert "task.data.second asks for a column 'replies'" in done.err
    assert "Did you mean 'reply'" in done.err


def test_a_pair_with_an_empty_half_has_a_place_and_no_answer(asked: Finished, tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text("text,second\na film,a plot\na film,\n,\na plot,a film\n", encoding="utf-8")
    done = command(
        capsys, "predict", f"paths.root={asked.root}", f"cell={cell_of(asked, 'scratch')}", f"predict.path={path}"
    )
    found = [(row["text"], row["second"], bool(row["label"])) for row in csv.DictReader(io.StringIO(done.out))]
    assert found == [("a film", "a plot", True), ("a film", "", False), ("", "", False), ("a plot", "a film", True)]


def test_a_line_without_a_second_text_is_refused_before_any_answer(
    asked: Finished, tmp_path: Path, capsys: Capture
) -> None:
    path = tmp_path / "pairs.txt"
    path.write_text("a film\ta plot\na film\n", encoding="utf-8")
    done = command(
        capsys, "predict", f"paths.root={asked.root}", f"cell={cell_of(asked, 'scratch')}", f"predict.path={path}"
    )
    assert (done.code, done.out) == (2, "")
    assert "'a film' on line 2 of pairs.txt comes without second." in done.err
