"""A column of times: what is read as one, what is refused, and how rows are divided by it."""

import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.config.compose import compose
from pipeline.config.schema import Data, Task
from pipeline.data import store
from pipeline.data.examples import Examples, examples
from pipeline.data.fingerprint import data_fingerprint
from pipeline.data.prepare import prepare
from pipeline.data.report import data_report
from pipeline.errors import ConfigError, DataError
from pipeline.models.tokenizer import load_tokenizer
from tests import tiny
from tests.contracts import sources_kit as kit

Row = tuple[str, ...]
DAYS = [str(np.datetime64("2015-01-01") + np.timedelta64(9 * i, "D")) for i in range(200)]


def rows(times: Sequence[str]) -> list[Row]:
    """Two classes in turn."""
    return [(f"text {i} by nobody", f"{i % 2}", time) for i, time in enumerate(times)]


def table(path: Path, lines: Sequence[Row], columns: Row = ("text", "label", "day")) -> str:
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([columns, *lines])
    return str(path)


def timed(folder: Path, times: Sequence[str], **more: object) -> Task:
    data = Data(path=table(folder / "rows.csv", rows(times)), time="day", validation_size=20, test_size=40)
    return kit.task(replace(data, **more), deduplicate=False)  # type: ignore[arg-type]


def refused(task: Task) -> str:
    with pytest.raises(DataError) as caught:
        examples(task)
    assert caught.value.exit_code == 2
    return str(caught.value)


def sentences(found: Examples) -> str:
    return "\n".join(data_report(found, {}, {}, max_length=16).sentences)


def years(found: Examples, name: str) -> np.ndarray:
    at = found.sets[name].years
    assert at is not None
    return at


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2019", "2019-01-01"),
        ("2019.0", "2019-01-01"),
        ("2019-05", "2019-05-01"),
        (" 2019-05-31 ", "2019-05-31"),
        ("20190531", "2019-05-31"),
        ("2019-05-31T23:30:00-02:00", "2019-06-01"),
        ("2019-05-31 12:00:00", "2019-05-31"),
        ("1559304000", "2019-05-31"),
        ("1559304000.25", "2019-05-31"),
        ("1559304000000", "2019-05-31"),
        ("1559304000000000", "2019-05-31"),
        ("1559304000000000000", "2019-05-31"),
    ],
)
def test_dates_years_and_timestamps_are_read(written: str, day: str, tmp_path: Path) -> None:
    found = examples(timed(tmp_path, [*DAYS, written]))
    every = np.concatenate([years(found, name) for name in ("train", "validation", "test")])
    days = every * 365.2425
    asked = float((np.datetime64(day) - np.datetime64("1970-01-01")).astype(int))
    assert ((days >= asked) & (days < asked + 1)).any()


def test_typed_columns_are_read_as_they_are_written(tmp_path: Path) -> None:
    lines = rows(DAYS)
    columns = {name: [line[at] for line in lines] for at, name in enumerate(("text", "label"))}
    days = np.array(DAYS, dtype="datetime64[D]")
    for number, values in enumerate((days, days.astype("datetime64[ns]"), days.astype("datetime64[s]").astype(int))):
        path = tmp_path / f"{number}.parquet"
        pq.write_table(pa.table({**columns, "day": pa.array(values)}), path)
        found, same = examples(timed(tmp_path, DAYS, path=str(path))), examples(timed(tmp_path, DAYS))
        assert np.array_equal(years(found, "test"), years(same, "test"))


@pytest.mark.parametrize("wrong", ["yesterday", "31/05/2019", "2019-02-30", "12", "201905"])
def test_a_column_that_is_no_time_is_refused_with_value_and_row(wrong: str, tmp_path: Path) -> None:
    message = refused(timed(tmp_path, [*DAYS[:6], wrong, "never", *DAYS]))
    assert message.startswith(
        f"task.data.time must be a column of times, but row 7 of train (below the heading) has '{wrong}' in column "
        "'day', and 1 more values are none. A time is a date or a timestamp as in ISO 8601 (2024-05-31, "
    )
    assert message.endswith("Name another column, or leave such rows out with task.data.where.")


def test_of_rows_that_are_left_out_no_time_is_asked(tmp_path: Path) -> None:
    lines = [(*line, "en") for line in rows(DAYS)] + [("text", "0", "soon", "fr"), ("more", "1", "then", "en")]
    path = table(tmp_path / "more.csv", lines, ("text", "label", "day", "language"))
    task = timed(tmp_path, DAYS, path=path, where={"language": "en"})
    assert "row 202 of train (below the heading) has 'then' in column 'day'. A time" in refused(task)
    path = table(tmp_path / "fewer.csv", lines[:-1], ("text", "label", "day", "language"))
    assert len(examples(timed(tmp_path, DAYS, path=path, where={"language": "en"})).sets["test"]) == 40


def test_rows_without_a_time_are_left_out_and_counted(tmp_path: Path) -> None:
    found = examples(timed(tmp_path, [*DAYS, "", "NaN"]))
    assert "202 rows were read; 0 without text, 0 without label and 2 without time were dropped." in sentences(found)
    assert data_report(found, {}, {}, max_length=16).dropped_undated == 2
    assert "rows with a text, a label and a time, but none of 200 rows" in refused(timed(tmp_path, [""] * 200))


def test_the_test_set_is_drawn_from_the_latest_quarter_and_the_rest_of_it_is_left_out(tmp_path: Path) -> None:
    order = np.random.default_rng(0).permutation(DAYS)
    found = examples(timed(tmp_path, list(order)))
    assert [len(found.sets[name]) for name in ("train", "validation", "test")] == [135, 15, 40]
    last = max(years(found, "train").max(), years(found, "validation").max())
    assert years(found, "test").min() > last
    assert (found.sets["test"].labels == 0).sum() == 20
    said = sentences(found)
    assert "test: 40 of the 50 latest rows, which are no part of train or validation, drawn at random (seed 0)." in said
    assert "train: texts from 2015-01-01 to 2018-09-0" in said
    assert any(line.startswith("test: texts from 2018-09-") for line in found.look)


def test_rows_of_one_time_stay_together_and_two_times_at_least_are_tested(tmp_path: Path) -> None:
    of_years = [f"{2015 + i * 3 // 240}" for i in range(240)]
    found = examples(timed(tmp_path, of_years, test_size=500))
    assert len(found.sets["test"]) == 160
    assert len(np.unique(years(found, "test"))) == 2
    assert "test: 160 of the 160 latest rows, which are no part of train or validation." in sentences(found)
    message = refused(timed(tmp_path, of_years[80:]))
    assert "must have 3 different times at least, one to train on and 2 later ones to test on, but column" in message
    assert "'day' has 2: 2016-01-01, 2017-01-01. Name a test set (task.data.test), or leave task.data.time" in message


def test_a_test_set_of_ones_own_stays_as_it_is_with_its_times(tmp_path: Path) -> None:
    test = table(tmp_path / "test.csv", [(f"other {i}", f"{i % 2}", f"{2001 + i % 2}") for i in range(30)])
    found = examples(timed(tmp_path, DAYS, test=test))
    assert len(found.sets["test"]) == 30
    assert len(np.unique(years(found, "test"))) == 2
    assert len(found.sets["train"]) + len(found.sets["validation"]) == 200
    without = table(tmp_path / "bare.csv", [("other", "0"), ("others", "1")], ("text", "label"))
    assert "task.data.time asks for a column 'day', but bare.csv has none" in refused(
        timed(tmp_path, DAYS, test=without)
    )


def test_training_rows_of_a_group_that_is_tested_later_are_removed(tmp_path: Path) -> None:
    lines = [(*line, f"writer {i % 50 if i < 150 else i % 10}") for i, line in enumerate(rows(DAYS))]
    path = table(tmp_path / "groups.csv", lines, ("text", "label", "day", "writer"))
    found = examples(timed(tmp_path, DAYS, path=path, group="writer"))
    held = {name: set(found.sets[name].groups or ()) for name in ("train", "validation", "test")}
    assert not held["test"] & (held["train"] | held["validation"])
    assert not held["validation"] & held["train"]
    assert "Rows of train whose group also stands in test, whatever their text: 30; removed from train." in sentences(
        found
    )


def test_the_column_decides_the_fingerprint_and_without_it_nothing_changes(tmp_path: Path) -> None:
    task = timed(tmp_path, DAYS)
    without = replace(task, data=replace(task.data, time=None))
    assert data_fingerprint(task) != data_fingerprint(without)
    found = examples(without)
    assert all(rows.years is None for rows in found.sets.values())
    assert "texts from" not in sentences(found)
    assert "time" not in sentences(found)


def test_times_are_stored_and_loaded_with_their_texts(tmp_path: Path) -> None:
    task, base = timed(tmp_path, DAYS), tiny.write_base(tmp_path / "base")
    settings = {"tokenizer_fingerprint": "t", "root": tmp_path / "out"}
    found = prepare(task, load_tokenizer(base), data_fingerprint=data_fingerprint(task), **settings)
    day = {text: at for text, _, at in rows(DAYS)}
    for name, encoded in found.sets.items():
        texts = [example.text for example in store.stored_examples(found, name)]
        asked = np.array([day[text] for text in texts], dtype="datetime64[D]").astype(int) / 365.2425
        assert encoded.years == pytest.approx(asked, rel=1e-12)
    without = replace(task, data=replace(task.data, time=None))
    bare = prepare(without, load_tokenizer(base), data_fingerprint=data_fingerprint(without), **settings)
    assert bare.test.years is None
    assert not list(bare.folder.glob("*.years.npy"))


def test_times_of_sets_that_are_only_evaluated_are_refused_since_nothing_reads_them() -> None:
    far = "+task.out_of_domain.far={path: b.csv, time: day}"
    with pytest.raises(
        ConfigError, match=r"task\.out_of_domain\.far\.time=day would change nothing: times are read of"
    ):
        compose(["task=classification", "task.data.path=a.csv", far])
