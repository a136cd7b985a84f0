"""Pairs of texts with a number, the whole way: a study, a network put to use, a directory for others."""

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
ARMS = ("pretrained", "frozen", "scratch")


def pairs(folder: Path) -> Path:
    """240 pairs rated from 1 to 5: 5 where both are of one tone, 2 where they are not."""
    path = folder / "pairs.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("one", "other", "rating"))
        replies = tiny.rows(240, seed=1)
        for i, (text, tone) in enumerate(tiny.rows(240)):
            reply, other = replies[(i + (i // 2) % 2) % 240]
            table.writerow((text, reply, 5 if tone == other else 2))
    return path


@pytest.fixture(scope="module")
def rated(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    from pipeline.cli import main

    root = tmp_path_factory.mktemp("numbers")
    data = pairs(tmp_path_factory.mktemp("data"))
    columns = ["task.data.text=one", "task.data.second=other", "task.data.label=null", "task.data.score=rating"]
    world = [*tiny.overrides(tiny_base, data, root), "task=similarity", *columns, "task.data.scale=[1,5]"]
    study = [*tiny.study(arms=",".join(ARMS), sizes="24", seeds="1", claim=False), "train.keep=all"]
    found = Finished(root=root, world=world, study=study)
    assert main(["study", *found.at(root)]) == 0
    return found


def cell_of(rated: Finished, arm: str) -> str:
    plan = rated.plan
    return next(n for n, c in plan.cells.items() if (c.arm.name, c.train.seed) == (arm, 1))


def test_its_report_counts_texts_and_its_cells_have_correlations(rated: Finished) -> None:
    plan = rated.plan
    assert "24 labels" not in (plan.folder / "report.md").read_text(encoding="utf-8")
    for result in plan.results():
        test = next(e for e in result.evaluations if e.role == "in_domain")
        assert {"absolute_error", "pearson", "spearman", "loss"} <= set(test.metrics)
        assert not result.higher_is_better


@pytest.mark.parametrize("arm", ARMS)
def test_what_is_told_of_the_test_set_is_as_far_off_as_the_cell_was(
    rated: Finished, tmp_path: Path, capsys: Capture, arm: str
) -> None:
    plan, cell = rated.plan, cell_of(rated, arm)
    sample = stored_examples(load(plan.data_folder), "test")
    path = tmp_path / "sample.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("one", "other"), *((example.text, example.second) for example in sample)])
    given = [f"predict.path={path}", "predict.column=one", "predict.second_column=other"]
    done = command(capsys, "predict", f"paths.root={rated.root}", f"cell={cell}", *given)
    assert done.code == 0, done.err
    told = [float(row["similarity"]) for row in csv.DictReader(io.StringIO(done.out))]
    scores = plan.store.scores(cell)
    expected = scores[scores["dataset"] == 1]["score"].tolist()
    errors = [abs(share - float(str(example.score))) for share, example in zip(told, sample, strict=True)]
    assert errors == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("arm", ["pretrained", "frozen"])
def test_an_exported_network_tells_the_same(rated: Finished, tmp_path: Path, capsys: Capture, arm: str) -> None:
    from transformers import pipeline

    target, cell = tmp_path / "model", cell_of(rated, arm)
    done = command(capsys, "export", f"paths.root={rated.root}", f"cell={cell}", f"export={target}")
    assert done.code == 0, done.err
    assert "It predicts a number from 0 to 1 for a pair of texts." in (target / "README.md").read_text(encoding="utf-8")
    said = pipeline("text-classification", model=str(target), device="cpu")(
        {"text": "bright film", "text_pair": "dull plot"}
    )
    given = ["predict.text='bright film'", "predict.second='dull plot'"]
    done = command(capsys, "predict", f"paths.root={rated.root}", f"cell={cell}", *given)
    own = float(next(csv.DictReader(io.StringIO(done.out)))["similarity"])
    assert (said[0] if isinstance(said, list) else said)["score"] == pytest.approx(own, abs=1e-3)
