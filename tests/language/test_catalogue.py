"""Whatever a report shows in English has a counterpart in each other language, with the same places in it."""

import dataclasses
import string
import tomllib
from collections import Counter
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args

import pytest
import source_texts
import yaml

from pipeline.audits import AUDITS
from pipeline.config.schema import Arm, Decay, Recipe
from pipeline.language import Language
from pipeline.language.catalogue import Catalogue, catalogue
from pipeline.methods import METHODS
from pipeline.records import Judgement, Refutation
from pipeline.records.metrics import MEANS, SHARES, called
from pipeline.study.finding.caveats import SEEN
from pipeline.study.finding.fairness import POOLINGS
from pipeline.study.fourteen_claims import FOURTEEN

HERE = Path(source_texts.ROOT).parent
OTHERS = [language for language in get_args(Language) if language != "en"]


@pytest.fixture(params=OTHERS)
def known(request: pytest.FixtureRequest) -> Catalogue:
    """The catalogue of a language."""
    return catalogue(request.param)


def test_every_text_of_the_report_is_a_message():
    of_matplotlib = {"Glyph .* missing from", "offset points", "outside upper left"}
    assert source_texts.unmarked() == of_matplotlib


def test_every_message_of_the_report_has_a_counterpart(known: Catalogue):
    assert source_texts.messages() - known.messages.keys() == set()


def test_every_noun_that_is_counted_has_both_its_forms(known: Catalogue):
    validation = {"validation label", "validation text", "label", "text"}
    assert (source_texts.nouns() | validation) - known.nouns.keys() == set()


def test_every_sentence_that_records_keep_has_a_counterpart(known: Catalogue):
    forms = {form for form in source_texts.kept() if source_texts.has_words(form)}
    assert len(forms) > 120
    assert forms - known.messages.keys() == set()


def test_the_catalogue_of_sentences_names_none_that_is_gone():
    texts = {text for file in ("sentences.toml", "parts.toml") for text in _table("pt", file)}
    assert texts - source_texts.constants() == set()


def test_a_counterpart_has_the_places_of_its_message(known: Catalogue):
    written = source_texts.messages() | source_texts.kept()
    pairs = [(m, t) for m, t in known.messages.items() if m in written]
    assert len(pairs) > 400
    assert [message for message, text in pairs if _places(message) != _places(text)] == []


def _places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("language", OTHERS)
def test_no_message_has_two_counterparts(language: str):
    folder = files("pipeline.language") / language
    tables = [file.name for file in folder.iterdir() if file.name.endswith(".toml") and file.name != "nouns.toml"]
    counts = Counter(message for file in tables for message in _table(language, file))
    assert [message for message, count in counts.items() if count > 1] == []


def _table(language: str, file: str) -> dict[str, str]:
    return tomllib.loads((files("pipeline.language") / language / file).read_text("utf-8"))


def test_words_of_closed_sets_have_counterparts(known: Catalogue):
    recipe = {field.name.replace("_", " ") for field in dataclasses.fields(Recipe)}
    words = {
        *get_args(Judgement),
        *(word.replace("_", " ") for word in get_args(Refutation)),
        *(method.trained_part for method in METHODS.values()),
        *(audit.measure.called for audit in AUDITS.values()),
        *(name for name, audit in AUDITS.items() if audit.measure.metric is None),
        *map(called, MEANS | SHARES),
        *get_args(Decay),
        *POOLINGS.values(),
        *SEEN.values(),
        *recipe,
        *(Arm().start, Arm().head, "probe", "scratch", "pretrained"),
    }
    assert words - known.messages.keys() == set()


def test_the_fourteen_claims_have_counterparts(known: Catalogue):
    texts = {text for claim in FOURTEEN for text in (claim.title, claim.statement, claim.turns, claim.side)}
    assert texts - known.messages.keys() == set()


def test_the_prose_of_packaged_presets_has_counterparts(known: Catalogue):
    given = {"bases": "conf/base", "tasks": "conf/task", "studies": "experiments"}
    trees = [yaml.safe_load(f.read_text("utf-8")) for folder in given.values() for f in (HERE / folder).glob("*.yaml")]
    prose = {text for tree in trees for text in _prose(tree)}
    assert len(prose) > 100
    assert prose - known.messages.keys() == set()


def _prose(tree: Any) -> set[str]:
    """Texts of several words that a report shows."""
    if not isinstance(tree, dict):
        return set()
    shown = {"question", "statement", "test_text_note", "pretraining_source", "licence", "upstream"}
    own = {text for key, text in tree.items() if key in shown and isinstance(text, str) and " " in text}
    return own.union(*map(_prose, tree.values()))
