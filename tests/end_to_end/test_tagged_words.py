"""Tagged words, the whole way: a study, a tagger put to use, a directory for others, and what cannot be done."""

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from command_kit import command
from conftest import Finished

from pipeline.data.store import load, stored_examples
from tests import tiny
from tests.tiny import reviews, tiny_base

__all__ = ["reviews", "tiny_base"]

Capture = pytest.CaptureFixture[str]
ARMS = ("pretrained", "bag_of_words")


def sentences(folder: Path) -> Path:
    """240 texts whose words are tagged as telling or plain, in columns."""
    path = folder / "reviews.conll"
    telling = {*tiny.GOOD, *tiny.BAD}
    words = [text.split() for text, _ in tiny.rows(240)]
    lines = ["\n".join(f"{word} {'B-TELL' if word in telling else 'O'}" for word in each) for each in words]
    path.write_text("\n\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def tagged(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    from pipeline.cli import main

    root = tmp_path_factory.mktemp("tagged")
    data = sentences(tmp_path_factory.mktemp("data"))
    columns = ["task.data.text=tokens", "task.data.label=null", "task.data.labels=tags"]
    world = [*tiny.overrides(tiny_base, data, root), "task=token_classification", "task.metric=span_f1", *columns]
    study = [*tiny.study(arms=",".join(ARMS), sizes="24", seeds="1", claim=False), "train.keep=all"]
    found = Finished(root=root, world=world, study=study)
    assert main(["study", *found.at(root)]) == 0
    return found


def cell_of(tagged: Finished, arm: str) -> str:
    plan = tagged.plan
    return next(n for n, c in plan.cells.items() if (c.arm.name, c.train.seed) == (arm, 1))


def test_its_cells_are_judged_by_words_and_by_spans(tagged: Finished) -> None:
    plan = tagged.plan
    report = (plan.folder / "report.md").read_text(encoding="utf-8")
    assert "2 labels in 240 rows: B-TELL (480), O" in report
    assert "span F1" in report
    for result in plan.results():
        test = next(e for e in result.evaluations if e.role == "in_domain")
        assert {"example_accuracy", "token_accuracy", "span_f1", "exact", "loss"} <= set(test.metrics)
        assert not test.confusion
    bag = next(r for r in plan.results() if r.key.arm == "bag_of_words")
    assert next(e for e in bag.evaluations if e.role == "in_domain").metrics["span_f1"] > 0.8


@pytest.mark.parametrize("arm", ARMS)
def test_what_is_predicted_of_the_test_set_scores_as_the_cell_did(
    tagged: Finished, tmp_path: Path, capsys: Capture, arm: str
) -> None:
    plan, cell = tagged.plan, cell_of(tagged, arm)
    sample = list(stored_examples(load(plan.data_folder), "test"))
    path = tmp_path / "sample.txt"
    path.write_text("".join(f"{example.text}\n" for example in sample), encoding="utf-8")
    done = command(capsys, "predict", f"paths.root={tagged.root}", f"cell={cell}", f"predict.path={path}")
    assert done.code == 0, done.err
    found = [row["tags"].split() for row in csv.DictReader(io.StringIO(done.out))]
    assert [len(tags) for tags in found] == [len(example.labels) for example in sample]
    right = [np.equal(tags, example.labels).sum() for tags, example in zip(found, sample, strict=True)]
    scores = plan.store.scores(cell)
    assert np.array_equal(right, scores[scores["dataset"] == 1]["statistics"][:, 0])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("new.conll", "a\nbright\nfilm\n\ndull\n"),
        ("new.jsonl", '{"tokens": ["a", "bright", "film"]}\n{"tokens": ["dull"]}'),
    ],
)
def test_files_of_words_are_tagged(tagged: Finished, name: str, content: str, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    given = f"predict.path={tmp_path / name}", "predict.column=tokens"
    cell = f"cell={cell_of(tagged, 'bag_of_words')}"
    done = command(capsys, "predict", f"paths.root={tagged.root}", cell, *given)
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert [(row["text"], row["tags"]) for row in rows] == [("a bright film", "O B-TELL O"), ("dull", "B-TELL")]


def test_an_exported_tagger_is_read_by_transformers(tagged: Finished, tmp_path: Path, capsys: Capture) -> None:
    from transformers import pipeline

    cell, target = cell_of(tagged, "pretrained"), tmp_path / "model"
    done = command(capsys, "export", f"paths.root={tagged.root}", f"cell={cell}", f"export={target}")
    assert done.code == 0, done.err
    card = (target / "README.md").read_text(encoding="utf-8")
    assert "pipeline_tag: token-classification" in card
    assert "any number apply" not in card
    assert "multi_label" not in (target / "config.json").read_text(encoding="utf-8")
    text = "a bright film"
    said = command(capsys, "predict", f"paths.root={tagged.root}", f"cell={cell}", f"predict.text={text}")
    (row,) = csv.DictReader(io.StringIO(said.out))
    ask = pipeline("token-classification", model=str(target), ignore_labels=[])
    theirs = {each["start"]: each for each in ask(text)}
    read = [theirs[start] for start in (0, 2, 9)]
    assert [each["entity"] for each in read] == row["tags"].split()
    assert [each["score"] for each in read] == pytest.approx([float(p) for p in row["probabilities"].split()], abs=1e-3)


def test_a_linear_model_on_words_has_no_export(tagged: Finished, tmp_path: Path, capsys: Capture) -> None:
    given = f"paths.root={tagged.root}", f"cell={cell_of(tagged, 'bag_of_words')}", f"export={tmp_path / 'model'}"
    done = command(capsys, "export", *given)
    assert done.code == 2
    assert "what is around each word" in done.err
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize(
    ("arm", "why"),
    [("frozen", "one vector a text, which token_classification has not"), ("class_means", "needs classes")],
)
def test_arms_that_need_one_vector_a_text_are_refused(tagged: Finished, arm: str, why: str, capsys: Capture) -> None:
    done = command(capsys, "train", *tagged.world, f"arm={arm}", f"paths.root={tagged.root}")
    assert (done.code, "Traceback" in done.err) == (2, False)
    assert why in " ".join(done.err.split())
