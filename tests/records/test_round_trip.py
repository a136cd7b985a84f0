"""Records survive JSON unchanged, and nothing else is taken for one."""

import dataclasses
import functools
import json
import math
import types
import typing
from typing import Any, Union

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.config.cell import Cell
from pipeline.config.schema import Config
from pipeline.errors import StorageError
from pipeline.language import Sentence, said
from pipeline.records import (
    CellKey,
    CellResult,
    Cost,
    Estimate,
    Findings,
    StartLine,
    decode,
    encode,
    from_json,
    to_json,
)
from pipeline.study.stated import Stated
from pipeline.study.taken_looks import Taken

NUMBERS = st.floats(allow_nan=False, allow_infinity=True)
SENTENCES = st.recursive(
    st.text(max_size=8).map(said),
    lambda inner: st.builds(
        lambda what, of, count, share: said("{what} of {of}: {count:,}, {share:.1%}", **locals()),
        *(inner, st.text(max_size=8), st.integers(), NUMBERS),
    ),
    max_leaves=3,
)


@functools.cache  # to make a strategy takes longer than to draw from it
def values(hint: Any) -> st.SearchStrategy[Any]:
    """Any value of a field's type, from the type hints alone."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        return st.one_of([values(a) for a in args])
    if origin is typing.Literal:
        return st.sampled_from(args)
    if origin is tuple:
        return st.lists(values(args[0]), max_size=2).map(tuple)
    if origin is dict:
        return st.dictionaries(st.text(max_size=5), values(args[1]), max_size=2)
    if dataclasses.is_dataclass(hint):
        hints = typing.get_type_hints(hint)
        return st.builds(
            hint, **{f.name: st.deferred(lambda h=hints[f.name]: values(h)) for f in dataclasses.fields(hint)}
        )
    if hint is Sentence:
        return SENTENCES
    simple = {int: st.integers(), bool: st.booleans(), str: st.text(max_size=8), type(None): st.none()}
    if hint is Any:  # what YAML holds; an infinite number among it would come back as text
        return st.one_of(*simple.values(), st.floats(allow_nan=False, allow_infinity=False))
    return NUMBERS if hint is float else simple[hint]


@pytest.mark.parametrize("kind", [CellResult, Findings, Cell, Config, Stated, Taken], ids=lambda k: k.__name__)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_any_record_comes_back_equal(kind: Any, data: st.DataObject) -> None:
    record = data.draw(values(kind))
    found = from_json(kind, to_json(record))
    assert found == record
    assert encode(found) == encode(record)


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_its_json_is_canonical_and_readable_by_any_parser(data: st.DataObject) -> None:
    text = to_json(data.draw(values(Findings)))

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    json.loads(text, parse_constant=refuse)
    assert to_json(from_json(Findings, text)) == text


def cost(**changes: Any) -> dict[str, Any]:
    plain = {"flops": 1.0, "examples": 2, "steps": 3, "parameters": 4, "trained_parameters": 5, "stored_bytes": 6}
    return plain | changes


@pytest.mark.parametrize(("value", "text"), [(math.inf, '"inf"'), (-math.inf, '"-inf"')])
def test_infinities_travel_as_words(value: float, text: str) -> None:
    record = decode(Cost, cost(flops=value))
    assert f'"flops": {text}' in to_json(record)
    assert from_json(Cost, to_json(record)).flops == value


def test_not_a_number_travels_too() -> None:
    record = decode(Cost, cost(flops=math.nan))
    assert math.isnan(from_json(Cost, to_json(record)).flops)


def test_a_whole_number_serves_where_a_float_is_wanted() -> None:
    found = decode(Cost, cost(flops=7)).flops
    assert (found, type(found)) == (7.0, float)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (cost(flops="many"), "record.flops must be float, but got 'many'"),
        (cost(flops=True), "record.flops must be float, but got True"),
        (cost(flops=None), "record.flops must be float, but got None"),
        (cost(steps=1.0), "record.steps must be int, but got 1.0"),
        (cost(steps=True), "record.steps must be int, but got True"),
        (cost(steps="3"), "record.steps must be int, but got '3'"),
        (cost(speed=1), r"unknown fields \['speed'\]; Cost knows"),
        ({"flops": 1.0}, "record is not a complete Cost: .*examples"),
        ([], r"record must be a dict, but got \[\]"),
        (None, "record must be a dict, but got None"),
    ],
)
def test_an_unknown_a_missing_and_a_wrong_field_are_refused_by_name(value: Any, said: str) -> None:
    with pytest.raises(StorageError, match=said):
        decode(Cost, value)


def key(**changes: Any) -> dict[str, Any]:
    return {"base": "b", "task": "t", "arm": "a", "size": 10, "seed": 0} | changes


@pytest.mark.parametrize("size", [10, "all"])
def test_a_size_keeps_its_type(size: int | str) -> None:
    assert decode(CellKey, key(size=size)).size == size
    assert type(decode(CellKey, key(size=size)).size) is type(size)


@pytest.mark.parametrize("size", [1.5, None, [10], True])
def test_a_size_of_no_valid_type_names_the_valid_ones(size: object) -> None:
    with pytest.raises(StorageError, match=r"record.size must be int or str, but got"):
        decode(CellKey, key(size=size))


def test_a_field_deep_inside_is_named_with_its_path() -> None:
    value = encode(
        decode(Estimate, {"value": 1, "low": 0, "high": 2, "level": 0.9, "seeds": 3, "items": 4, "method": "m"})
    )
    from pipeline.records import ArmScore

    score = {
        "arm": "a", "size": 1, "train_items": 1, "dataset": "d", "role": "r", "metric": "m", "chance": 0.5,
        "estimate": value, "per_seed": [0.1, "x"],
    }  # fmt: skip
    with pytest.raises(StorageError, match=r"record.per_seed\[1\] must be float, but got 'x'"):
        decode(ArmScore, score)
    with pytest.raises(StorageError, match=r"record.estimate.seeds must be int, but got 'x'"):
        decode(ArmScore, score | {"per_seed": [], "estimate": value | {"seeds": "x"}})


@pytest.mark.parametrize("text", ["", "{", "[1, 2", '{"a": }', "nonsense"])
def test_what_is_no_json_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(StorageError, match=r"result.json is not valid JSON"):
        from_json(Cost, text, "result.json")


@settings(max_examples=30, deadline=None)
@given(cut=st.integers(0, 10**6))
def test_a_torn_file_is_never_taken_for_a_record(cut: int) -> None:
    text = to_json(decode(Cost, cost()))
    with pytest.raises(StorageError):
        from_json(Cost, text[: cut % (len(text) - 2)])


def test_records_cannot_be_changed() -> None:
    record = decode(Cost, cost())
    with pytest.raises(dataclasses.FrozenInstanceError):
        record.flops = 2.0  # type: ignore[misc]


def test_the_legend_of_a_cell_names_arm_and_size() -> None:
    assert decode(CellKey, key(arm="scratch", size="all")).label == "scratch n=all"


def test_whether_weights_were_kept_is_no_field_since_their_folder_says_so() -> None:
    assert "weights_kept" not in {f.name for f in dataclasses.fields(CellResult)}
    assert {"recipe", "method", "base_mode"} < {f.name for f in dataclasses.fields(StartLine)}


@pytest.mark.parametrize(
    "written",
    [
        {"form": "{a.__class__}", "values": {"a": "x"}},
        {"form": "{a!r}", "values": {"a": "x"}},
        {"form": "{a:>99999999}", "values": {"a": "x"}},
        {"form": "{b}", "values": {"a": "x"}},
        {"form": "{", "values": {"a": "x"}},
        {"form": "{a:,}", "values": {"a": "x"}},
        {"form": "{a}", "values": {"a": None}},
        {"form": "{a}", "values": {"a": [1]}},
        {"form": "{a}", "values": "x"},
        {"form": "{a}"},
        3,
    ],
)
def test_a_form_that_does_more_than_write_its_values_is_refused(written: Any) -> None:
    with pytest.raises(StorageError, match="sentence"):
        decode(Sentence, written, "a sentence")


def test_a_sentence_that_an_earlier_version_wrote_is_its_text() -> None:
    assert decode(Sentence, "Recipes of {arm} are fixed.") == "Recipes of {arm} are fixed."
