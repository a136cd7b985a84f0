"""Which spellings are one class, what counts as a missing label, and what the last look says of both."""

import csv
import json
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline.config.compose import compose
from pipeline.config.schema import Data, Task
from pipeline.data.examples import Examples, evaluated_examples, examples
from pipeline.data.table_cells.spelling import class_key, label_value
from pipeline.errors import DataError
from tests import tiny

NFC, NFD = (unicodedata.normalize(form, "reclamação") for form in ("NFC", "NFD"))


def written(path: Path, spellings: Sequence[str], *, seed: int = 0, count: int = 60) -> str:
    """Rows with these labels in turn."""
    rows = tiny.rows(count, labels=("x",) * len(spellings), seed=seed)
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(
            [("text", "label"), *((text, spellings[i % len(spellings)]) for i, (text, _) in enumerate(rows))]
        )
    return str(path)


def read(path: Path, *spellings: str, **data: object) -> Examples:
    given = Data(path=written(path / "reviews.csv", spellings), **data)  # type: ignore[arg-type]
    return examples(Task(name="t", data=given, deduplicate=False))


ONE_CLASS = {
    "Unicode form": (NFC, NFC, NFD),
    "something invisible at the end": ("neg", "neg", "neg\u200b"),
    "something invisible within": ("neg", "neg", "n\u200deg"),
    "a mark": ("neg", "neg", "\ufeffneg"),
    "blanks around it": ("neg", "neg", " neg\u00a0"),
    "blanks within": ("not good", "not good", "not  good"),
    "case": ("neg", "neg", "NEG"),
    "quotes around it": ("neg", "neg", '"neg"'),
    "curly quotes around it": ("neg", "neg", "“neg”"),
    "an apostrophe": ("don't know", "don't know", "don’t know"),  # noqa: RUF001
    "zeros after the point": ("1", "1", "1.0"),
    "zeros before it": ("1", "1", "01"),
    "a decimal comma": ("1", "1", "1,0"),
    "width": ("neg", "neg", "ｎｅｇ"),  # noqa: RUF001
    "switches": ("true", "true", "TRUE"),
}


@pytest.mark.parametrize("name", ONE_CLASS)
def test_spellings_of_one_class_are_one_class_called_as_most_rows_have_it(name: str, tmp_path: Path) -> None:
    often, _, other = ONE_CLASS[name]
    found = read(tmp_path, often, often, "zz", other)
    assert found.labels == (often, "zz")
    assert found.look[0] == f"2 classes in 60 rows: {often} (45), zz (15)."
    (said,) = found.look[1:]
    assert said.startswith(f"Class {often!r} is spelt in 2 ways: ".replace('"', "'") if "'" not in often else "Class ")
    assert "(30)" in said
    assert "(15)" in said
    assert said.isprintable()
    assert "\u200b" not in said


TWO_CLASSES = [("3.1", "3.10"), ("+", "-"), ("C", "C++"), ("good", "good."), ("1", "-1"), ("no", "não"), ("🏴", "🏳"),
               ("não", "sim"), ("no", "yes"), ("0", "1"), ("off", "on")]  # fmt: skip


@pytest.mark.parametrize("pair", TWO_CLASSES)
def test_names_that_say_something_else_are_two_classes(pair: tuple[str, str], tmp_path: Path) -> None:
    found = read(tmp_path, *pair)
    assert set(found.labels) == set(pair)
    assert found.look == (f"2 classes in 60 rows: {found.labels[0]} (30), {found.labels[1]} (30).",) or pair[1] == "-"


def test_flags_that_differ_in_invisible_characters_are_two_classes() -> None:
    england, scotland = ("\U0001f3f4" + "".join(chr(0xE0000 + ord(c)) for c in code) for code in ("gbeng", "gbsct"))
    assert class_key(england) != class_key(scotland)


def test_names_of_the_users_keep_spellings_apart(tmp_path: Path) -> None:
    found = read(tmp_path, "aa", "Aa", label_names={"aa": "recessive", "Aa": "carrier"})
    assert set(found.labels) == {"recessive", "carrier"}


def test_a_new_name_holds_for_every_spelling(tmp_path: Path) -> None:
    assert read(tmp_path, "neg", "NEG", "pos", label_names={"neg": "bad"}).labels == ("bad", "pos")


@pytest.mark.parametrize("other", [NFD, f" {NFC.upper()}\u200b"])
def test_a_test_set_and_another_domain_are_read_by_the_classes_of_training(other: str, tmp_path: Path) -> None:
    path = written(tmp_path / "train.csv", (NFC, "elogio"))
    test = written(tmp_path / "test.csv", (other, "elogio"), seed=1)
    far = Data(path=written(tmp_path / "far.csv", (other, "elogio"), seed=2))
    task = Task(name="t", data=Data(path=path, test=test), out_of_domain={"far": far})
    found = examples(task)
    assert found.labels == ("elogio", NFC)
    elsewhere = evaluated_examples(task, "far", found.labels, found.sets)
    assert set(found.sets["test"].labels.tolist()) == {0, 1}
    assert set(elsewhere.sets["far"].labels.tolist()) == {0, 1}


@pytest.mark.parametrize("nothing", ["", " ", "nan", "NaN", "null", "NULL", "<NA>", "#N/A", "\\N", "\u200b"])
def test_what_only_tables_write_for_nothing_is_a_missing_label(nothing: str, tmp_path: Path) -> None:
    found = read(tmp_path, "neg", "pos", nothing)
    assert found.labels == ("neg", "pos")
    assert found.counts.unlabelled == 20
    assert found.look[1].startswith("Rows without a label: 20, namely ")


@pytest.mark.parametrize("name", ["NA", "None", "N/A", "-", "none", "?"])
def test_what_may_be_a_name_is_a_class_unless_the_user_says_otherwise(name: str, tmp_path: Path) -> None:
    found = read(tmp_path, "left", "right", name)
    assert set(found.labels) == {"left", "right", name}
    assert f"{name!r} (20 rows) is read as a class." in found.look[1]
    assert f"'+task.data.label_names.{name}='" in found.look[1]
    assert read(tmp_path, "left", "right", name, label_names={name: name}).look[1:] == ()
    without = read(tmp_path, "left", "right", name, label_names={name: ""})
    assert without.labels == ("left", "right")
    assert without.counts.unlabelled == 20


@pytest.mark.parametrize("spellings", [("", ""), ("neg", "neg")])
def test_no_class_or_one_is_refused(spellings: tuple[str, str], tmp_path: Path) -> None:
    why = "is empty in every row that has a text" if spellings[0] == "" else "holds 'neg' alone"
    with pytest.raises(DataError, match=rf"task\.data\.label must .* {why}"):
        read(tmp_path, *spellings)


def test_numbers_and_switches_of_json_are_those_of_tables(tmp_path: Path) -> None:
    path = tmp_path / "reviews.jsonl"
    values = (1, 1.0, "1", "01", True, "True", "TRUE")
    rows = [{"text": text, "label": values[i % 7]} for i, (text, _) in enumerate(tiny.rows(70))]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert examples(Task(name="t", data=Data(path=str(path)))).labels == ("1", "true")


@pytest.mark.parametrize(("text", "value"), [("1.", "1."), ("007", "007"), ("1.50", "1.50"), ("1e3", "1e3")])
def test_a_label_alone_is_not_changed(text: str, value: str) -> None:
    assert label_value(text) == value


@pytest.mark.parametrize(
    ("column", "values", "asked"),
    [
        ("python", ("3.1", "3.10", "3.11"), "3.10"),
        ("language", ("no", "sv", "da"), "no"),
        ("região", ("sul", "norte", "são"), "são"),
        (unicodedata.normalize("NFD", "região"), ("sul", "norte", unicodedata.normalize("NFD", "são")), "são"),
        ("Região ", ("sul", "norte", "são\u200b"), "são"),
    ],
)
def test_rows_are_kept_by_what_stands_in_a_column(
    column: str, values: tuple[str, ...], asked: str, tmp_path: Path
) -> None:
    path = tmp_path / "reviews.csv"
    rows = [(text, label, values[i % 3]) for i, (text, label) in enumerate(tiny.rows(60))]
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", "label", column), *rows])
    named = unicodedata.normalize("NFC", column).strip().casefold()
    found = examples(Task(name="t", data=Data(path=str(path), where={named: asked}), deduplicate=False))
    assert found.look[0] == "2 classes in 20 rows: bad (10), good (10)."


CELLS = {
    "answer": ("no", "yes"),
    "number": ("0", "1"),
    "verified": ("true", "false"),
    "python": ("3.1", "3.10", "3.11"),
    "language": ("no", "sv", "da"),
    "região": ("sul", "norte"),
}


@pytest.fixture
def survey(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with survey.csv, whose cells would be numbers or switches in another grammar."""
    monkeypatch.chdir(tmp_path)
    labels, columns = {"answer", "number"}, [*CELLS]
    rows = [
        (text, *(CELLS[name][(i // 6 if name in labels else i) % len(CELLS[name])] for name in columns))
        for i, (text, _) in enumerate(tiny.rows(60))
    ]
    with open("survey.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", *columns), *rows])
    return tmp_path


SETTINGS = [
    ("answer", "where", {"verified": "true"}, "no (15), yes (15)"),
    ("answer", "where", {"python": "3.10"}, "no (10), yes (10)"),
    ("answer", "where", {"language": "no"}, "no (10), yes (10)"),
    ("answer", "where", {"região": "sul"}, "no (15), yes (15)"),
    ("answer", "label_names", {"yes": "fits", "no": "unfit"}, "unfit (30), fits (30)"),
    ("number", "label_names", {"1": "yes", "0": "no"}, "no (30), yes (30)"),
    ("number", "label_names", {"1": "1.10", "0": "true"}, "true (30), 1.10 (30)"),
]


@pytest.mark.usefixtures("survey")
@pytest.mark.parametrize(("label", "setting", "entries", "classes"), SETTINGS)
def test_settings_meet_the_cells_as_both_are_written(
    label: str, setting: str, entries: dict[str, str], classes: str
) -> None:
    typed = [f"+task.data.{setting}.{key}={value}" for key, value in entries.items()]
    data = ["task.data.path=survey.csv", "task.data.text=text", f"task.data.label={label}"]
    Path("conf/task").mkdir(parents=True)
    block = ", ".join(f"{key}: {value}" for key, value in entries.items())
    Path("conf/task/survey.yaml").write_text(
        "name: survey\nkind: classification\nmetric: accuracy\ndata:\n  source: file\n  path: survey.csv\n"
        f"  text: text\n  label: {label}\n  {setting}: {{{block}}}\n",
        encoding="utf-8",
    )
    for words in (["task=classification", *data, *typed], ["task=survey"]):
        assert examples(compose(words).task).look[0].partition(": ")[2] == f"{classes}."
