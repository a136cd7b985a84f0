"""Decay: how fast the score falls as texts get newer, by their time or by the words that training texts lack."""

import re

import numpy as np

from pipeline.analysis.slope import slope_by_item
from pipeline.audits.audit import AuditReport, Measure, Reader, Subject
from pipeline.audits.kinds import without_classes
from pipeline.data.store import examples_of
from pipeline.tasks import Example, TaskKind

EACH_SIDE = 5  # test texts that a slope needs at least below the mean of what it is on, and above it
TENTH = 0.1  # of a text's words
_WORD = re.compile(r"\w+")


class Decay:
    """Fall of the score per year over the times of the test texts (Lazaridou et al. 2021; Luu et al. 2022)."""

    name: str = "decay"
    measure: Measure = Measure(column="fall", called="yearly fall in score", worse="higher", of="test")
    version: int = 1
    standing: bool = False

    def unable(self, task: TaskKind) -> str | None:
        """See Audit."""
        return without_classes(task)

    def unfit(self, reader: Reader) -> str | None:
        """See Audit."""
        years = reader.sets["test"].years
        if years is None:
            return "test texts have no time (task.data.time=COLUMN). The audit new_words does without."
        return _too_equal(years, "times")

    def examine(self, subject: Subject, dataset: str = "test") -> AuditReport:
        """See Audit. Years count from the first test text."""
        years = subject.sets["test"].years
        assert years is not None
        return _fall(subject, years - years.min(), "years")


class NewWords:
    """The same over the share of a test text's words that are in no training text, per tenth of them."""

    name: str = "new_words"
    measure: Measure = Measure(column="fall", called="fall in score per tenth of new words", worse="higher", of="test")
    version: int = 1
    standing: bool = False

    def unable(self, task: TaskKind) -> str | None:
        """See Audit."""
        return without_classes(task)

    def unfit(self, reader: Reader) -> str | None:
        """See Audit."""
        return _too_equal(new_words(reader), "shares of words that no training text has")

    def examine(self, subject: Subject, dataset: str = "test") -> AuditReport:
        """See Audit."""
        return _fall(subject, new_words(subject) / TENTH, "tenths")


def new_words(reader: Reader) -> np.ndarray:
    """The share of the words of each test text that are in no text of the whole training set, float64 [N].

    Words are runs of letters, digits and underscores, whatever their case. A text without any has a share of 0.
    """
    known: set[str] = set()
    for example in examples_of(reader.sets["train"]):
        known.update(_words(example))
    read = [_words(example) for example in examples_of(reader.sets["test"])]
    return np.array([sum(word not in known for word in words) / max(1, len(words)) for words in read])


def _words(example: Example) -> list[str]:
    return _WORD.findall(example.whole.casefold())


def _too_equal(at: np.ndarray, called: str) -> str | None:
    """Why there is no slope on `at` [N]; None if there is one that no few items decide."""
    least = min(int((at < at.mean()).sum()), int((at > at.mean()).sum()))
    if least >= EACH_SIDE:
        return None
    return (
        f"{EACH_SIDE} test texts must be below the mean of their {called} and as many above it, but {least} are on "
        "one side."
    )


def _fall(subject: Subject, at: np.ndarray, called: str) -> AuditReport:
    """The fall of the score on the test set by one unit of `at` [N]."""
    scores = subject.outputs(subject.sets["test"]).scores.astype(np.float64)
    fall = -slope_by_item(scores, at)
    first = float(scores.mean() + fall.mean() * (at.mean() - at.min()))
    items = np.stack([fall, scores, at], axis=1)
    return AuditReport(
        numbers={
            "fall": float(fall.mean()),
            "score_first": first,
            "score_last": first - float(fall.mean() * np.ptp(at)),
            called: float(np.ptp(at)),
        },
        columns=("fall", "score", called),
        items=items.astype(np.float32),
    )
