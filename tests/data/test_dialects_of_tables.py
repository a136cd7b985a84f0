"""Tables as programs and people write them: each is read as it is meant, or refused with what is wrong."""

import csv
import io
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.config.schema import Data
from pipeline.data.readers.sources import read
from pipeline.data.table_cells.spelling import NO_TEXT, bare
from pipeline.errors import DataError
from tests.examples_kit import read_from

ROWS = [("good, really", "pos"), ("bad; truly", "neg"), ("so | so", "neg"), ('a "fine" one', "pos")]


def table(separator: str = ",", rows: list[tuple[str, str]] = ROWS, **dialect: Any) -> str:
    file = io.StringIO()
    writer = csv.writer(file, delimiter=separator, lineterminator="\n", **dialect)
    writer.writerows([("review", "label"), *rows])
    return file.getvalue()


def found(path: Path, content: str | bytes, **data: Any) -> list[tuple[str, str | None]]:
    """The text and the label of each row."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    rows = read(Data(path=str(path), text="review", **data), task_name="t").train
    return [(e.text, e.label) for e in read_from(rows) if e]


PLAIN = table()
WRITTEN: dict[str, str | bytes] = {
    "commas": PLAIN,
    "semicolons": table(";"),
    "tabs": table("\t"),
    "bars": table("|"),
    "Excel's first line": "sep=;\r\n" + table(";").replace("\n", "\r\n"),
    "its first line in quotes": '"sep=|"\n' + table("|"),
    "its first line with a tab": "sep=\\t\n" + table("\t"),
    "single quotes": table(quotechar="'", quoting=csv.QUOTE_ALL),
    "every field in quotes": table(quoting=csv.QUOTE_ALL),
    "blanks behind separators": PLAIN.replace(",pos", ', "pos"').replace(",neg", ", neg").replace("w,l", "w, l"),
    "backslashes before quotes": table(doublequote=False, escapechar="\\", quoting=csv.QUOTE_ALL),
    "carriage returns": PLAIN.replace("\n", "\r"),
    "line ends of all kinds": "".join(
        line + ("\r\n", "\n", "\r")[i % 3] for i, line in enumerate(PLAIN.splitlines())
    ),
    "blank lines first": "\n \n" + PLAIN,
    "a mark": "\ufeff" + PLAIN,
    "two marks": "\ufeff\ufeff" + PLAIN,
    "UTF-16": PLAIN.encode("utf-16"),
    "UTF-16 without a mark": PLAIN.encode("utf-16-le"),
    "UTF-16 of the other order": PLAIN.encode("utf-16-be"),
    "UTF-32": PLAIN.encode("utf-32"),
    "a heading in other case": PLAIN.replace("review", " Review "),
    "a heading repeated": PLAIN + "review,label\n",
    "files joined, each with a mark": "\ufeffreview,label\n" + PLAIN.partition("\n")[2] + "\ufeffReview,Label\n",
}  # fmt: skip


@pytest.mark.parametrize("ending", ["csv", "tsv"])
@pytest.mark.parametrize("name", WRITTEN)
def test_the_same_rows_are_read_however_they_are_written(name: str, ending: str, tmp_path: Path) -> None:
    assert found(tmp_path / f"reviews.{ending}", WRITTEN[name]) == ROWS


def test_a_backslash_is_none_where_quotes_are_doubled(tmp_path: Path) -> None:
    rows = [("C:\\new\\", "pos"), ('say \\"x\\"', "neg")]
    assert found(tmp_path / "reviews.csv", table(rows=rows, quoting=csv.QUOTE_ALL)) == rows


def test_a_backslash_that_is_escaped_ends_before_a_closing_quote(tmp_path: Path) -> None:
    content = 'review,label\n"C:\\\\",pos\n"a \\"b\\", c",neg\n'
    assert found(tmp_path / "reviews.csv", content) == [("C:\\", "pos"), ('a "b", c', "neg")]


REFUSED = {
    "no heading": (PLAIN.partition("\n")[2], r"(?s)'review', but reviews\.csv has none.*first line must name"),
    "a column twice": ("review,label,label\na,x,pos\nb,y,neg\n", r"label=label must be one column, but .* has 2 that"),
    "a column twice with a blank": ("review,label , label\na,x,pos\n", r"must be one column, but .*'label ', ' label'"),
    "a column twice in other cases": ("review,Label,LABEL\na,x,pos\n", r"must be one column, but .*'Label', 'LABEL'"),
    "an open quote": ('review,label\na,pos\n"b,neg\nc,pos\n', r"line 3 of reviews\.csv cannot be read"),
    "Latin-1": ("review,label\ncafé,pos\n".encode("latin-1"), r"has byte 0xe9 on line 2 .*iconv -f WINDOWS-1252"),
    "half of UTF-16": (PLAIN.encode("utf-16")[:-1], r"begins as UTF-16, but cannot be read as that"),
    "an Excel workbook": (b"PK\x03\x04" + bytes(60), r"reviews\.csv is a zip archive or an Excel workbook"),
    "Parquet": (b"PAR1" + bytes(60), r"reviews\.csv is a Parquet file"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_is_refused_with_the_reason(name: str, tmp_path: Path) -> None:
    content, message = REFUSED[name]
    with pytest.raises(DataError, match=message):
        found(tmp_path / "reviews.csv", content)


def test_an_exact_name_is_taken_before_one_in_other_case(tmp_path: Path) -> None:
    assert found(tmp_path / "reviews.csv", "review,Label,label\na,x,pos\nb,y,neg\n") == [("a", "pos"), ("b", "neg")]


def test_a_name_is_found_in_the_other_unicode_form(tmp_path: Path) -> None:
    content = "review,região\na,sul\nb,norte\n"
    assert found(tmp_path / "reviews.csv", content, label="região") == [("a", "sul"), ("b", "norte")]


def test_the_name_of_the_only_column_may_be_a_text(tmp_path: Path) -> None:
    assert found(tmp_path / "reviews.csv", "review\na\nreview\n", label=None) == [("a", None), ("review", None)]


def test_repeated_headings_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "reviews.csv"
    path.write_text(PLAIN + PLAIN, encoding="utf-8")
    sentences = read(Data(path=str(path), text="review"), task_name="t").sentences
    assert "Lines of train that repeat the heading, and were left out: 1." in sentences


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20).filter(
    lambda text: bare(text) not in NO_TEXT and bare(text).lower() != "review" and text[0] != "\ufeff"
)


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(CELLS, min_size=2, max_size=6), separator=st.sampled_from(",;\t|"), more=st.booleans())
def test_any_text_survives_a_table(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], separator: str, more: bool
) -> None:
    rows = [(text, ("pos", "neg")[i % 2]) for i, text in enumerate(texts)]
    more = more or any("\r" in text for text in texts)  # which Python's writer leaves bare
    content = table(separator, rows, quoting=csv.QUOTE_ALL if more else csv.QUOTE_MINIMAL)
    assert found(tmp_path_factory.mktemp("any") / "reviews.csv", content) == rows


def test_blanks_belong_to_a_text_that_only_ends_like_a_quoted_field(tmp_path: Path) -> None:
    content = 'review,label\n"it ends, ",pos\n  begins late,neg\n'
    assert found(tmp_path / "reviews.csv", content) == [("it ends, ", "pos"), ("  begins late", "neg")]


def test_null_is_a_text_like_others(tmp_path: Path) -> None:
    rows = [("null", "pos"), ("NA", "neg"), ("\\N", "neg")]
    assert found(tmp_path / "reviews.csv", table(rows=rows)) == rows


def test_a_table_that_arrow_does_not_read_is_not_held_as_rows_of_python_texts(tmp_path: Path) -> None:
    rows = [(f"{i}, {'word ' * 50}", "pos" if i % 2 else "neg") for i in range(20_000)]
    content = table(rows=rows, quotechar="'", quoting=csv.QUOTE_ALL).encode()
    del rows
    assert found(tmp_path / "few.csv", table(quotechar="'", quoting=csv.QUOTE_ALL))  # imports what reading needs
    (tmp_path / "rows.csv").write_bytes(content)
    tracemalloc.start()
    try:
        read_in = read(Data(path=str(tmp_path / "rows.csv"), text="review"), task_name="t").train
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(read_in) == 20_000
    assert peak < 3 * len(content)
