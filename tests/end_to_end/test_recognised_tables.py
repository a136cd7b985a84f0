"""`headstart compare TABLE` names the columns that a person would name, or asks; nothing is trained here."""

import re
import shlex
from importlib import metadata
from pathlib import Path

import pytest

from pipeline.commands.compare import study_of
from pipeline.commands.steps.own_table import given_by
from pipeline.config.compose import compose
from pipeline.config.typed_text import setting_name
from pipeline.data.examples import examples
from pipeline.errors import DataError
from tests.data.shapes import afterwards, inputs, opinions, packaged, research, service
from tests.data.shapes.shape import Shape, delimited

MADE = [*opinions.SHAPES, *service.SHAPES, *research.SHAPES, *inputs.SHAPES, *afterwards.SHAPES]
SHAPES = [
    *(pytest.param(shape, id=shape.file) for shape in MADE),
    *(pytest.param(shape, id=shape.file, marks=pytest.mark.service) for shape in packaged.SHAPES),
]
READ = ("survey.csv", "shop.jsonl", "papers.csv", "similar.csv", "decimal_commas.csv", "toxic.csv", "duplicates.csv")
Capture = pytest.CaptureFixture[str]


def settings(path: Path, *options: str) -> dict[str, str]:
    """The settings of the study that compare runs."""
    named = (override.partition("=") for override in study_of(given_by([str(path), *options], "compare")))
    return {name.removesuffix(":"): value for name, _, value in named}


def saved(shape: Shape, folder: Path) -> Path:
    try:
        return shape.save(folder)
    except metadata.PackageNotFoundError as error:
        pytest.skip(f"{error.name} is not installed")


@pytest.mark.parametrize("shape", SHAPES)
def test_columns_and_kind_are_those_that_a_person_would_name(shape: Shape, tmp_path: Path, capsys: Capture) -> None:
    found = settings(saved(shape, tmp_path))
    said = capsys.readouterr().out
    targets = [found.get(f"task.data.{role}") for role in ("label", "labels", "score")]
    assert (found["task.data.text"], found.get("task.data.second")) == (shape.text, shape.second)
    assert ([target for target in targets if target], found["task"]) == ([shape.label], shape.kind)
    assert found.get("task.data.group") in shape.groups
    assert re.findall(r"language: '(.*?)'", said) == ([shape.language] if shape.language else [])
    assert f"Text: {shape.text!r}" in said
    assert f": {shape.label!r}" in said
    assert "--text=COLUMN" in said
    assert "--label=COLUMN" in said


@pytest.mark.parametrize("shape", [pytest.param(shape, id=shape.file) for shape in afterwards.OPEN])
def test_what_is_open_is_asked_and_an_option_answers(shape: Shape, tmp_path: Path) -> None:
    path = shape.save(tmp_path)
    with pytest.raises(DataError, match=r"Name it: --(text|label)=COLUMN") as raised:
        settings(path)
    names = [shape.text] if "is the text" in str(raised.value) else [shape.label]
    assert all(repr(name) in str(raised.value) for name in names)
    if shape.text:
        found = settings(path, f"--text={shape.text}", f"--label={shape.label}")
        assert (found["task.data.text"], found["task.data.label"]) == (shape.text, shape.label)


@pytest.mark.parametrize("shape", [pytest.param(shape, id=shape.file) for shape in MADE if shape.file in READ])
def test_the_printed_command_reads_these_columns(shape: Shape, tmp_path: Path, capsys: Capture) -> None:
    ran = study_of(given_by([str(shape.save(tmp_path)), "study.budget=20min"], "compare"))
    printed = re.search(r"The same as: (.*)", capsys.readouterr().out)
    assert printed
    words = shlex.split(printed[1])
    config = compose(words[words.index("study") + 1 :])
    assert config == compose(ran)
    rows = examples(config.task).sets
    assert all(len(rows[role]) for role in ("train", "validation", "test"))


def test_the_printed_command_sets_nothing_twice_and_is_the_same_study(tmp_path: Path, capsys: Capture) -> None:
    path = str(next(shape for shape in MADE if shape.file == "toxic.csv").save(tmp_path))
    by_hand = ["study.sizes=[8,16]", "task.name=mine", "task.max_length=48"]
    usual = study_of(given_by([path], "compare"))
    ran = study_of(given_by([path, *by_hand], "compare"))
    assert "The same as" in capsys.readouterr().out
    names = [setting_name(override) for override in ran]
    assert len(names) == len(set(names))
    assert compose(ran) == compose([*usual, *by_hand])


def test_several_columns_may_be_named_as_the_labels(tmp_path: Path) -> None:
    path = next(shape for shape in MADE if shape.file == "toxic.csv").save(tmp_path)
    found = settings(path, "--label=obscene;insult")
    assert (found["task"], found["task.data.labels"]) == ("multi_label_classification", "obscene;insult")
    with pytest.raises(DataError, match="has no column 'insults'"):
        settings(path, "--label=obscene;insults")


def test_a_table_without_headings_is_asked_for_them(tmp_path: Path) -> None:
    rows = [(f"a film of some length, number {i}", ("neg", "pos")[i % 2]) for i in range(90)]
    (tmp_path / "plain.csv").write_bytes(delimited(rows[0], rows[1:]))
    with pytest.raises(DataError, match=r"looks like a row.*--text=COLUMN --label=COLUMN"):
        settings(tmp_path / "plain.csv")
    confirmed = settings(tmp_path / "plain.csv", f"--text={rows[0][0]}", "--label=neg")
    assert confirmed["task.data.label"] == "neg"
