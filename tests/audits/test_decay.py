"""The audits of decay find a vocabulary that grows old, over time and over new words, and nothing where none does."""

import csv
import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from pipeline.audits import AUDITS
from pipeline.audits.audit import AuditReport
from pipeline.audits.decay import EACH_SIDE, new_words
from pipeline.data.store import examples_of
from pipeline.errors import ConfigError
from pipeline.training.loop.fitted import Fitted
from tests import tiny
from tests.audits.planted import Planted, encoded
from tests.training.cell_kit import job, small, trained

DECAY, NEW_WORDS = AUDITS["decay"], AUDITS["new_words"]
STRENGTHS = (0.4, 0.7, 1.0)
ROWS = 1_200
TELL = {"bad": "hollow", "good": "lively"}


def unknown(rng: np.random.Generator) -> str:
    """A word that no other text has."""
    return "".join(rng.choice(list("qxzvkj"), 9))


def aged(strength: float) -> list[tuple[str, str, str]]:
    """Reviews of eight years. In the last quarter, which is tested, words are replaced by new ones, by its end in all
    texts: the one that tells the label in a share `strength` of these, else one that tells nothing.
    """
    rng = np.random.default_rng(5)
    rows = []
    for number in range(ROWS):
        label, age = tiny.LABELS[number % 2], max(0.0, 4 * number / ROWS - 3)
        words = [TELL[label], *rng.choice(tiny.PLAIN, 7)]
        if rng.random() < age:
            words[0 if rng.random() < strength else 1] = unknown(rng)
        day = np.datetime64("2010-01-01") + np.timedelta64(int(8 * 365 * number / ROWS), "D")
        rows.append((" ".join(rng.permutation(words)), label, str(day)))
    return [rows[i] for i in rng.permutation(ROWS)]


def written(folder: Path, rows: Sequence[tuple[str, str, str]]) -> Path:
    path = folder / "rows.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("review", "stars", "day"), *rows])
    return path


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> dict[float, Fitted]:
    """A bag of words for each strength, and one whose vocabulary does not grow old."""
    root = tmp_path_factory.mktemp("decay")
    base, cells = tiny.write_base(root / "base"), {}
    for strength in (0.0, *STRENGTHS):
        folder = root / f"{strength}"
        folder.mkdir()
        settings = [
            "task.deduplicate=false",
            "task.data.test_size=300",
            "arm=bag_of_words",
            "train.size=400",
            "task.data.time=day",
        ]
        cells[strength] = trained([*small(base, written(folder, aged(strength)), folder / "out"), *settings])
    return cells


def interval(report: AuditReport, errors: float = 1.97) -> tuple[float, float]:
    """That of its measure over items, of so many standard errors; at 95% if not told otherwise."""
    fall = report.items[:, 0].astype(np.float64)
    half = errors * fall.std(ddof=1) / np.sqrt(len(fall))
    return fall.mean() - half, fall.mean() + half


@pytest.mark.parametrize("audit", ["decay", "new_words"])
def test_a_planted_decay_is_found_the_more_the_stronger_it_is(cells: dict[float, Fitted], audit: str) -> None:
    found = {strength: AUDITS[audit].examine(cell) for strength, cell in cells.items()}
    falls = [found[strength].numbers["fall"] for strength in STRENGTHS]
    assert falls == sorted(falls)
    assert all(interval(found[strength])[0] > 0 for strength in STRENGTHS)
    low, high = interval(found[0.0])
    assert low <= 0 <= high
    assert all(one > high for one in falls)


def test_a_yearly_fall_is_what_was_planted(cells: dict[float, Fitted]) -> None:
    """Without the word that tells half of the answers are right: over two years the score falls by half of it."""
    for strength in STRENGTHS:
        report = DECAY.examine(cells[strength])
        assert report.numbers["years"] == pytest.approx(2.0, abs=0.05)
        low, high = interval(report, 3.3)
        assert low <= strength / 4 <= high
        assert report.numbers["score_first"] > 0.9 > report.numbers["score_last"]


def test_its_numbers_are_found_again_from_texts_and_answers(cells: dict[float, Fitted]) -> None:
    cell = cells[0.7]
    test, train = (examples_of(cell.sets[name]) for name in ("test", "train"))
    right = cell.outputs(cell.sets["test"]).predicted == np.asarray(cell.sets["test"].labels)
    known = {word for example in train for word in example.text.split()}
    tenths = [10 * np.mean([word not in known for word in example.text.split()]) for example in test]
    assert cell.sets["test"].years is not None
    years = cell.sets["test"].years
    for audit, at in ((DECAY, years - years.min()), (NEW_WORDS, np.array(tenths))):
        report = audit.examine(cell)
        slope, start = np.polyfit(at - at.min(), right.astype(float), 1)
        assert report.numbers["fall"] == pytest.approx(-slope, rel=1e-9)
        assert report.numbers["score_first"] == pytest.approx(start, rel=1e-9)
        assert report.numbers["score_last"] == pytest.approx(start + slope * np.ptp(at), rel=1e-9)
        assert report.items[:, 0].mean(dtype=np.float64) == pytest.approx(-slope, rel=1e-5)
        assert pytest.approx(np.array([right, at]), abs=1e-5) == report.items[:, 1:].T


def planted(years: np.ndarray | None = None, test: Sequence[str] = ("a b", "a c") * 40) -> Planted:
    cell = Planted(lambda _: 0.3, test)
    cell.sets = {"train": encoded("train", ["A b", "b, c!"]), "test": cell.sets["test"]}
    if years is not None:
        cell.sets["test"] = dataclasses.replace(cell.sets["test"], years=years)
    return cell


def test_two_whose_answers_are_chance_are_told_apart_no_more_often_than_the_level_says() -> None:
    rng, years = np.random.default_rng(0), np.repeat(np.arange(4.0), 20)

    def by_chance(_: str) -> float:
        return float(rng.random())

    cell, wrong = planted(years), 0
    cell.answer = by_chance
    for _ in range(40):
        one, other = (DECAY.examine(cell).items[:, 0].astype(float) for _ in range(2))
        apart = one - other
        wrong += abs(apart.mean()) > 1.99 * apart.std(ddof=1) / np.sqrt(len(apart))  # t of 79 degrees of freedom
    assert wrong <= 6  # of 40 at 5%: more in 1 of 300 series


def test_a_word_is_new_if_no_training_text_has_it_in_any_case() -> None:
    cell = planted(test=["B C", "d a", "e e F", "...", "c d d d"])
    assert new_words(cell) == pytest.approx([0, 0.5, 1, 0, 0.75])


def test_texts_without_times_are_refused_and_what_does_without_is_named() -> None:
    assert DECAY.unfit(planted()) == (
        "test texts have no time (task.data.time=COLUMN). The audit new_words does without."
    )
    assert DECAY.unfit(planted(np.arange(80.0))) is None


def test_times_and_words_that_are_nearly_all_equal_are_refused() -> None:
    one_late = np.array([0.0] * 79 + [5.0])
    assert DECAY.unfit(planted(one_late)) == (
        f"{EACH_SIDE} test texts must be below the mean of their times and as many above it, but 1 are on one side."
    )
    assert "mean of their shares of words that no training text has" in (NEW_WORDS.unfit(planted()) or "")
    assert NEW_WORDS.unfit(planted(test=("a b", "a d") * 40)) is None


def test_a_table_without_times_is_refused_before_any_training(tmp_path: Path) -> None:
    base, data = tiny.write_base(tmp_path / "base"), tiny.write_csv(tmp_path / "rows.csv", tiny.rows())
    with pytest.raises(ConfigError, match="The audit decay cannot examine cells on tiny: test texts have no time"):
        job([*small(base, data, tmp_path / "out"), "study.audits=[decay]"])
