"""What is to be predicted of each text: the columns that could hold it, the likeliest first."""

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pipeline.data.recognise import headings
from pipeline.data.recognise.column import Cells, Column

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Role = Literal["label", "labels", "score"]
ROWS = 2000  # of which the words are looked at
_SERIES = 3  # columns called alike but for a number, of which none is the label by itself
_UNTRIED = 0.3  # how far words tell a score


@dataclass(frozen=True, kw_only=True)
class Target:
    """One answer: columns, joined by ";", how they are read, and how likely they are meant."""

    name: str
    role: Role
    weight: float


def targets(columns: Sequence[Column], texts: Cells, *, paired: bool) -> list[Target]:
    """Returns what could be predicted, the likeliest first.

    Args:
        columns: those that are not taken for something else, in the table's order.
        texts: the text of each row, both of a pair together.
        paired: whether rows hold two texts.
    """
    words, switches = counted_words(texts), _switches(columns)
    apart = [c for c in columns if c not in switches]
    lists = [c for c in apart if c.is_several]
    scores = [c for c in apart if paired and c.is_score]
    classes = [c for c in apart if c.is_class and c not in lists and c not in scores]
    series = Counter(c.series for c in columns)
    weights = {
        c.name: _likely(c) * (0.1 + told_by_words(words, c.cells)) / (1 if series[c.series] < _SERIES else 10)
        for c in (*classes, *switches)
    }
    distinct = _apart(sorted(classes, key=lambda c: weights[c.name], reverse=True))
    found = [Target(name=c.name, role="label", weight=weights[c.name]) for c in distinct]
    found += [Target(name=c.name, role="labels", weight=_likely_list(c, words)) for c in lists]
    found += [Target(name=c.name, role="score", weight=_UNTRIED * _heading(c, score=True)) for c in scores]
    if switches:
        mean = sum(weights[c.name] for c in switches) / len(switches)
        found.append(Target(name=";".join(c.name for c in switches), role="labels", weight=mean))
    return sorted(found, key=lambda target: target.weight, reverse=True)


def target_of(columns: Sequence[Column], *, paired: bool) -> Target:
    """Returns how the columns that somebody named as the label are read."""
    column = columns[0]
    measured = column.is_score or (column.is_number and not column.is_class)
    role: Role = "labels" if column.is_several or len(columns) > 1 else "score" if paired and measured else "label"
    return Target(name=";".join(c.name for c in columns), role=role, weight=1.0)


def counted_words(texts: Cells) -> "csr_matrix[Any]":
    """Returns which words the first texts hold, of shape [rows, words]."""
    from sklearn.feature_extraction.text import CountVectorizer

    words = CountVectorizer(binary=True, token_pattern=r"(?u)\w+")
    return words.fit_transform([text or "" for text in texts[:ROWS]] + ["a"])[:-1]  # one word at least


def told_by_words(words: "csr_matrix[Any]", labels: Cells) -> float:
    """How much better the words of texts tell the labels than the commonest label does, from 0 to 1.

    Naive Bayes on every other row, asked of the rest: a measure of seconds, of which nothing is reported.
    """
    from sklearn.naive_bayes import MultinomialNB

    rows = [row for row, label in enumerate(labels[: words.shape[0]]) if label]
    learnt, asked = rows[::2], rows[1::2]
    if len({labels[row] for row in learnt}) < 2 or not asked:
        return 0.0
    model = MultinomialNB().fit(words[learnt], [labels[row] for row in learnt])
    right = float((model.predict(words[asked]) == [labels[row] for row in asked]).mean())
    commonest = Counter(labels[row] for row in learnt).most_common(1)[0][0]
    constant = sum(labels[row] == commonest for row in asked) / len(asked)
    return max(0.0, (right - constant) / (1 - constant)) if constant < 1 else 0.0


def _apart(columns: Sequence[Column]) -> list[Column]:
    """The columns without those that are one before in other words: 0 and 1 beside "negative" and "positive"."""
    kept: list[Column] = []
    for column in columns:
        if not any(
            len(column.counts) == len(c.counts) == len(set(zip(column.cells, c.cells, strict=True))) for c in kept
        ):
            kept.append(column)
    return kept


def _switches(columns: Sequence[Column]) -> list[Column]:
    """The most columns of 0 and 1 that stand side by side: one label each. Alone, one is a class of its own."""
    named = {c.name for c in columns if c.is_switch and c.called(headings.LABEL)}
    alike = named if len(named) > 1 else {c.name for c in columns if c.is_switch} - named
    runs = [list(run) for inside, run in itertools.groupby(columns, lambda c: c.name in alike) if inside]
    longest = max(runs, key=len, default=[])
    return longest if len(longest) > 1 else []


def _heading(column: Column, *, score: bool = False) -> float:
    if column.called(headings.ANSWER):
        return 30.0
    if column.called(headings.LABEL) or (score and column.called(headings.SCORES)):
        return 10.0
    return 0.1 if column.called(headings.IDENTITY) else 1.0


def _likely(column: Column) -> float:
    """How much a column of classes looks like the label: called so, few classes, none of them nearly all rows."""
    even = 1 - max(column.counts.values(), default=0) / max(1, len(column.given))
    return _heading(column) * (0.2 + even) * (1 - column.lacking) / (1 + len(column.counts) / 30)


def _likely_list(column: Column, words: "csr_matrix[Any]") -> float:
    """The same of lists of labels, with the mean of the commonest labels."""
    told = [told_by_words(words, cells) for cells in itertools.islice(_indicators(column), 3)]
    return _heading(column) * (0.1 + sum(told) / max(1, len(told)))


def _indicators(column: Column) -> Iterator[Cells]:
    """For each label, the commonest first, whether it stands in each row's list."""
    lists = [set((cell or "").strip("[]").split(column.separator or ",")) for cell in column.cells]
    for label, _ in Counter(label for row in lists for label in row).most_common():
        yield [str(label in row) for row in lists]
