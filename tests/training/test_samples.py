"""A few test texts with what a network said of them, before and after; asking changes nothing."""

from pathlib import Path

import numpy as np
import pytest
from cell_kit import job, outcome, small, trained

from pipeline.data.store import load, stored_examples
from pipeline.training.loop.finish import finish
from tests.examples_kit import texts_of


@pytest.fixture
def overrides(tiny_base: Path, reviews: Path, tmp_path: Path) -> list[str]:
    return small(tiny_base, reviews, tmp_path)


def test_they_are_the_first_texts_of_the_test_set_with_the_answers_that_are_scored(overrides: list[str]) -> None:
    fitted = trained(overrides)
    prepared = load(Path(job(overrides).data_folder))
    assert [s.given for s in fitted.samples] == texts_of(stored_examples(prepared, "test"))[:8]
    assert [s.right for s in fitted.samples] == [prepared.labels[label] for label in prepared.test.labels[:8]]
    scores = finish(fitted)[1]
    told = scores[scores["dataset"] == 1]["predicted"][:8]
    assert [s.after for s in fitted.samples] == [prepared.labels[label] for label in told]
    assert {s.before for s in fitted.samples} <= set(prepared.labels)


def test_asking_for_them_changes_nothing_that_is_learnt_or_measured(overrides: list[str]) -> None:
    assert outcome(trained(overrides)) == outcome(trained([*overrides, "train.samples=0"]))


def test_there_are_none_where_none_are_asked_for(overrides: list[str]) -> None:
    assert trained([*overrides, "train.samples=0"]).samples == ()


@pytest.mark.parametrize("arm", ["frozen", "bag_of_words"])
def test_a_solved_cell_answers_with_what_was_solved(overrides: list[str], arm: str) -> None:
    fitted = trained([*overrides, f"arm={arm}"])
    right = fitted.outputs(fitted.prepared.test, np.arange(8)).scores
    assert [sample.after == sample.right for sample in fitted.samples] == right.astype(bool).tolist()


def test_of_gaps_the_word_in_the_middle_is_shown(overrides: list[str]) -> None:
    fitted = trained([*overrides, "task=masked_language_modelling", "task.data.label=null"])
    assert len(fitted.samples) == 8
    for sample in fitted.samples:
        words = sample.given.split()
        assert words[len(words) // 2] == "[MASK]"
        assert len(sample.right.split()) == 1
