"""Text without labels, the whole way: a study of all arms, a network put to use, a directory for others."""

import csv
import io
import json
from pathlib import Path

import pytest
from command_kit import command
from conftest import Finished

from tests import tiny
from tests.tiny import reviews, tiny_base

__all__ = ["reviews", "tiny_base"]

Capture = pytest.CaptureFixture[str]
ARMS = ("pretrained", "lora", "scratch")
GAPS = ["task=masked_language_modelling", "task.data.label=null", "train.keep=all", "train.epochs=6"]


@pytest.fixture(scope="module")
def gaps(tiny_base: Path, reviews: Path, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    from pipeline.cli import main

    root = tmp_path_factory.mktemp("gaps")
    study = tiny.study(arms=",".join(ARMS), sizes="24,96", claim=True)
    found = Finished(root=root, world=tiny.overrides(tiny_base, reviews, root), study=[*study, *GAPS])
    assert main(["study", *found.at(root)]) == 0
    return found


def cell_of(gaps: Finished, arm: str) -> str:
    plan = gaps.plan
    return next(n for n, c in plan.cells.items() if (c.arm.name, c.train.size, c.train.seed) == (arm, 96, 1))


def test_its_report_is_of_the_gaps_that_were_filled_right(gaps: Finished) -> None:
    plan = gaps.plan
    found = json.loads((plan.folder / "findings.json").read_text(encoding="utf-8"))
    assert found["metric"] == "top1"
    assert {score["arm"] for score in found["scores"]} == set(ARMS)
    assert {v["verdict"] for v in found["verdicts"]} <= {"supported", "refuted", "inconclusive"}
    text = (plan.folder / "report.md").read_text(encoding="utf-8")
    assert "Text multipliers" in text
    assert "label" not in text.lower().replace("task.data.label", "")  # which the command sets


def test_training_makes_the_words_left_out_likelier(gaps: Finished) -> None:
    plan = gaps.plan
    for arm in ARMS:
        points = plan.store.result(cell_of(gaps, arm)).trajectory
        assert points[-1].validation_loss < points[0].validation_loss, arm


def test_the_same_gaps_are_asked_of_every_arm_and_seed(gaps: Finished) -> None:
    plan = gaps.plan
    before = {plan.store.result(name).trajectory[0].validation_loss for name in plan.cells}
    assert len(before) == 2 * len({"pretrained", "scratch"}), "one start for each seed and start, whatever the arm"


@pytest.mark.parametrize("arm", ARMS)
def test_a_trained_network_fills_gaps_and_is_exported_with_its_scores(
    gaps: Finished, tmp_path: Path, capsys: Capture, arm: str
) -> None:
    given = [f"paths.root={gaps.root}", f"cell={cell_of(gaps, arm)}"]
    done = command(capsys, "predict", *given, "predict.text='a [MASK] film'")
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert [row["gap"] for row in rows] == ["1"] * 5, done.err
    target = tmp_path / "model"
    done = command(capsys, "export", *given, f"export={target}")
    assert done.code == 0, done.err
    card = (target / "README.md").read_text(encoding="utf-8")
    assert "pipeline_tag: fill-mask" in card
    assert "A masked language model." in card


def perplexity(capsys: Capture, gaps: Finished, text: str) -> float:
    given = [f"paths.root={gaps.root}", f"cell={cell_of(gaps, 'pretrained')}"]
    done = command(capsys, "predict", *given, f"predict.text='{text}'")
    (line,) = [line for line in done.err.splitlines() if line.startswith("perplexity ")]
    return float(line.split()[1].replace(",", ""))


def test_the_perplexity_of_a_language_that_was_not_learnt_is_higher_and_said_beside_the_guesses(
    gaps: Finished, capsys: Capture
) -> None:
    foreign, learnt = "O céu está [MASK].", "warm films [MASK] casting toning tender"
    assert perplexity(capsys, gaps, foreign) > perplexity(capsys, gaps, learnt)


def test_where_a_text_is_nothing_but_a_gap_no_perplexity_is_said(gaps: Finished, capsys: Capture) -> None:
    given = [f"paths.root={gaps.root}", f"cell={cell_of(gaps, 'pretrained')}"]
    done = command(capsys, "predict", *given, "predict.text='[MASK]'")
    assert done.code == 0
    assert "perplexity" not in done.err


def test_labels_are_refused_where_none_are_needed(gaps: Finished, tmp_path: Path, capsys: Capture) -> None:
    done = command(capsys, "study", *gaps.at(tmp_path), "task.data.label=stars")
    assert done.code == 2
    assert "task.data.label must be null for masked_language_modelling, but got 'stars'" in done.err
    assert not (tmp_path / "cells").exists()
