"""A trained cell put to use: texts classified, and a directory that scores as the cell did."""

import csv
import dataclasses
import io
import json
from pathlib import Path

import numpy as np
import pytest
from command_kit import command, copy, planned, staged
from conftest import Finished

from pipeline.commands.export import _estimates
from pipeline.commands.steps.trained import trained_cell
from pipeline.config.compose import compose
from pipeline.data.store import load, stored_examples
from pipeline.files import seal
from pipeline.hardware import machine
from tests import tiny
from tests.examples_kit import texts_of

Capture = pytest.CaptureFixture[str]
ARMS = ("pretrained", "frozen", "lora", "scratch")


def cell_of(finished: Finished, arm: str) -> str:
    plan = finished.plan
    return next(n for n, c in plan.cells.items() if (c.arm.name, c.train.size, c.train.seed) == (arm, 48, 1))


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_one_text_is_classified_with_its_probability(finished: Finished, capsys: Capture) -> None:
    cell = cell_of(finished, "pretrained")
    done = command(capsys, "predict", f"paths.root={finished.root}", f"cell={cell}", "predict.text='a dull film'")
    assert done.code == 0, done.err
    (row,) = rows(done.out)
    assert row["text"] == "a dull film"
    assert row["label"] in tiny.LABELS
    assert 0.5 <= float(row["probability"]) <= 1
    assert cell in done.err


def test_results_of_another_version_are_passed_over_where_the_best_cell_is_chosen(
    finished: Finished, tmp_path: Path
) -> None:
    root = copy(finished.root, tmp_path / "out")
    config = compose(finished.at(root))
    best = trained_cell(config).result.cell_id
    folder = root / "cells" / best
    result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    (folder / "result.json").write_text(json.dumps({"cell_id": best, "score": result["metric"]}), encoding="utf-8")
    seal(folder)
    assert trained_cell(config).result.cell_id != best


@pytest.mark.parametrize("arm", ARMS)
def test_predictions_on_the_test_set_are_the_cells_own(
    finished: Finished, tmp_path: Path, capsys: Capture, arm: str
) -> None:
    plan, cell = finished.plan, cell_of(finished, arm)
    sample = texts_of(stored_examples(load(plan.data_folder), "test"))
    path = tiny.write_csv(tmp_path / "sample.csv", [(text, "") for text in sample])
    output = tmp_path / "out.csv"
    arguments = [f"paths.root={finished.root}", f"cell={cell}", f"predict.path={path}", "predict.column=review"]
    assert command(capsys, "predict", *arguments, f"predict.output={output}").code == 0
    found = rows(output.read_text(encoding="utf-8"))
    scores = plan.store.scores(cell)
    expected = scores[scores["dataset"] == 1]["predicted"]
    assert [row["text"] for row in found] == sample
    assert [row["label"] for row in found] == [tiny.LABELS[i] for i in expected]


def test_standard_input_is_classified_line_by_line(
    finished: Finished, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("bright warm films\n\ndull stale plots\n"))
    done = command(capsys, "predict", f"paths.root={finished.root}", f"cell={cell_of(finished, 'scratch')}")
    assert [row["text"] for row in rows(done.out)] == ["bright warm films", "", "dull stale plots"]


@pytest.mark.parametrize("name", ["odd.csv", "odd.txt"])
def test_a_text_is_one_row_whatever_it_holds(finished: Finished, tmp_path: Path, capsys: Capture, name: str) -> None:
    odd = ["a fine\u2028film", "a dull\x0bplot", "a warm\x85scene", "an end"]
    path = tmp_path / name
    path.write_text("\n".join([*(["text"] if name.endswith("csv") else []), *odd]) + "\n", encoding="utf-8")
    cell = cell_of(finished, "scratch")
    done = command(capsys, "predict", f"paths.root={finished.root}", f"cell={cell}", f"predict.path={path}")
    assert [row["text"] for row in csv.DictReader(io.StringIO(done.out, newline=""))] == odd


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("new.csv", 'text;label\n"good; but long";x\ndull;y\n'),
        ("new.tsv", "text\tlabel\ngood; but long\tx\ndull\ty\n"),
        ("new.jsonl", '{"text": "good; but long"}\n{"text": "dull"}\n'),
        ("new.json", '[{"text": "good; but long"}, {"text": "dull"}]'),
        ("new.txt", "good; but long\ndull\n"),
    ],
)
def test_files_are_read_as_a_study_reads_them(
    finished: Finished, tmp_path: Path, capsys: Capture, name: str, content: str
) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    given = [f"paths.root={finished.root}", f"cell={cell_of(finished, 'scratch')}"]
    done = command(capsys, "predict", *given, f"predict.path={tmp_path / name}")
    assert [row["text"] for row in rows(done.out)] == ["good; but long", "dull"], done.err
    if not name.endswith("txt"):
        done = command(capsys, "predict", *given, f"predict.path={tmp_path / name}", "predict.column=txt")
        assert (done.code, "predict.column asks for a column 'txt'" in done.err) == (2, True)


def test_a_task_is_known_under_another_name_too(finished: Finished, capsys: Capture) -> None:
    world = [a for a in finished.world if "tracking" not in a and "workers" not in a and "hardware" not in a]
    done = command(capsys, "predict", *world, f"paths.root={finished.root}", "task.name=other", "predict.text=fine")
    assert done.code == 0, done.err
    done = command(
        capsys,
        "predict",
        *world,
        f"paths.root={finished.root}",
        "task.name=other",
        "task.max_length=9",
        "predict.text=fine",
    )
    assert (done.code, "No finished and tested cell of task 'other'" in done.err) == (2, True)


def test_a_card_gives_no_interval_of_a_metric_that_is_no_mean(finished: Finished) -> None:
    trained = trained_cell(
        compose([*finished.world, f"cell={cell_of(finished, 'scratch')}", f"paths.root={finished.root}"])
    )
    plan = finished.plan
    result = plan.result(trained.result.cell_id)
    assert set(_estimates(result, plan.store)) == {"test"}
    other = dataclasses.replace(result, metric="macro_f1")
    assert _estimates(other, plan.store) == {}


def test_without_a_cell_the_best_on_validation_is_taken(finished: Finished, capsys: Capture) -> None:
    done = command(
        capsys,
        "predict",
        *finished.world[3:4],
        f"paths.root={finished.root}",
        "task.data.path=x.csv",
        "predict.text=fine",
    )
    assert done.code == 0, done.err
    plan = finished.plan
    scores = {n: next(e for e in plan.store.result(n).evaluations if e.role == "validation") for n in plan.cells}
    chosen = done.err.split()[1].rstrip(":")
    assert scores[chosen].metrics["accuracy"] == max(e.metrics["accuracy"] for e in scores.values())


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("cell=zzz", "no finished cell starts"),
        ("predict.path=nowhere.csv", "there is no such file"),
        ("cell=../../etc", "must be letters, digits"),
    ],
)
def test_what_cannot_be_predicted_is_said(finished: Finished, capsys: Capture, setting: str, words: str) -> None:
    given = [f"cell={cell_of(finished, 'scratch')}"] if not setting.startswith("cell") else []
    done = command(capsys, "predict", f"paths.root={finished.root}", *given, setting)
    assert done.code == 2
    assert words in done.err


@pytest.mark.parametrize("arm", ARMS)
def test_an_exported_directory_scores_as_the_cell_did(
    finished: Finished, tmp_path: Path, capsys: Capture, arm: str
) -> None:
    from transformers import pipeline

    plan, cell, target = finished.plan, cell_of(finished, arm), tmp_path / "model"
    done = command(capsys, "export", f"paths.root={finished.root}", f"cell={cell}", f"export={target}")
    assert done.code == 0, done.err
    assert {"config.json", "model.safetensors", "tokenizer.json", "README.md"} <= {p.name for p in target.iterdir()}
    prepared = load(plan.data_folder)
    classify = pipeline("text-classification", model=str(target), top_k=None, device="cpu")
    found = classify(texts_of(stored_examples(prepared, "test")), truncation=True)
    gold = [
        next(e["score"] for e in row if e["label"] == tiny.LABELS[label])
        for row, label in zip(found, prepared.test.labels, strict=True)
    ]
    scores = plan.store.scores(cell)
    np.testing.assert_allclose(gold, np.exp(-scores[scores["dataset"] == 1]["loss"]), atol=1e-4)


def test_a_cell_trained_in_bf16_is_exported_with_its_scores(
    tiny_base: Path, reviews: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "cpu_has_bf16", lambda: True)
    world = [*tiny.overrides(tiny_base, reviews, tmp_path / "out"), "train.precision=bf16"]
    settings = ["train.size=48", "train.lr=3e-3", "train.min_steps=20"]
    assert command(capsys, "train", *world, *settings).code == 0
    done = command(capsys, "export", *world, f"export={tmp_path / 'model'}")
    assert done.code == 0, done.err
    assert "gives the cell's scores" in done.out


def test_an_existing_folder_is_refused_and_left_as_it_is(finished: Finished, tmp_path: Path, capsys: Capture) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work", encoding="utf-8")
    cell = cell_of(finished, "scratch")
    done = command(capsys, "export", f"paths.root={finished.root}", f"cell={cell}", f"export={mine}")
    assert done.code == 2
    assert "exists already" in done.err
    assert [p.name for p in mine.iterdir()] == ["thesis.txt"]


def test_nothing_is_left_where_the_exported_model_does_not_score_as_the_cell_did(
    finished: Finished, tmp_path: Path, capsys: Capture
) -> None:
    root = copy(finished.root, tmp_path / "out")
    plan, cell = planned(finished.at(root)), cell_of(finished, "scratch")
    path = plan.store.folder(cell) / "scores.npy"
    scores = np.load(path)
    scores["loss"] += 1.0
    np.save(path, scores)
    seal(path.parent)
    target = tmp_path / "model"
    done = command(capsys, "export", f"paths.root={root}", f"cell={cell}", f"export={target}")
    assert done.code == 1
    assert "does not score as the cell did" in done.err
    assert not target.exists()
    assert staged(tmp_path) == []


def test_weights_that_were_not_kept_are_said_to_be_missing_with_the_remedy(
    finished: Finished, tmp_path: Path, capsys: Capture
) -> None:
    root = copy(finished.root, tmp_path / "out")
    plan, cell = planned(finished.at(root)), cell_of(finished, "scratch")
    plan.store.drop_weights(cell)
    for name in ("predict", "export"):
        done = command(capsys, name, f"paths.root={root}", f"cell={cell}", "predict.text=fine")
        assert done.code == 2
        assert "train.keep=all" in done.err


def test_the_model_card_names_data_metrics_with_intervals_and_licence(
    finished: Finished, tmp_path: Path, capsys: Capture
) -> None:
    target, cell = tmp_path / "model", cell_of(finished, "pretrained")
    assert command(capsys, "export", f"paths.root={finished.root}", f"cell={cell}", f"export={target}").code == 0
    card = (target / "README.md").read_text(encoding="utf-8")
    assert card.startswith("---\n")
    result = finished.plan.store.result(cell)
    test = next(e for e in result.evaluations if e.dataset == "test")
    assert f"{test.metrics['accuracy']:.1%}"[:-1] in card
    assert "icen" in card
    assert json.loads((target / "config.json").read_text())["id2label"] == {"0": "bad", "1": "good"}
