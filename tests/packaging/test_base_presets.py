"""The presets of bases compose, and say where their claims come from."""

from pathlib import Path

import pytest

from pipeline.config.compose import compose
from pipeline.errors import ConfigError

PRESETS = sorted(p.stem for p in (Path(__file__).parents[2] / "conf/base").glob("*.yaml"))
HUB = {
    "bert": "google-bert/bert-base-uncased",
    "distilbert": "distilbert/distilbert-base-uncased",
    "roberta": "FacebookAI/roberta-base",
    "xlm_roberta": "FacebookAI/xlm-roberta-base",
    "multilingual_e5": "intfloat/multilingual-e5-small",
    "mdeberta": "microsoft/mdeberta-v3-base",
    "bertimbau": "neuralmind/bert-base-portuguese-cased",
    "modernbert": "answerdotai/ModernBERT-base",
}


@pytest.mark.parametrize("preset", HUB)
def test_a_hub_preset_names_its_base_licence_languages_and_what_it_may_have_seen(preset: str) -> None:
    base = compose([f"base={preset}"]).base
    assert (base.source, base.name, base.upstream) == ("hub", HUB[preset], HUB[preset])
    assert base.licence != "unknown"
    assert base.languages
    assert base.test_text_note


@pytest.mark.parametrize("preset", sorted(set(PRESETS) - {"hub", "local"}))
def test_pretraining_cost_is_a_plausible_number_with_its_source_or_a_reason_why_not(preset: str) -> None:
    base = compose([f"base={preset}"]).base
    assert base.pretraining_source
    assert base.pretraining_flops is None or 1e18 < base.pretraining_flops < 1e23


def test_any_base_of_the_hub_is_one_override_away() -> None:
    base = compose(["base=hub", "base.name=some/base", "base.revision=abc123"]).base
    assert (base.source, base.name, base.revision) == ("hub", "some/base", "abc123")


def test_a_directory_serves_as_base(tmp_path: Path) -> None:
    base = compose(["base=local", f"base.path={tmp_path}", "base.name=mine"]).base
    assert (base.source, base.path, base.name) == ("local", str(tmp_path), "mine")


@pytest.mark.parametrize(("preset", "missing"), [("hub", "base.name="), ("local", "base.path=")])
def test_a_preset_without_what_it_needs_says_what_to_give(preset: str, missing: str) -> None:
    with pytest.raises(ConfigError, match=missing):
        compose([f"base={preset}"])
