"""`headstart.compare` and `headstart.load`: data frames in, data frames out, and errors in one sentence."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import pipeline.api as headstart
from pipeline.api.tables import stored
from tests import tiny
from tests.tiny import tiny_base

__all__ = ["tiny_base"]

pytestmark = pytest.mark.timeout(300)

Call = Callable[..., headstart.Comparison]


def frame() -> pd.DataFrame:
    return pd.DataFrame(tiny.rows(), columns=["review", "stars"])


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("python") / "results"


@pytest.fixture(scope="module")
def compare(tiny_base: Path, root: Path) -> Call:
    """`headstart.compare` with settings under which it takes seconds."""
    settings: dict[str, Any] = {
        "base": "local", "base.path": tiny_base, "base.name": "tiny", "tracking": "none", "hardware": "cpu",
        "study.arms": ["frozen", "bag_of_words"], "study.sizes": [16], "study.seeds": [0, 1],
        "~study.claims.best": None, "~study.claims.enough": None,
        "study.claims.accurate.arm": "frozen", "study.claims.accurate.against": "bag_of_words",
        "task.data.test_size": 40, "task.data.validation_size": 20, "train.precision": "fp32",
    }  # fmt: skip

    def call(table: Any, **more: Any) -> headstart.Comparison:
        return headstart.compare(table, **{"budget": None, "root": root, **settings, **more})

    return call


@pytest.fixture(scope="module")
def result(compare: Call, tmp_path_factory: pytest.TempPathFactory) -> headstart.Comparison:
    """A comparison on a data frame, made in an empty folder that stays empty."""
    here, path, environment = Path.cwd(), sys.path[:], dict(os.environ)
    folder = tmp_path_factory.mktemp("elsewhere")
    os.chdir(folder)
    try:
        comparison = compare(frame(), text="review", label="stars", name="mine")
    finally:
        os.chdir(here)
    assert not list(folder.iterdir())
    assert (sys.path, dict(os.environ)) == (path, environment)
    return comparison


def test_scores_and_verdicts_are_data_frames(result: headstart.Comparison) -> None:
    assert set(zip(result.scores["arm"], result.scores["labels"], strict=True)) == {
        ("frozen", 16),
        ("bag_of_words", 16),
    }
    assert (result.scores["low"] <= result.scores["score"]).all()
    (verdict,) = result.verdicts.to_dict("records")
    assert verdict["claim"] == "accurate"
    assert verdict["verdict"] in ("supported", "refuted", "inconclusive")
    assert verdict["low"] <= verdict["effect"] <= verdict["high"]


def test_the_recommended_arm_has_the_best_score(result: headstart.Comparison) -> None:
    assert result.recommendation
    assert result.recommendation.arm == result.scores.set_index("arm")["score"].idxmax()
    assert str(result.recommendation).startswith(f"Best with 16 labels: {result.recommendation.arm}")


def test_figure_report_and_what_a_notebook_shows(result: headstart.Comparison) -> None:
    assert result.report.is_file()
    (axes,) = result.figure().axes
    assert axes.get_xlabel() == "training labels"
    shown = result._repr_html_()
    assert "<svg" in shown
    assert "A pretrained start is more accurate" in shown


def test_predictions_follow_the_order_of_the_texts(result: headstart.Comparison) -> None:
    texts = ["bright warm clever", "", "dull cold clumsy"]
    table = result.predict(pd.Series(texts), arm="bag_of_words")
    assert list(table.columns) == ["text", "label", "probability"]
    assert list(table["text"]) == texts
    assert list(table["label"]) == ["good", "", "bad"]
    assert np.isnan(table["probability"][1])
    assert table["probability"][[0, 2]].between(0.5, 1).all()
    assert len(result.predict("bright")) == 1


@pytest.mark.parametrize(("given", "message"), [([3.5], "item 0 is 3.5"), (["fine", ("a", "b")], r"item 1 is \('a'")])
def test_what_is_no_text_is_refused(result: headstart.Comparison, given: list[Any], message: str) -> None:
    with pytest.raises(headstart.DataError, match=message):
        result.predict(given)


def test_an_arm_that_the_study_has_not_is_refused(result: headstart.Comparison) -> None:
    with pytest.raises(headstart.UserError, match=r"has no arm 'froze'\. Did you mean 'frozen'"):
        result.predict(["fine"], arm="froze")


def test_a_finished_study_is_opened_by_its_name_or_folder(result: headstart.Comparison, root: Path) -> None:
    for opened in (headstart.load("mine", root=root), headstart.load(root / "studies" / "mine")):
        assert opened.scores.equals(result.scores)
        assert opened.recommendation == result.recommendation


def test_a_study_that_is_not_there_is_named_with_the_nearest(result: headstart.Comparison, root: Path) -> None:
    with pytest.raises(headstart.UserError, match=r"no finished study 'mines'.*Did you mean 'mine'"):
        headstart.load("mines", root=root)


def test_the_same_frame_reuses_every_training(
    result: headstart.Comparison, compare: Call, capsys: pytest.CaptureFixture[str]
) -> None:
    again = compare(frame(), text="review", label="stars", name="mine")
    assert again.scores.equals(result.scores)
    assert "to train" not in capsys.readouterr().err


@pytest.mark.parametrize("convert", [pa.Table.from_pandas, lambda table: table.set_index("review", drop=False)])
def test_a_frame_is_stored_by_its_content_without_its_index(convert: Callable[[Any], Any], tmp_path: Path) -> None:
    path = stored(convert(frame()), ("review", "stars"), tmp_path)
    assert path.parent == tmp_path / "tables"
    assert pd.read_parquet(path).equals(frame())
    assert stored(frame(), (None, None), tmp_path) == path
    assert stored(frame().head(50), (None, None), tmp_path) != path


@pytest.mark.parametrize(
    ("table", "settings", "message"),
    [
        (frame(), {"label": "star"}, "The data frame has no column 'star'. Did you mean 'stars'"),
        (frame().head(0), {}, "the data frame has none"),
        (frame()[["review"]], {}, 'looks like a label.*Name it: label="COLUMN"'),
        ([1, 2], {}, "must be given a path or a data frame .*, but got list"),
        (pd.DataFrame({"review": ["a", 1], "stars": ["b", "c"]}), {}, "cannot be written as Parquet"),
        ("none.csv", {}, "there is no file none.csv"),
    ],
)
def test_a_table_that_cannot_be_compared_is_refused(
    compare: Call, table: Any, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(headstart.DataError, match=message):
        compare(table, **settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"train.lrr": 1.0}, "train.lr"), ({"plan": True}, "plan=true trains nothing"), ({"budget": "5"}, "unit")],
)
def test_a_wrong_setting_is_refused(compare: Call, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(headstart.ConfigError, match=message):
        compare(frame(), **settings)
