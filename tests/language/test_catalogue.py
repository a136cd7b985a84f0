"""Whatever a report shows in English has a counterpart in each other language, with the same places in it."""

import dataclasses
import re
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
from pipeline.language import Language, in_language, translated_sentence
from pipeline.language.catalogue import Catalogue, catalogue
from pipeline.methods import METHODS
from pipeline.records import Judgement, Refutation
from pipeline.records.metrics import MEANS, SHARES, called
from pipeline.study.fourteen_claims import FOURTEEN

HERE = Path(source_texts.ROOT).parent
OTHERS = [language for language in get_args(Language) if language != "en"]
# Texts in the modules of KEEPING that are parts of a sentence whose other parts its form in the catalogue already has.
INSIDE = frozenset(
    {
        " (a container's limit of {0} on {1})",
        " rows without",
        ", no GPU",
        "{0} cores{1}",
        ", nearly stratified by class",
        "; it {0} where {1} and {2} are trained to the target at n={3}",
        "is never paid back",
        "is paid back after {0} such tasks",
        "is known not to have seen the test text in pretraining",
        "is known to have seen the test text in pretraining",
        "may have seen the test text in pretraining: it is not known",
        "The cost of pretraining {0}, about {1} FLOPs{2}, is charged to no arm{3}.",
        "except for case or punctuation",
        "nearly: at least 0.8 of their three-word sequences in common",
        "word for word",
        "removed from {}",
        "{0} at n={1}",
        "{0} at {1}",
        "{0} of the tokens of {1}",
        "{0} of {1}",
        "{0} or their number",
        "It reaches a useful score on {0}.",
        "It takes more than {0}, or longer than {1} ms for an answer there.",
        "an ordinary machine ({0} minutes and {1} GB of memory for a training, no GPU)",
        "does not classify single texts by a network's last layer",
        "gives no probability of one class a text",
        "writes text or fills gaps in it, so that its time depends on how much is asked for",
        "{0} {1}. It examines {2}.",
    }
)
# Texts in them that only errors or other programs read. Commands stay as they are.
UNSHOWN = frozenset(
    {
        " and {0} more classes have too few",
        "A random network that stays as it is would be no baseline.",
        "It has no network that could have been pretrained.",
        "The name of an out-of-domain set",
        "a directory of classes ({0})",
        "a text and a label",
        "a text, a label and a group",
        "a text, a label and a time",
        "all three",
        "conf/{0}.yaml",
        "evaluation set",
        "model name",
        "task.out_of_domain.{0}",
        "the out-of-domain set {0}",
        "the rows of task {0}",
        "the training rows of task {0}",
        "the {0} set",
        "the {0} set of task {1}",
        "{0} has {1}",
        "{0} n={1}: {2} trials, {3}, {4}",
        "{0} seed={1} (cell {2})",
        "{0}.path",
        "{0}.yaml",
    }
)


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
    forms = known.sentences.keys() | known.parts.keys() | known.messages.keys()
    kept = {form for form in source_texts.kept_forms() if not form.startswith("headstart ")}
    assert kept - forms - INSIDE - UNSHOWN == set()


def test_the_lists_of_exceptions_name_nothing_that_is_gone():
    assert source_texts.kept_forms() >= INSIDE | UNSHOWN


def test_a_counterpart_has_the_places_of_its_message(known: Catalogue):
    written = source_texts.messages()
    pairs = [(m, t) for m, t in known.messages.items() if m in written]
    pairs += [*known.sentences.items(), *known.parts.items()]
    assert len(pairs) > 400
    assert [message for message, text in pairs if _places(message) != _places(text)] == []


def _places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("language", OTHERS)
def test_no_message_has_two_counterparts(language: str):
    folder = files("pipeline.language") / language
    tables = [file for file in folder.iterdir() if file.name not in ("nouns.toml", "sentences.toml", "parts.toml")]
    counts = Counter(message for file in tables for message in tomllib.loads(file.read_text("utf-8")))
    assert [message for message, count in counts.items() if count > 1] == []


def test_a_kept_sentence_is_translated_by_its_own_form():
    known = catalogue("pt")
    with in_language("pt"):
        wrong = [form for form, text in known.sentences.items() if translated_sentence(_filled(form)) != _filled(text)]
    assert wrong == []


def _filled(form: str) -> str:
    return re.sub(r"\{\d+[^}]*\}", "17", form)


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
