"""What `headstart claims` takes: budgets, tables of one's own, other tasks; nothing is trained here."""

from pathlib import Path

import pytest
from claims_kit import given
from command_kit import command

from pipeline.commands.claims import settings_for
from pipeline.config.compose import compose
from tests import tiny
from tests.tiny import reviews, tiny_base

__all__ = ["reviews", "tiny_base"]

Capture = pytest.CaptureFixture[str]


def test_an_audit_that_does_not_read_the_language_of_the_texts_is_left_out(
    tiny_base: Path, tmp_path: Path, capsys: Capture
) -> None:
    french = [(f"le film est un {text}", label) for text, label in tiny.rows(240)]
    data = tiny.write_csv(tmp_path / "french.csv", french)
    said = command(capsys, "claims", *given(tiny_base, data, tmp_path), "plan=true").out
    assert "Not judged: bias. The audit bias cannot examine cells on tiny: the test texts look like French" in said
    assert "cells to train" in said


def refused(capsys: Capture, *arguments: str) -> str:
    done = command(capsys, "claims", *arguments)
    assert done.code == 2, done.out
    return done.err


def test_a_budget_too_small_for_one_look_is_refused_with_the_least(
    tiny_base: Path, reviews: Path, tmp_path: Path, capsys: Capture
) -> None:
    said = refused(capsys, *given(tiny_base, reviews, tmp_path, "study.budget=3 cells"))
    assert "first look, which is expected to take 12 cells, but got '3 cells'" in said
    assert not (tmp_path / "cells").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["task=intent"], "task=intent: there is no such task. Did you mean 'intents'?"),
        (["base=minilmm"], "base=minilmm: there is no such base. Did you mean 'minilm'?"),
        (["experiments=quickstart"], "claims brings its own study"),
        (["one.csv", "two.csv"], "claims takes one table, but got 2: one.csv, two.csv"),
        (["study.family=none"], "study.family must be one of its choices, but got 'none'"),
    ],
)
def test_bad_input_is_refused(arguments: list[str], message: str, capsys: Capture) -> None:
    assert message in refused(capsys, *arguments)


def test_a_table_of_ones_own_gets_sizes_a_factor_of_two_apart(reviews: Path, tmp_path: Path, capsys: Capture) -> None:
    said = command(capsys, "claims", str(reviews), "plan=true", f"paths.root={tmp_path}", "tracking=none").out
    assert "Text: 'review'; label: 'stars'" in said
    assert "experiments=claims" in said
    assert "study.name=reviews_claims" in said
    assert "'study.sizes=[70,140]'" in said


def test_what_another_task_asks_for_is_set() -> None:
    config = compose(settings_for(["task=next_word", "base=smollm2"]))
    assert config.study.name == "claims_next_word_smollm2"
    assert config.study.target is None
    scored = [claim for claim in config.study.claims.values() if claim.delta < 1 and claim.audit is None]
    assert {claim.direction for claim in scored} == {"lower"}, "bits per byte: less is better"
    assert compose(settings_for([])).study.name == "claims"
    assert compose(settings_for([])).study.target == 0.8
