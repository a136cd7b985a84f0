"""What each kind of task is given of one table of reviews, for trainings of a second."""

import csv
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
    path = tmp_path_factory.mktemp("data") / "table.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(("review", "other", "stars", "tags", "rating", "words"))
        for i, (text, tone) in enumerate(tiny.rows(240)):
            words = " ".join(tone if word in tiny.GOOD + tiny.BAD else "plain" for word in text.split())
            rows.writerow((text, " ".join(reversed(text.split()[:2])), tone, f"{tone};early", 1 + i % 5, words))
    return path


@pytest.fixture(scope="session")
def tiny_decoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a tiny decoder."""
    return save_tiny(tmp_path_factory.mktemp("decoder") / "llama", "llama")
