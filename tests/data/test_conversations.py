"""Files of conversations: topics to tell apart, and replies that belong to a question or do not."""

from pathlib import Path

import pytest

from pipeline.config.schema import Data
from pipeline.data.readers.locate import content_hash
from pipeline.data.readers.sources import read
from pipeline.errors import DataError
from tests.examples_kit import read_from, texts_of

TALK = """
categories: [talk]
conversations:
- [how are you, fine]
- [who are you, a bot]
- - where
  - in  a
    box
  - really
- [why, because]
- no reply
- [when, now]
"""


def talk(folder: Path, name: str = "talk.yml", text: str = TALK) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_a_topic_is_a_file(tmp_path: Path) -> None:
    folder = talk(talk(tmp_path / "a"), "food.yml", "conversations: [[I am hungry, then eat], [bread, butter]]")
    found = read(Data(path=str(folder), label="topic"), task_name="t").train
    assert [e.label for e in read_from(found) if e] == ["food"] * 2 + ["talk"] * 6
    assert texts_of(read_from(found))[:3] == ["I am hungry", "bread", "how are you"]


def test_every_other_reply_is_that_of_another_exchange(tmp_path: Path) -> None:
    data = Data(path=str(talk(tmp_path / "a") / "talk.yml"), second="reply", label="answers")
    found = read(data, task_name="t").train
    assert [(e.text, e.second, e.label) for e in read_from(found) if e][:4] == [
        ("how are you", "fine", "yes"),
        ("who are you", "because", "no"),
        ("where", "in a box", "yes"),
        ("why", "now", "no"),
    ]
    assert read_from(found)[4] is None, "it has no reply"


def test_no_line_stands_in_two_rows(tmp_path: Path) -> None:
    data = Data(path=str(talk(tmp_path / "a")), second="reply", label="answers")
    lines = [line for e in read_from(read(data, task_name="t").train) if e for line in (e.text, e.second)]
    assert len(lines) == len(set(lines))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("conversations: [[a, b], 3]", "whose entries are lists of lines"),
        ("talk: []", "must hold a list called conversations"),
        ("conversations: [[a, b", "is not YAML that can be read"),
        ("!!python/object/apply:os.system ['echo x']", "is not YAML that can be read"),
    ],
)
def test_another_file_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    folder = talk(tmp_path / "a", text=text)
    with pytest.raises(DataError, match=reason):
        read(Data(path=str(folder), label="topic"), task_name="t")


def test_an_unknown_column_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="Did you mean 'topic'"):
        read(Data(path=str(talk(tmp_path / "a")), label="topics"), task_name="t")


def test_the_content_counts_and_not_the_place(tmp_path: Path) -> None:
    one, two = talk(tmp_path / "a"), talk(tmp_path / "b")
    assert content_hash(one, "f") == content_hash(two, "f")
    talk(two, text=TALK.replace("box", "bag"))
    assert content_hash(one, "f") != content_hash(two, "f")
