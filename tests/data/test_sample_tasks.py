"""The tasks that come with the project: their packaged data is what their YAML says."""

from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
import yaml

from pipeline.config.schema import Data, Task
from pipeline.data.examples import Examples, evaluated_examples, examples
from pipeline.data.fingerprint import data_fingerprint

TASKS = Path(__file__).parents[2] / "conf" / "task"


def sample(name: str) -> Task:
    """The task as its YAML says, if its package is installed."""
    given = yaml.safe_load((TASKS / f"{name}.yaml").read_text(encoding="utf-8"))
    package = given["data"]["package"].split("==")[0]
    if package.replace("-", "_") not in {d.name.replace("-", "_") for d in metadata.distributions()}:
        pytest.skip(f"{package} is not installed")
    given["data"] = Data(**given["data"])
    given["out_of_domain"] = {k: Data(**v) for k, v in given.get("out_of_domain", {}).items()}
    return Task(**given)


def elsewhere(task: Task, name: str, own: Examples) -> Examples:
    """One of the sets that the task is only evaluated on."""
    trained = {each: own.sets[each] for each in ("train", "validation")}
    return evaluated_examples(task, name, own.labels, trained)


@pytest.fixture(scope="module")
def sentiment() -> Examples:
    return examples(sample("sentiment"))


@pytest.mark.service
@pytest.mark.parametrize(
    "name",
    ["sentiment", "topic", "replies", "dialogues", "messages", "weaknesses", "intents", "curriculum", "part_of_speech"],
)
def test_the_packaged_data_has_the_declared_hash(name: str) -> None:
    assert len(data_fingerprint(sample(name))) == 64  # raises where it differs


@pytest.mark.service
def test_sentiment_is_balanced_in_every_set(sentiment: Examples) -> None:
    assert sentiment.labels == ("negative", "positive")
    sizes = {name: len(rows) for name, rows in sentiment.sets.items()}
    assert sizes == {"train": 6629, "validation": 400, "test": 1500}
    other = elsewhere(sample("sentiment"), "imdb", sentiment).sets["imdb"]
    assert len(other) == 500
    for rows in (*sentiment.sets.values(), other):
        assert abs(rows.labels.mean() - 0.5) < 0.001


@pytest.mark.service
def test_sentiment_has_a_repeated_sentence_that_is_kept_out_of_train(sentiment: Examples) -> None:
    assert (sentiment.counts.repeats.exact, sentiment.counts.repeats.folded) == (0, 2)
    assert sentiment.compared.removed["train"] == 1


@pytest.mark.service
def test_topic_has_five_classes_and_its_many_repeated_articles_are_kept_out_of_train() -> None:
    found = examples(sample("topic"))
    assert found.labels == ("business", "entertainment", "politics", "sports", "tech")
    assert found.counts.rows_read == 2225
    assert found.counts.repeats.exact > 90
    assert found.compared.removed["train"] > 40


@pytest.mark.service
def test_almost_no_line_of_a_reply_to_be_judged_stands_in_training() -> None:
    found = examples(sample("replies"))
    assert found.compared.known_halves == {"validation": 0, "test": 1}
    assert elsewhere(sample("replies"), "portuguese", found).compared.known_halves == {"portuguese": 4}


@pytest.mark.service
def test_messages_are_pairs_in_two_languages_and_no_message_to_be_tested_on_is_learnt() -> None:
    found = examples(sample("messages"))
    assert len(found.sets["train"]) > 1000
    sources = {name: {e.text for e in rows.examples} for name, rows in found.sets.items()}
    assert not (sources["train"] | sources["validation"]) & sources["test"]


@pytest.mark.service
@pytest.mark.parametrize(("name", "seen"), [("django", 1), ("jupyterlab", 19)])
def test_few_messages_of_other_programs_stand_in_training_too(name: str, seen: int) -> None:
    task = sample("messages")
    compared = elsewhere(task, name, examples(task)).compared
    assert compared.overlaps[f"train/{name}"].repeated == seen
    assert compared.overlaps[f"validation/{name}"].repeated == 0


@pytest.mark.service
def test_two_in_five_weaknesses_have_several_consequences_and_each_consequence_is_there_to_be_learnt() -> None:
    found = examples(sample("weaknesses"))
    assert found.labels == (
        "Access Control", "Non-Repudiation", "Availability", "Confidentiality", "Integrity", "Other",
    )  # fmt: skip
    numbers = [len(e.labels) for rows in found.sets.values() for e in rows.examples]
    assert found.counts.rows_read == 938
    assert 0.35 < sum(number > 1 for number in numbers) / len(numbers) < 0.5
    assert {label for e in found.sets["train"].examples for label in e.labels} == set(found.labels)


@pytest.mark.service
def test_dialogues_are_told_apart_by_topic_and_portuguese_ones_share_four() -> None:
    found = examples(sample("dialogues"))
    assert len(found.labels) == 12
    assert sum(len(rows) for rows in found.sets.values()) > 600
    other = elsewhere(sample("dialogues"), "portuguese", found).sets["portuguese"]
    shared = {found.labels[i] for i in other.labels}
    assert shared == {"conversations", "money", "politics", "trivia"}


@pytest.mark.service
def test_intents_are_learnt_in_english_from_templates_that_are_in_no_other_set() -> None:
    found = examples(sample("intents"))
    assert found.counts.rows_read == 3305
    assert {name: len(rows) for name, rows in found.sets.items()} == {"train": 2279, "validation": 320, "test": 701}
    others = [elsewhere(sample("intents"), name, found).sets[name] for name in ("portuguese", "german", "french")]
    assert [len(other) for other in others] == [500, 500, 500]
    assert all(len(set(other.groups or ())) > 300 for other in others)  # templates, each a sentence or two
    held = [set(found.sets[name].groups or ()) for name in ("train", "validation", "test")]
    assert [len(templates) for templates in held] == [572, 81, 176]
    assert len(set().union(*held)) == 572 + 81 + 176
    assert len(found.labels) == 30
    for rows in (*found.sets.values(), *others):
        assert {found.labels[i] for i in rows.labels} == set(found.labels)


@pytest.mark.service
def test_the_curriculum_has_nine_subjects_of_very_different_size() -> None:
    found = examples(sample("curriculum"))
    assert found.counts.rows_read == 1304
    assert {name: len(rows) for name, rows in found.sets.items()} == {"train": 852, "validation": 130, "test": 320}
    counts = dict(zip(found.labels, np.bincount(found.sets["train"].labels).tolist(), strict=True))
    assert counts == {
        "Arte": 40, "Ciências": 73, "Educação Física": 45, "Ensino Religioso": 42, "Geografia": 81, "História": 99,
        "Língua Inglesa": 57, "Língua Portuguesa": 254, "Matemática": 161,
    }  # fmt: skip


@pytest.mark.service
def test_parts_of_speech_are_tags_of_words_and_tweets_have_no_other() -> None:
    own = examples(sample("part_of_speech"))
    assert {name: len(rows) for name, rows in own.sets.items()} == {"train": 6500, "validation": 399, "test": 1500}
    assert (own.counts.rows_read, len(own.labels)) == (8420, 16)
    first = own.sets["train"].examples[0]
    assert list(zip(first.text.split(), first.labels, strict=True))[:3] == [
        ("Eu", "PRON"), ("sei", "VERB"), ("que", "SCONJ"),
    ]  # fmt: skip
    assert len(elsewhere(sample("part_of_speech"), "tweets", own).sets["tweets"]) == 800
