"""Files of intents: sentences drawn from templates, and files that are not of that form."""

import json
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.config.schema import Data
from pipeline.data.examples import examples
from pipeline.data.fingerprint import data_fingerprint
from pipeline.data.readers.intents import MOST, NAMES
from pipeline.data.readers.sources import read
from pipeline.errors import DataError
from tests.contracts import sources_kit as kit
from tests.examples_kit import read_from

HOME: dict[str, Any] = {
    "language": "en",
    "intents": {
        "On": {"data": [{"sentences": ["<turn> on [the] lamp"]}, {"sentences": ["{colour} in {area}", "glow"]}]},
        "Off": {"data": [{"sentences": ["<turn> off", "dark", "dark"], "response": "default"}]},
        "Wait": {"data": [{"sentences": ["wait {minutes:start} minutes", "brighter by {step}"]}]},
    },
    "lists": {
        "colour": {"values": [{"in": "(red|pink)", "out": "red"}]},
        "minutes": {"range": {"from": 1, "to": 100}},
        "step": {"range": {"from": 10, "to": 30, "step": 10}},
        "name": {"wildcard": True},
    },
    "expansion_rules": {"turn": "(turn|switch)"},
}


def home(folder: Path, document: object = HOME) -> Data:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "home.json").write_text(json.dumps(document), encoding="utf-8")
    return Data(path=str(folder / "home.json"), label="intent", group="template")


def rows(folder: Path) -> list[tuple[str | None, str | None, str | None]]:
    found = read(home(folder), task_name="t").train
    groups = found.table.column("group").to_pylist()
    return [(e and e.text, e and e.label, g) for e, g in zip(read_from(found), groups, strict=True)]


def test_each_template_gives_its_sentences_under_its_intent(tmp_path: Path) -> None:
    found = rows(tmp_path)
    lamps = {text for text, intent, template in found if (intent, template) == ("On", "<turn> on [the] lamp")}
    assert lamps == {f"{verb} on {the}lamp" for verb in ("turn", "switch") for the in ("", "the ")}
    assert {text for text, intent, _ in found if intent == "Off"} == {"turn off", "switch off", "dark"}


def test_values_come_from_the_file_and_names_stand_for_what_it_lacks(tmp_path: Path) -> None:
    texts = [text for text, _, template in rows(tmp_path) if template == "{colour} in {area}"]
    assert len(texts) == MOST
    for text in texts:
        assert text is not None
        colour, _, area = text.split()
        assert colour in ("red", "pink")
        assert area in NAMES


def test_numbers_lie_within_their_range_and_on_its_steps(tmp_path: Path) -> None:
    found = [(str(text), template) for text, _, template in rows(tmp_path)]
    minutes = [int(text.split()[1]) for text, template in found if template == "wait {minutes:start} minutes"]
    steps = {text for text, template in found if template == "brighter by {step}"}
    assert len(minutes) == MOST
    assert all(1 <= number <= 100 for number in minutes)
    assert steps == {"brighter by 10", "brighter by 20", "brighter by 30"}


def test_a_template_that_stands_there_twice_counts_once(tmp_path: Path) -> None:
    assert [row for row in rows(tmp_path) if row[2] == "dark"] == [("dark", "Off", "dark")]


def test_templates_do_not_cross_the_split(tmp_path: Path) -> None:
    intents = {
        f"Do{i}": {"data": [{"sentences": [f"<turn> it {i} {j} times [in {{area}}]" for j in range(12)]}]}
        for i in range(3)
    }
    data = replace(home(tmp_path, HOME | {"intents": intents}), validation_size=12, test_size=24)
    found = examples(kit.task(data)).sets
    held = {name: set(found[name].groups or ()) for name in ("train", "validation", "test")}
    assert all(held.values())
    assert sum(len(one) for one in held.values()) == len(set().union(*held.values()))


def test_a_column_that_intents_lack_is_named_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"task\.data\.label asks for a column 'intents'.*Did you mean 'intent'"):
        read(replace(home(tmp_path), label="intents"), task_name="t")


def without(*path: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(json.dumps(HOME))
    at = document
    for key in path[:-1]:
        at = at[key]
    del at[path[-1]]
    return document


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (without("lists"), "KeyError: 'lists'"),
        (without("intents", "Off", "data"), "KeyError: 'data'"),
        (without("lists", "minutes", "range", "to"), "KeyError: 'to'"),
        (HOME | {"intents": {"On": {"data": 3}}}, "TypeError: "),
        (HOME | {"intents": {"On": []}}, "TypeError: "),
        (HOME | {"lists": {"colour": {"values": ["red"]}}}, "TypeError: "),
        (HOME | {"expansion_rules": {"turn": 3}}, "TypeError: "),
    ],
)
def test_a_file_of_another_form_is_refused(document: object, why: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"home\.json must hold intents as home-assistant-intents has them") as caught:
        read(home(tmp_path, document), task_name="t")
    assert why in str(caught.value)


@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda content: content[:-40], "is not valid JSON"),
        (lambda content: content.replace(b"(turn|switch)", b"(turn|switch "), "a '(' is never closed"),
    ],
)
def test_a_damaged_file_of_a_package_is_refused(
    damage: Callable[[bytes], bytes], message: str, declared: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.data.readers.locate import content_hash

    monkeypatch.setattr(sys, "path", list(sys.path))
    path = Path(str(home(tmp_path / "site" / "spoken").path))
    kit.install(tmp_path / "site", "spoken", ["spoken/home.json"])
    known = content_hash(path, "task.data.path") if declared else None
    data = Data(source="package", package="spoken==1.0", path="spoken/home.json", label="intent", sha256=known)
    assert len(data_fingerprint(kit.task(data))) == 64
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DataError, match="sha256 says .* but the content of" if declared else re.escape(message)):
        read(data, task_name="t")
