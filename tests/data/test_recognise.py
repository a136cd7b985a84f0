"""Which column of somebody's table is the text and which the label, whatever they are called."""

import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from pipeline.data.recognise.roles import Roles, roles_of

ROWS = 300
SENTENCE = "the film was quite long but nobody minded since its second half is a joy to watch and to hear"


def prose(seed: int = 0, least: int = 6, most: int = 30) -> list[str | None]:
    rng = random.Random(seed)
    return [f"{' '.join(rng.choices(SENTENCE.split(), k=rng.randint(least, most)))} {i}" for i in range(ROWS)]


def of(*values: str, seed: int = 1) -> list[str | None]:
    rng = random.Random(seed)
    return [rng.choice(values) for _ in range(ROWS)]


def numbered(form: Callable[[int], str]) -> list[str | None]:
    return [form(i) for i in range(ROWS)]


def several(*values: str, joined: Callable[[Sequence[str]], str]) -> list[str | None]:
    rng = random.Random(2)
    return [joined(sorted(rng.sample(values, rng.randint(0, 3)))) for _ in range(ROWS)]


IDS = numbered(lambda i: str(1000 + i))
DATES = numbered(lambda i: f"2024-{1 + i % 12:02}-{1 + i % 28:02}")
STARS = of("1", "2", "3", "4", "5")
TABLES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "text and label": ({"text": prose(), "label": of("good", "bad")}, {"text": "text", "label": "label"}),
    "headings that say nothing": ({"a": of("x", "y", "z"), "b": prose()}, {"text": "b", "label": "a"}),
    "ids, dates and a rating": (
        {"id": IDS, "date": DATES, "review": prose(), "stars": STARS, "verified": of("true", "false")},
        {"text": "review", "label": "stars"},
    ),
    "a long text beside a title": (
        {"title": prose(3, 2, 5), "body": prose(), "category": of("a", "b", "c")},
        {"text": "body", "label": "category"},
    ),
    "Portuguese": (
        {"código": IDS, "avaliação": prose(), "nota": STARS, "cidade": of("Rio", "Recife")},
        {"text": "avaliação", "label": "nota"},
    ),
    "German": (
        {"Kunde": of(*map(str, range(40))), "Kommentar": prose(), "Bewertung": of("gut", "schlecht")},
        {"text": "Kommentar", "label": "Bewertung", "group": "Kunde"},
    ),
    "a pair": (
        {"question1": prose(), "question2": prose(4), "is_duplicate": of("0", "1")},
        {"text": "question1", "second": "question2", "label": "is_duplicate"},
    ),
    "a pair and a number": (
        {"sentence_a": prose(), "sentence_b": prose(4), "similarity": numbered(lambda i: f"{(i % 50) / 10:.1f}")},
        {"text": "sentence_a", "second": "sentence_b", "score": "similarity"},
    ),
    "columns of 0 and 1": (
        {"comment": prose(), "toxic": of("0", "1"), "insult": of("0", "1"), "threat": of("0", "0", "1")},
        {"text": "comment", "labels": "toxic;insult;threat"},
    ),
    "lists in brackets": (
        {"post": prose(), "tags": several("a", "b", "c", "d", joined=str)},
        {"text": "post", "labels": "tags"},
    ),
    "labels joined by a separator": (
        {"post": prose(), "tags": several("red", "green", "blue", "grey", joined="|".join)},
        {"text": "post", "labels": "tags"},
    ),
    "who wrote it, and in which language": (
        {"author_id": of(*map(str, range(30))), "lang": of("en", "pt"), "text": prose(), "topic": of("a", "b", "c")},
        {"text": "text", "label": "topic", "group": "author_id", "language": "lang"},
    ),
    "addresses and file names": (
        {
            "url": numbered(lambda i: f"https://example.org/a/{i}"),
            "image": numbered(lambda i: f"pictures/{i}.jpg"),
            "caption": prose(),
            "class": of("cat", "dog"),
        },
        {"text": "caption", "label": "class"},
    ),
    "prices are no labels": (
        {"description": prose(), "price": numbered(lambda i: f"{i * 1.37:.2f}"), "department": of("toys", "books")},
        {"text": "description", "label": "department"},
    ),
}


def test_one_label_in_two_spellings_is_one_label() -> None:
    numbers = of("0", "1")
    names = [{"0": "negative", "1": "positive"}[str(number)] for number in numbers]
    assert roles_of({"text": prose(), "label": numbers, "label_text": names}).target in ("label", "label_text")


def test_items_of_a_questionnaire_are_no_label() -> None:
    items = {f"Q{i}": of("1", "2", "3", seed=i) for i in range(8)}
    found = roles_of({"text": prose(), **items, "segment": of("home", "office", "school", seed=9)})
    assert found.label == "segment"


def test_names_of_sets_are_no_label() -> None:
    found = roles_of({"text": prose(), "fold": of("train", "test"), "kind": of("a", "b")})
    assert (found.label, found.split, found.others) == ("kind", "fold", ())


@pytest.mark.parametrize("name", TABLES)
def test_columns_are_recognised_by_what_stands_in_them(name: str) -> None:
    columns, expected = TABLES[name]
    found = roles_of(columns)
    assert {k: v for k, v in vars(found).items() if v and k not in ("others", "texts")} == expected


@pytest.mark.parametrize("name", TABLES)
def test_the_order_of_columns_does_not_matter(name: str) -> None:
    columns, expected = TABLES[name]
    found = roles_of(dict(reversed(columns.items())))
    assert found.text in (expected["text"], expected.get("second"))
    assert set((found.labels or "").split(";")) == set(expected.get("labels", "").split(";"))
    assert (found.label, found.score) == (expected.get("label"), expected.get("score"))


def test_what_the_user_says_decides() -> None:
    columns = {"title": prose(3, 2, 5), "body": prose(), "category": of("a", "b"), "stars": STARS}
    found = roles_of(columns, text="title", label="stars")
    assert (found.text, found.label) == ("title", "stars")


def test_where_two_columns_could_be_the_label_neither_is_taken_and_both_are_named() -> None:
    found = roles_of({"text": prose(), "stars": STARS, "category": of("a", "b", "c")})
    assert (found.text, found.label, {*found.others}) == ("text", None, {"stars", "category"})


def test_other_columns_that_could_be_the_label_are_named() -> None:
    found = roles_of({"text": prose(), "stars": STARS, "city": of("Rio", "Recife")})
    assert (found.label, found.others) == ("stars", ("city",))


def test_a_table_without_texts_or_without_labels_says_so() -> None:
    assert roles_of({"id": IDS, "stars": STARS}).text is None
    alone = roles_of({"text": prose(), "id": IDS, "date": DATES})
    assert alone == Roles(text="text")


def test_of_two_columns_that_could_be_the_label_the_one_that_the_words_tell_is_taken() -> None:
    topics = of("sun", "sea", "snow")
    texts = [f"{text} about the {topic}" for text, topic in zip(prose(), topics, strict=True)]
    found = roles_of({"text": texts, "priority": of("low", "high", seed=5), "team": topics})
    assert (found.label, found.others) == ("team", ("priority",))
