"""The model card of an exported cell."""

from dataclasses import replace

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from synthetic_report import estimate, make_about, make_cell

from pipeline.report import About, model_card
from pipeline.report.usage import by_transformers

ABOUT = make_about(("pretrained", "scratch"))
CELL = make_cell("pretrained", 100, 0)
USE = by_transformers(ABOUT)
ONE_SEED = {"test": estimate(0.765, 0.021, seeds=1)}


def front(card: str) -> dict[str, object]:
    """The YAML between the first two rules."""
    assert card.startswith("---\n")
    loaded: dict[str, object] = yaml.safe_load(card.split("\n---\n", 1)[0])
    return loaded


def licensed(licence: str) -> About:
    """About, with a base under `licence`."""
    return replace(ABOUT, base=replace(ABOUT.base, licence=licence))


def test_the_front_matter_names_licence_base_and_scores() -> None:
    meta = front(model_card(CELL, ABOUT, ONE_SEED, USE))
    assert meta["license"] == "apache-2.0"
    assert meta["base_model"] == "sentence-transformers/all-MiniLM-L6-v2"
    assert meta["pipeline_tag"] == "text-classification"
    assert meta["metrics"] == ["accuracy"]
    results = meta["model-index"][0]["results"]  # type: ignore[index]
    assert [r["dataset"]["type"] for r in results] == ["test", "imdb"]
    assert results[0]["metrics"][0]["value"] == pytest.approx(0.765)


def test_a_model_from_scratch_names_no_base_model() -> None:
    card = model_card(make_cell("scratch", 100, 0), ABOUT, {}, USE)
    assert "base_model" not in front(card)
    assert "freshly initialised" in card


def test_a_licence_the_hub_does_not_know_is_named_as_other() -> None:
    meta = front(model_card(CELL, licensed("My Own 1.0"), {}, USE))
    assert (meta["license"], meta["license_name"]) == ("other", "My Own 1.0")


def test_a_base_that_is_no_hub_name_is_not_given_as_one() -> None:
    own = replace(ABOUT, base=replace(ABOUT.base, upstream="https://example.org/model"))
    assert "base_model" not in front(model_card(CELL, own, {}, USE))


def test_scores_come_with_their_interval_or_say_that_there_is_none() -> None:
    card = model_card(CELL, ABOUT, ONE_SEED, USE)
    assert "| test (in-domain) | 76.5% | 74.4 to 78.6 | 1,500 |" in card
    assert "| imdb (out of domain) | 69.8% | none computed | 500 |" in card


@pytest.mark.parametrize(
    "said",
    [
        "negative, positive",
        "100 labelled texts",
        "875 GFLOPs",
        "sentiment",
        "Limits",
        "Licence",
        "unknown",
        "pipeline(",
    ],
)
def test_a_reader_finds(said: str) -> None:
    assert said in model_card(CELL, ABOUT, ONE_SEED, USE)


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_licence_and_dataset_name_gives_readable_front_matter(licence: str, dataset: str) -> None:
    first = replace(CELL.evaluations[0], dataset=dataset)
    meta = front(model_card(replace(CELL, evaluations=(first,)), licensed(licence), {}, USE))
    assert isinstance(meta["license"], str)
    assert isinstance(meta["model-index"][0]["results"][0]["dataset"]["type"], str)  # type: ignore[index]
