r"""A text setting holds what the user typed, on the command line and in YAML."""

import dataclasses
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.config.compose import compose, shown, unchecked
from pipeline.config.schema import Config
from pipeline.config.structured_config import setting_names, twin
from pipeline.errors import ConfigError

ODD = ["3.10", "no", "yes", "on", "true", "null", "1e3", "007", "1_000", "${x}", "${train.lr}", r"a\b", "a,b", "[a]",
       "{a}", '"a"', "'a'", "ã", "=", "", " ", "a b", "C:\\new\\", r"#(\w+)", r"\${x}", "~", "a: b", "# c", "'", '"',
       "}", "${", "$", "2024-01-01", "0x1F", "1:30", "NaN", ".5", "typed_text_61", "Null", "não", "\u200b", "?", "-",
       "!!int 3"]  # fmt: skip
FREE = ("task.data.where", "task.data.label_names", "task.out_of_domain.imdb.where")


def text_settings() -> list[tuple[str, bool]]:
    """Every text setting of the schema, and whether it can be unset."""
    found = []
    for name in setting_names(twin(Config)):
        hint: Any = twin(Config)
        for part in name.split("."):
            hint = {f.name: f.type for f in dataclasses.fields(hint)}[part] if dataclasses.is_dataclass(hint) else None
        if hint in (str, str | None):
            found.append((name, hint is not str))
    return found


TEXTS = text_settings()
BASIC = st.text(
    st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs", "Cc"])
)  # whose escapes JSON and YAML share


def at(tree: Any, name: str) -> Any:
    for part in name.split("."):
        tree = tree[part]
    return tree


def block(names: Sequence[str], value: str) -> str:
    """YAML that sets all of these to `value`, which is YAML already."""
    tree: dict[str, Any] = {}
    for name in names:
        *parents, last = name.split(".")
        place = tree
        for part in parents:
            place = place.setdefault(part, {})
        place[last] = value
    return "\n".join(_lines(tree))


def _lines(tree: dict[str, Any], indent: str = "") -> Iterator[str]:
    for name, value in tree.items():
        yield f"{indent}{name}:" + ("" if isinstance(value, dict) else f" {value}")
        if isinstance(value, dict):
            yield from _lines(value, f"{indent}  ")


def as_plain(text: str) -> str | None:
    """The text as YAML without quotes, None where it cannot be written so."""
    if not text or text != text.strip() or text[0] in "[]{}\"'#&*!|>%@`,~" or text[:1] in "-?:" or "\n" in text:
        return None
    return None if ": " in text or " #" in text or text.endswith(":") or not text.isprintable() else text


def test_there_are_text_settings_of_both_kinds() -> None:
    assert ("task.data.label_pattern", True) in TEXTS
    assert ("task.data.separator", False) in TEXTS
    assert len(TEXTS) > 50


@pytest.mark.parametrize("text", ODD)
def test_every_text_setting_takes_what_stands_behind_its_sign(text: str) -> None:
    tree = unchecked([f"{name}:={text}" for name, _ in TEXTS])
    assert {at(tree, name) for name, _ in TEXTS} == {text}
    tree = unchecked([f"{name}={text}" for name, _ in TEXTS])
    bare = text[1:-1] if text in ('"a"', "'a'") else text
    for name, optional in TEXTS:
        assert at(tree, name) == (None if optional and text == "null" else bare), name


@settings(max_examples=10, deadline=None)
@given(text=st.text(), key=st.text(st.characters(exclude_characters="=")))
@example(text="true", key="região")
@example(text="no", key="1")
@example(text="3.10", key="007")
@example(text="é", key="my column.of a table")
@example(text='"', key='a"b')
@example(text="x", key="typed_text_00")
def test_any_text_comes_out_as_it_went_in(text: str, key: str) -> None:
    key = key.removesuffix(":")
    given = [f"{sign}{name}.{key}:={text}" for name, sign in zip(FREE, ("", "+", "++"), strict=True)]
    quoted = [f"task.data.path='{text}'", f'task.prompt="{text}"', f"cell:={text}"]
    tree = unchecked([*given, *quoted])
    assert [at(tree, name)[key] for name in FREE] == [text] * 3
    assert [tree["task"]["data"]["path"], tree["task"]["prompt"], tree["cell"]] == [text] * 3


@pytest.mark.parametrize("sign", ["", "+", "++"])
@pytest.mark.parametrize("name", FREE)
def test_entries_of_free_dictionaries_are_texts(name: str, sign: str) -> None:
    tree = unchecked([f"{sign}{name}.c{i}={text}" for i, text in enumerate(ODD)])
    expected = {f"c{i}": text[1:-1] if text in ('"a"', "'a'") else text for i, text in enumerate(ODD)}
    assert {k: v for k, v in at(tree, name).items() if k in expected} == expected


def test_values_in_braces_are_texts_too() -> None:
    braces = "{python: 3.10, verified: true, 007: no, região: não, path: C:\\new, quoted: 'a, b: {c}', none: null}"
    expected = {"python": "3.10", "verified": "true", "007": "no", "região": "não", "path": "C:\\new",
                "quoted": "a, b: {c}", "none": "null"}  # fmt: skip
    assert compose(["task=classification", "task.data.path=x", f"task.data.where={braces}"]).task.data.where == expected
    data = compose([f"+task.out_of_domain.m={{path: 1.10, scale: [0, 5], where: {braces}, test: null}}"]).task
    assert data.out_of_domain["m"].path == "1.10"
    assert data.out_of_domain["m"].scale == (0.0, 5.0)
    assert data.out_of_domain["m"].where == expected
    assert data.out_of_domain["m"].test is None


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "conf" / "task").mkdir(parents=True)
    (tmp_path / "experiments").mkdir()
    return tmp_path


def study(here: Path, *settings: str) -> Any:
    """The composition of a study's file with these lines."""
    (here / "experiments" / "mine.yaml").write_text("# @package _global_\n" + "".join(settings), encoding="utf-8")
    return unchecked(["experiments=mine"])


@pytest.mark.parametrize("text", [text for text in ODD if as_plain(text)])
def test_plain_words_of_yaml_are_texts(here: Path, text: str) -> None:
    tree = study(here, block([*(name for name, _ in TEXTS), *(f"{name}.c" for name in FREE)], text))
    for name, optional in TEXTS:
        assert at(tree, name) == (None if optional and text == "null" else text), name
    assert [at(tree, name)["c"] for name in FREE] == [text] * 3


@settings(max_examples=10, deadline=None)
@given(text=BASIC, key=BASIC)
def test_any_quoted_text_of_yaml_comes_out_as_it_went_in(
    tmp_path_factory: pytest.TempPathFactory, text: str, key: str
) -> None:
    folder = tmp_path_factory.mktemp("own")
    (folder / "experiments").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        written = json.dumps({"task": {"data": {"where": {key: text}, "path": text}}, "base": {"languages": [text]}})
        tree = study(folder, written)
    assert tree["task"]["data"]["where"][key] == text
    assert (tree["task"]["data"]["path"], tree["base"]["languages"]) == (text, [text])


def test_keys_lists_merges_and_aliases_of_yaml_are_texts_where_a_text_is_wanted(here: Path) -> None:
    (here / "conf" / "task" / "mine.yaml").write_text(
        "name: 007\nmax_length: &n 64\ndata: &d\n  path: *n\n  label_names: {1: yes, 0: no, 1.0: on, true: null}\n"
        "  where: {language: no}\nout_of_domain:\n  2024: {<<: *d, text: on}\n",
        encoding="utf-8",
    )
    task = compose(["task=mine"]).task
    assert (task.name, task.max_length, task.data.path) == ("007", 64, "64")
    assert task.data.label_names == {"1": "yes", "0": "no", "1.0": "on", "true": "null"}
    assert task.out_of_domain["2024"].text == "on"
    assert task.out_of_domain["2024"].where == {"language": "no"}
    assert study(here, "base: {languages: [no, pt, 1.10]}\n")["base"]["languages"] == ["no", "pt", "1.10"]


@pytest.mark.parametrize("nothing", ["null", "~", ""])
def test_yaml_unsets_an_optional_text_in_three_ways(here: Path, nothing: str) -> None:
    assert study(here, f"task: {{data: {{label: {nothing}}}}}\n")["task"]["data"]["label"] is None


def test_what_is_no_text_keeps_its_grammar() -> None:
    config = compose(["train.size=1_00", "train.lr=1e-3", "task.deduplicate=False", "train.dropout=null",
                      "study.sizes=[10,all]", "sweep.space.train.lr={log: [1e-5, 1e-3]}", "arm=scratch"])  # fmt: skip
    assert (config.train.size, config.train.lr, config.task.deduplicate) == (100, 0.001, False)
    assert (config.train.dropout, config.study.sizes, config.arm.name) == (None, (10, "all"), "scratch")
    assert config.sweep.space["train.lr"].log == (1e-5, 1e-3)


def test_an_error_shows_what_was_typed() -> None:
    with pytest.raises(ConfigError, match=r"task\.name .*'ré/s'"):
        compose(["task.name=ré/s"])
    with pytest.raises(ConfigError, match=r"sweep\.constraints\.ré"):
        compose(["sweep.constraints.ré=many"])


def test_the_configuration_is_shown_as_it_was_typed() -> None:
    assert "região: 3.10 ${x}" in shown(["task.data.where.região=3.10 ${x}"]).replace("'", "")
