"""As many answers as rows, in order: whatever rows `predict` is given, and wherever its answers go."""

import csv
import io
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from command_kit import Done, command
from conftest import Finished

from pipeline.commands import predict
from pipeline.errors import DataError

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def given(finished: Finished) -> list[str]:
    """Overrides that choose a cell with weights."""
    plan = finished.plan
    name = next(n for n, c in plan.cells.items() if (c.arm.name, c.train.size, c.train.seed) == ("scratch", 48, 1))
    return [f"paths.root={finished.root}", f"cell={name}"]


def answered(done: Done) -> list[tuple[str, bool]]:
    """Each text, and whether it has an answer."""
    assert done.code == 0, done.err
    found = list(csv.DictReader(io.StringIO(done.out, newline="")))
    assert all(bool(row["label"]) == bool(row["probability"]) for row in found)
    return [(row["text"], bool(row["label"])) for row in found]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("rows.txt", "a film\n\n  \na plot\n\n"),
        ("rows.csv", 'text,x\na film,1\n,2\n"  ",3\na plot,4\n"",5\n'),
        ("rows.tsv", "text\tx\na film\t1\n\t2\n  \t3\na plot\t4\n\t5\n"),
        ("rows.jsonl", '{"text": "a film"}\n{"text": ""}\n{"text": "  "}\n{"text": "a plot"}\n{"text": null}\n'),
    ],
)
def test_an_empty_row_has_a_place_and_no_answer(
    given: list[str], tmp_path: Path, capsys: Capture, name: str, content: str
) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    done = command(capsys, "predict", *given, f"predict.path={tmp_path / name}")
    found = [(text.strip(), has) for text, has in answered(done)]
    assert found == [("a film", True), ("", False), ("", False), ("a plot", True), ("", False)]
    assert "3 of 5 texts are empty and have no answer." in done.err


def test_lines_of_standard_input_end_as_those_of_files(
    given: list[str], capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = "\ufeffação é\r\n\r\na\x0bfilm\rof\u2028one line\n".encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(lines), encoding="latin-1"))
    found = answered(command(capsys, "predict", *given))
    assert found == [("ação é", True), ("", False), ("a\x0bfilm\rof\u2028one line", True)]


def test_standard_input_that_is_not_utf8_is_refused_with_its_line(
    given: list[str], capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"a film\nn\xe3o\n")))
    done = command(capsys, "predict", *given)
    assert (done.code, "Standard input must be UTF-8, but has byte 0xe3 on line 2" in done.err) == (2, True)


def test_without_standard_input_another_way_is_named(
    given: list[str], capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", None)
    done = command(capsys, "predict", *given)
    assert (done.code, "Use predict.text=TEXT or predict.path=FILE" in done.err) == (2, True)


def test_many_rows_are_answered_in_their_order(given: list[str], tmp_path: Path, capsys: Capture) -> None:
    texts = [f"a film {i}" if i % 7 else "" for i in range(1_500)]
    (tmp_path / "many.txt").write_text("\n".join(texts) + "\n", encoding="utf-8")
    output = tmp_path / "new" / "answers.csv"
    arguments = [f"predict.path={tmp_path / 'many.txt'}", f"predict.output={output}"]
    assert command(capsys, "predict", *given, *arguments).code == 0
    with open(output, newline="", encoding="utf-8") as file:
        found = list(csv.DictReader(file))
    assert [row["text"] for row in found] == texts
    assert [bool(row["label"]) for row in found] == [bool(text) for text in texts]
    assert [path.name for path in output.parent.iterdir()] == ["answers.csv"]


@pytest.mark.parametrize(("after", "left"), [(3, ["answers.csv.partial"]), (0, [])])
def test_answers_until_an_error_are_kept_under_another_name(
    given: list[str], tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch, after: int, left: list[str]
) -> None:
    whole = predict.predictions

    def broken(*arguments: object) -> object:
        for number, row in enumerate(whole(*arguments)):  # type: ignore[arg-type]
            if number == after:
                raise DataError("something is wrong with a row.")
            yield row

    monkeypatch.setattr(predict, "predictions", broken)
    (tmp_path / "rows.txt").write_text("a\nb\nc\nd\n", encoding="utf-8")
    output = tmp_path / "out" / "answers.csv"
    done = command(capsys, "predict", *given, f"predict.path={tmp_path / 'rows.txt'}", f"predict.output={output}")
    assert (done.code, "something is wrong with a row." in done.err) == (2, True)
    assert [path.name for path in output.parent.iterdir()] == left
    assert (f"The answers until then are in {output}.partial" in done.err) == bool(left)
    if left:
        assert len(output.with_name(left[0]).read_text(encoding="utf-8").splitlines()) == 1 + after


def test_an_output_that_cannot_be_written_is_refused(given: list[str], tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "taken").touch()
    output = tmp_path / "taken" / "answers.csv"
    done = command(capsys, "predict", *given, "predict.text=fine", f"predict.output={output}")
    assert (done.code, f"predict.output={output} cannot be written" in done.err) == (2, True)


def test_a_reader_that_goes_away_ends_the_command_quietly(given: list[str], tmp_path: Path) -> None:
    (tmp_path / "rows.txt").write_text("a film\n" * 20_000, encoding="utf-8")
    words: Sequence[str] = [
        sys.executable,
        "-m",
        "pipeline",
        "predict",
        *given,
        f"predict.path={tmp_path / 'rows.txt'}",
    ]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline() == "text,label,probability\n"
        process.stdout.close()
        said = process.stderr.read()
    assert process.returncode == 1
    assert "Error" not in said
    assert "Traceback" not in said
