r"""Every text setting and every free dictionary of the schema, with each text that some grammar would read otherwise.

The settings are found in the schema, so that a new one is tested without a change here.
"""

import dataclasses
import json
import typing
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.config.compose import unchecked
from pipeline.config.schema import Config, Range
from pipeline.config.structured_config import twin

TEXTS = ["3.10", "no", "yes", "on", "true", "null", "1e3", "007", "1_000", "${x}", r"a\b", "a,b", "[a]", "{a}", '"a"',
         "'a'", "ã", "="]  # fmt: skip
FIRST = 2  # of the shifts below, by which a setting meets each text: the others are slow
SHIFTS = [pytest.param(n, marks=[pytest.mark.slow] if n >= FIRST else []) for n in range(len(TEXTS))]


def found_in(kind: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The name and the type of every setting, in records with a name of the user's too."""
    for field in dataclasses.fields(kind):
        name, element = f"{prefix}{field.name}", typing.get_args(field.type)[-1:]
        named = typing.get_origin(field.type) is dict and dataclasses.is_dataclass(element[0])
        if dataclasses.is_dataclass(field.type):
            yield from found_in(field.type, f"{name}.")
        elif named and element[0] is not twin(Range):
            yield from found_in(element[0], f"{name}.mine.")
        else:
            yield name, field.type


KINDS = dict(found_in(twin(Config)))
OPTIONAL = [name for name, kind in KINDS.items() if kind == str | None]
PLAIN = [name for name, kind in KINDS.items() if kind is str]
DICTIONARIES = [name for name, kind in KINDS.items() if kind == dict[str, str]]
NUMBERS = [name for name, kind in KINDS.items() if kind == dict[str, float]]
LISTS = [name for name, kind in KINDS.items() if kind == list[str]]


def at(tree: Any, name: str) -> Any:
    for part in name.split("."):
        tree = tree[part]
    return tree


def added(name: str) -> str:
    """The setting as it is typed: `+` adds a record with a name of the user's."""
    return f"+{name}" if ".mine." in name else name


def unquoted(text: str) -> str:
    return "a" if text in ('"a"', "'a'") else text


def test_all_kinds_of_settings_are_found() -> None:
    assert {"task.data.path", "task.out_of_domain.mine.path", "tracking.uri"} <= {*OPTIONAL}
    assert {"task.name", "study.claims.mine.statement", "task.data.separator"} <= {*PLAIN}
    assert {"task.data.where", "task.data.label_names", "task.out_of_domain.mine.where"} <= {*DICTIONARIES}
    assert "sweep.constraints" in NUMBERS
    assert {"base.languages", "study.arms"} <= {*LISTS}
    assert len(OPTIONAL) + len(PLAIN) > 60


def dealt(names: Sequence[str], shift: int) -> dict[str, str]:
    """A text for each setting: after as many shifts as there are texts, each has had all of them."""
    return {name: TEXTS[(at + shift) % len(TEXTS)] for at, name in enumerate(names)}


@pytest.mark.parametrize("shift", SHIFTS)
@pytest.mark.parametrize("sign", ["=", ":="])
def test_on_the_command_line_a_text_is_what_was_typed(sign: str, shift: int) -> None:
    texts, entries = dealt([*OPTIONAL, *PLAIN], shift), dealt([*DICTIONARIES, *NUMBERS], shift)
    keys = {name: "k" if text == "=" else text for name, text in entries.items()}  # a name ends at the first sign
    tree = unchecked(
        [f"{added(name)}{sign}{text}" for name, text in texts.items()]
        + [f"+{name}.{keys[name]}{sign}{entries[name]}" for name in DICTIONARIES]
        + [f"+{name}.{keys[name]}=1.5" for name in NUMBERS]
    )
    for name, text in texts.items():
        unset = sign == "=" and text == "null" and name in OPTIONAL
        assert at(tree, name) == (None if unset else text if sign == ":=" else unquoted(text)), name
    for name in DICTIONARIES:
        assert at(tree, name)[keys[name]] == (entries[name] if sign == ":=" else unquoted(entries[name])), name
    assert [at(tree, name)[keys[name]] for name in NUMBERS] == [1.5] * len(NUMBERS)


def read_from_yaml(folder: Path, values: dict[str, str]) -> Any:
    """The composition with these settings, whose values are YAML, in a study's file."""
    tree: dict[str, Any] = {}
    for name, value in values.items():
        *parents, last = name.split(".")
        place = tree
        for part in parents:
            place = place.setdefault(part, {})
        place[last] = value
    (folder / "experiments").mkdir(exist_ok=True)
    (folder / "experiments" / "own.yaml").write_text("# @package _global_\n" + _as_yaml(tree) + "\n", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return unchecked(["experiments=own"])


def _as_yaml(tree: dict[str, Any] | str) -> str:
    if isinstance(tree, str):
        return tree
    return "{" + ", ".join(f"{name}: {_as_yaml(value)}" for name, value in tree.items()) + "}"


def yaml_of(text: str, way: int) -> str:
    """A text in YAML: in one of both quotes, or bare where it is a plain word of YAML in braces."""
    bare = [text] if text[0] not in "[{\"'$=" and "," not in text else []
    ways = [*bare, json.dumps(text, ensure_ascii=False), "'" + text.replace("'", "''") + "'"]
    return ways[way % len(ways)]


@pytest.mark.parametrize("shift", SHIFTS)
@pytest.mark.parametrize("way", range(3))
def test_in_yaml_a_text_is_what_was_written(way: int, shift: int, tmp_path: Path) -> None:
    texts = dealt([*OPTIONAL, *PLAIN, *LISTS, *DICTIONARIES, *NUMBERS], shift)
    written = {name: yaml_of(text, way) for name, text in texts.items()}
    values = {name: f"[{written[name]}]" for name in LISTS} | {name: f"{{{written[name]}: 1.5}}" for name in NUMBERS}
    values |= {name: f"{{{written[name]}: {written[name]}}}" for name in DICTIONARIES}
    tree = read_from_yaml(tmp_path, written | values)
    for name in (*OPTIONAL, *PLAIN):
        assert at(tree, name) == (None if written[name] == "null" and name in OPTIONAL else texts[name]), name
    assert [at(tree, name) for name in LISTS] == [[texts[name]] for name in LISTS]
    assert [at(tree, name)[texts[name]] for name in DICTIONARIES] == [texts[name] for name in DICTIONARIES]
    assert [at(tree, name)[texts[name]] for name in NUMBERS] == [1.5] * len(NUMBERS)


ANY = st.text(st.sampled_from([*"".join(TEXTS), " ", ":", "#", "-", "~", "\\", "$"]), min_size=1, max_size=12)


@settings(max_examples=3, deadline=None)
@given(text=ANY)
def test_any_text_of_their_characters(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    tree = unchecked([f"{added(name)}:={text}" for name in (*OPTIONAL, *PLAIN)])
    assert {at(tree, name) for name in (*OPTIONAL, *PLAIN)} == {text}
    quoted = json.dumps(text, ensure_ascii=False)
    values = dict.fromkeys((*OPTIONAL, *PLAIN), quoted) | dict.fromkeys(DICTIONARIES, f"{{{quoted}: {quoted}}}")
    tree = read_from_yaml(tmp_path_factory.mktemp("any"), values)
    assert {at(tree, name) for name in (*OPTIONAL, *PLAIN)} == {text}
    assert [at(tree, name)[text] for name in DICTIONARIES] == [text] * len(DICTIONARIES)
