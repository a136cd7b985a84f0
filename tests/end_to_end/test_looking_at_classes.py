"""What was read of own data is shown before anything is trained on it, or refused with one reason."""

from collections.abc import Callable
from pathlib import Path

import pytest
from command_kit import command

from tests import tiny
from tests.tiny import tiny_base

__all__ = ["tiny_base"]

Capture = pytest.CaptureFixture[str]


def spelt(path: Path, spell: Callable[[int, str], str]) -> Path:
    return tiny.write_csv(path, [(text, spell(i, label)) for i, (text, label) in enumerate(tiny.rows())])


def zero_width(i: int, label: str) -> str:
    return label + "\u200b" * (i % 6 == 0)


def one_line(said: str) -> str:
    """Without the line breaks of a terminal."""
    return " ".join(said.split())


def some_missing(i: int, label: str) -> str:
    return ("NaN", "NA")[i % 2] if i % 12 < 2 else label


SAID = [
    "Data: 3 classes in 220 rows: NA (20), bad (100), good (100).",
    "Data: Rows without a label: 20, namely 'NaN' (20).",
    "Data: 'NA' (20 rows) is read as a class. If it stands for a missing label, leave it out with "
    "'+task.data.label_names.NA='.",
]


def test_plan_study_and_training_show_the_classes_once(tiny_base: Path, tmp_path: Path, capsys: Capture) -> None:
    world = tiny.overrides(tiny_base, spelt(tmp_path / "reviews.csv", some_missing), tmp_path / "out")
    study = [*world, *tiny.study(arms="pretrained", sizes="16", seeds="0", claim=False)]
    plan = command(capsys, "study", *study, "plan=true")
    assert plan.code == 0, plan.err
    assert " ".join(SAID) in one_line(plan.out)
    for words in (["study", *study], ["train", *world, "train.size=20", "train.epochs=1"]):
        done = command(capsys, *words)
        assert done.code == 0, done.err
        assert one_line(done.err).count(" ".join(SAID)) == 1
    report = (tmp_path / "out" / "studies" / "small" / "report.md").read_text(encoding="utf-8")
    assert "3 classes in 220 rows: NA (20), bad (100), good (100)." in report
    without = command(capsys, "study", *study, "plan=true", "+task.data.label_names.NA=")
    assert "Data: 2 classes in 200 rows: bad (100), good (100)." in one_line(without.out)


def test_one_class_in_two_spellings_is_one(tiny_base: Path, tmp_path: Path, capsys: Capture) -> None:
    data = spelt(tmp_path / "reviews.csv", zero_width)
    study = [*tiny.overrides(tiny_base, data, tmp_path / "out"), *tiny.study(claim=False)]
    plan = command(capsys, "study", *study, "plan=true")
    assert plan.code == 0, plan.err
    assert "Data: 2 classes in 240 rows: bad (120), good (120)." in one_line(plan.out)
    assert r"Data: Class 'bad' is spelt in 2 ways: 'bad' (80), 'bad\u200b' (40)." in one_line(plan.out)


def labels(path: Path, cell: Callable[[int], str]) -> Path:
    return tiny.write_csv(path, [(text, cell(i)) for i, (text, _) in enumerate(tiny.rows())])


def lines(path: Path, *written: tuple[str, ...]) -> Path:
    path.write_text("".join(",".join(line) + "\n" for line in written), encoding="utf-8")
    return path


def parquet(path: Path, stars: Callable[[str], object] = str, *, names: tuple[str, ...] = ("review", "stars")) -> Path:
    """The rows as Parquet, with columns called so: the text, and then the value that `stars` makes of its label."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    texts, said = zip(*tiny.rows(), strict=True)
    columns = [pa.array(texts), *(pa.array([stars(label) for label in said]) for _ in names[1:])]
    pq.write_table(pa.Table.from_arrays(columns, names=list(names)), path.with_suffix(".parquet"))
    return path.with_suffix(".parquet")


TWICE = "task.data.label=stars must be one column, but reviews.{} has 2 that are called so"
REFUSED: dict[str, tuple[Callable[[Path], Path], str]] = {
    "one class": (lambda p: labels(p, lambda _: "good"), "column 'stars' holds 'good' alone"),
    "no class": (lambda p: labels(p, lambda _: ""), "is empty in every row that has a text"),
    "lists": (lambda p: labels(p, lambda i: str(["a", "b"][: 1 + i % 2])), "task=multi_label_classification"),
    "no heading": (lambda p: lines(p, *tiny.rows()), "asks for a column 'review', but reviews.csv has none"),
    "a column twice": (
        lambda p: lines(p, ("review", "stars", "stars"), *((*row, "x") for row in tiny.rows())),
        TWICE.format("csv"),
    ),
    "a column of Parquet twice": (lambda p: parquet(p, names=("review", "stars", "stars")), TWICE.format("parquet")),
    "nothing but nulls": (lambda p: parquet(p, lambda _: None), "is empty in every row that has a text"),
    "objects": (lambda p: parquet(p, lambda label: {"name": label, "by": "me"}), "stars.name"),
    "an open quote": (
        lambda p: lines(p, ("review", "stars"), ('"a film', "good"), ("another", "bad")),
        "line 2 of reviews.csv cannot be read",
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "words"), [*((name, "plan") for name in REFUSED), ("lists", "study"), ("one class", "train")]
)
def test_what_cannot_serve_is_refused_once_and_nothing_is_written(
    name: str, words: str, tiny_base: Path, tmp_path: Path, capsys: Capture
) -> None:
    write, message = REFUSED[name]
    world = tiny.overrides(tiny_base, write(tmp_path / "reviews.csv"), tmp_path / "out")
    study = tiny.study(arms="pretrained", sizes="16", seeds="0", claim=False)
    given = {
        "plan": ["study", *world, *study, "plan=true"],
        "study": ["study", *world, *study],
        "train": ["train", *world],
    }
    done = command(capsys, *given[words])
    assert done.code == 2
    assert message in done.err
    assert done.err.count("Error:") == 1
    assert "Traceback" not in done.err
    written = [p for p in (tmp_path / "out").rglob("*") if p.is_file() and p.suffix not in (".lock", ".log")]
    assert not [p for p in written if "data" in p.parts or "cells" in p.parts]
