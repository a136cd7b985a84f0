"""The error analysis of a study: who answers what better, class by class, and labels that are to be checked."""

import csv
from pathlib import Path

import numpy as np
import pytest

from pipeline.config.privacy import Shown
from pipeline.config.schema import Arm
from pipeline.report.pages.errors import FEW, write_error_files
from pipeline.report.palette import Palette
from pipeline.report.sections.errors import errors
from pipeline.report.wording import MINUS
from pipeline.study.finding.error_analysis import ArmAnswers, ErrorAnalysis
from pipeline.tasks import Example
from tests.report.page_reading import Page
from tests.report.synthetic_report import Study, make_study

LABELS = ("bad", "good")
PALETTE = Palette.of([Arm(name="pretrained"), Arm(name="scratch")])


def answers(arm: str, predicted: list[list[int]], gold: np.ndarray) -> ArmAnswers:
    told = np.array(predicted)
    return ArmAnswers(arm=arm, score=(told == gold).astype(np.float32), predicted=told, truncated=0.25)


def planted(items: int = 6) -> ErrorAnalysis:
    """Three seeds of two arms: item 0 is told wrongly by all, item 1 rightly by the pretrained arm alone."""
    gold = np.arange(items) % 2
    right = np.tile(gold, (3, 1))
    pretrained, scratch = right.copy(), right.copy()
    pretrained[:, 0] = scratch[:, 0] = 1
    scratch[:, 1] = 0
    scratch[0, 2] = 1  # under one seed alone
    return ErrorAnalysis(
        size=1000,
        dataset="test",
        higher_is_better=True,
        labels=LABELS,
        gold=gold,
        arms=(answers("pretrained", pretrained.tolist(), gold), answers("scratch", scratch.tolist(), gold)),
    )


def texts(items: int = 6) -> list[Example]:
    return [Example(text=f"text number {i} <b>", label=LABELS[i % 2]) for i in range(items)]


@pytest.fixture
def study() -> Study:
    return make_study(arms=("pretrained", "scratch"))


def test_items_are_counted_on_which_one_arm_is_better_than_the_other() -> None:
    found = planted()
    compared = found.compare(*found.arms)
    assert (compared.better, compared.worse, compared.equal) == (2, 0, 4)
    assert (compared.always_better, compared.always_worse) == (1, 0)


def test_where_lower_is_better_the_lower_score_wins() -> None:
    found = planted()
    turned = ErrorAnalysis(**{**vars(found), "higher_is_better": False})
    compared = turned.compare(*turned.arms)
    assert (compared.better, compared.worse) == (0, 2)


def test_labels_are_doubtful_that_nearly_all_trainings_contradict() -> None:
    found = planted()
    assert found.suspects.tolist() == [0]
    assert found.wrong.tolist() == pytest.approx([1, 0.5, 1 / 6, 0, 0, 0])


def test_recall_precision_and_f1_are_those_of_scikit_learn() -> None:
    from sklearn.metrics import precision_recall_fscore_support

    rng = np.random.default_rng(3)
    gold = rng.integers(0, 2, 50)
    predicted = rng.integers(-1, 2, (3, 50))
    found = ErrorAnalysis(
        size=10,
        dataset="test",
        higher_is_better=True,
        labels=LABELS,
        gold=gold,
        arms=(answers("pretrained", predicted.tolist(), gold),),
    )
    precision, recall, f1, _ = precision_recall_fscore_support(np.tile(gold, 3), predicted.ravel(), labels=[0, 1])
    assert found.by_class(found.arms[0]) == pytest.approx(np.stack([recall, precision, f1], axis=1))


def test_the_section_says_how_many_items_and_which_texts_were_cut(study: Study) -> None:
    section = errors(study.findings, planted())
    assert [entry.text for entry in section.tables[0].rows[0]] == [
        f"pretrained {MINUS} scratch",
        "2",
        "1",
        "0",
        "0",
        "4",
    ]
    assert section.bullets[0].startswith(
        "1 of 6 test items get a wrong answer from at least nine in ten trainings, 1 of"
    )
    assert "pretrained 25.0%" in section.bullets[1]


def test_every_item_is_a_line_of_the_csv(study: Study, tmp_path: Path) -> None:
    write_error_files(study.findings, planted(), PALETTE, tmp_path)
    with open(tmp_path / "errors.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["item"] for row in rows] == list("012345")
    assert rows[1]["label"] == "good"
    assert (rows[1]["pretrained_answer"], rows[1]["scratch_answer"]) == ("good", "bad")
    assert float(rows[2]["scratch_score"]) == pytest.approx(2 / 3, abs=1e-5)


@pytest.mark.parametrize(
    ("shown", "page", "column"), [("none", False, False), ("few", True, False), ("all", True, True)]
)
def test_texts_are_shown_as_far_as_privacy_allows(
    study: Study, tmp_path: Path, shown: Shown, page: bool, column: bool
) -> None:
    write_error_files(study.findings, planted(), PALETTE, tmp_path, texts(), "all")
    write_error_files(study.findings, planted(), PALETTE, tmp_path, texts(), shown)
    assert (tmp_path / "errors.html").is_file() is page
    assert ("text number" in (tmp_path / "errors.csv").read_text("utf-8")) is column


def test_the_page_shows_the_largest_differences_first_and_no_markup_of_the_data(study: Study, tmp_path: Path) -> None:
    write_error_files(study.findings, planted(60), PALETTE, tmp_path, texts(60), "few")
    html = (tmp_path / "errors.html").read_text("utf-8")
    text = Page(html).text
    assert text.index("text number 1 <b>") < text.index("text number 2 <b>")
    assert "number 1 <b>" not in html
    assert html.count("<tr>") <= 3 * (FEW + 1)
