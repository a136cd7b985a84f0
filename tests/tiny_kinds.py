"""What each kind of task is given of one table of reviews, for trainings of a second."""

import csv
from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline.tasks import KINDS
from tests import tiny
from tests.models.tiny_bases import save_tiny

_UNLABELLED = ("task.data.label=null",)
_PAIRED = ("task.data.second=other",)
_GIVEN = {
    "classification": (),
    "multi_label_classification": (*_UNLABELLED, "task.data.labels=tags"),
    "pair_classification": _PAIRED,
    "similarity": (*_UNLABELLED, *_PAIRED, "task.data.score=rating", "task.data.scale=[1,5]"),
    "masked_language_modelling": _UNLABELLED,
    "causal_language_modelling": _UNLABELLED,
    "prompted_classification": ("task.prompt='{text} tone [MASK]'", "task.data.label_names={bad: dull, good: bright}"),
    "translation": (*_UNLABELLED, *_PAIRED),
    "token_classification": (*_UNLABELLED, "task.data.labels=words", 'task.data.separator=" "'),
}
OF_DECODERS = frozenset({"causal_language_modelling"})


def settings(kind: str) -> list[str]:
    """Overrides of the kind's task on `table`."""
    return [f"task={kind}", f"task.metric={KINDS[kind].metrics[0]}", *_GIVEN[kind]]


@pytest.fixture(scope="session")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Reviews with all that any kind reads beside them."""
    return write_table(tmp_path_factory.mktemp("data") / "table.csv", tiny.rows(240))


def write_table(path: Path, reviews: Sequence[tuple[str, str]]) -> Path:
    """A CSV of reviews and their tones, with a column for each field that any kind reads."""
    rows = [_row(i, text, tone) for i, (text, tone) in enumerate(reviews)]
    with open(path, "w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    return path


def _row(number: int, text: str, tone: str) -> dict[str, object]:
    return {
        "review": text,
        "other": " ".join(reversed(text.split()[:2])),
        "stars": tone,
        "tags": f"{tone};early",
        "rating": 1 + number % 5,
        "day": f"20{10 + number % 10}-06-15",
        "words": word_labels(text, tone),
    }


def word_labels(text: str, tone: str) -> str:
    """A label for each word, the text's tone for those that decide it."""
    return " ".join(tone if word in tiny.GOOD + tiny.BAD else "plain" for word in text.split())


@pytest.fixture(scope="session")
def tiny_decoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a tiny decoder."""
    return save_tiny(tmp_path_factory.mktemp("decoder") / "llama", "llama")
