"""A cell's identity follows what can change its result, and nothing else."""

import dataclasses
import subprocess
import sys
import types
import typing
from collections.abc import Iterator
from typing import Any, Union

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.config import identity
from pipeline.config.cell import Cell, cell_of
from pipeline.config.compose import compose
from pipeline.config.identity import EXCLUDED, cell_id
from pipeline.config.schema import Arm, Base, Data, Pretraining, Recipe, Task, Train
from pipeline.methods import MethodName

RECIPE = tuple(f.name for f in dataclasses.fields(Recipe))


def plain(method: MethodName = "lora") -> Cell:
    """A cell with adapters and a pretraining, so that every field counts that counts at all."""
    return Cell(
        base=Base(name="b"),
        task=Task(name="t", data=Data(path="a.csv")),
        arm=Arm(name="a", method=method, pretraining=Pretraining(objective="masked_language_modelling")),
        train=Train(precision="fp32"),
    )


def identified(cell: Cell, base: str = "weights", data: str = "rows") -> str:
    return cell_id(cell, base_fingerprint=base, data_fingerprint=data)


def leaves(record: type, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted names and types of all fields, so that a new field is tested without being named here."""
    hints = typing.get_type_hints(record)
    for field in dataclasses.fields(record):
        name, hint = f"{prefix}{field.name}", hints[field.name]
        if dataclasses.is_dataclass(hint):
            yield from leaves(typing.cast(type, hint), f"{name}.")
        else:
            yield name, hint


def values(hint: Any) -> st.SearchStrategy[Any]:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        return st.one_of([values(a) for a in args])
    if origin is typing.Literal:
        return st.sampled_from(args)
    if origin is tuple:
        return st.lists(values(args[0]), max_size=3).map(tuple)
    if origin is dict:
        return st.dictionaries(st.text(min_size=1, max_size=5), values(args[1]), max_size=2)
    if dataclasses.is_dataclass(hint):
        return st.builds(hint, path=st.text(max_size=5)) if hint is Data else st.builds(hint)
    simple = {
        int: st.integers(0, 10**6),
        float: st.floats(1e-6, 1e3),
        bool: st.booleans(),
        str: st.text(max_size=8),
        type(None): st.none(),
    }
    return simple[hint]


def get(record: Any, name: str) -> Any:
    for part in name.split("."):
        record = getattr(record, part)
    return record


def put(record: Any, name: str, value: Any) -> Any:
    first, _, rest = name.partition(".")
    return dataclasses.replace(record, **{first: put(getattr(record, first), rest, value) if rest else value})


LEAVES = dict(leaves(Cell))


def excluded(name: str) -> bool:
    parts = name.split(".")
    return any(".".join(parts[:i]) in EXCLUDED for i in range(1, len(parts) + 1))


ONLY_THROUGH_THE_RECIPE = {*(f"arm.recipe.{n}" for n in RECIPE), *(f"train.{n}" for n in RECIPE)}
LEFT_OUT = sorted(n for n in LEAVES if excluded(n) and n not in ONLY_THROUGH_THE_RECIPE)
COUNTED = sorted(n for n in LEAVES if not excluded(n))


def test_every_exclusion_is_a_field_that_exists() -> None:
    folders = {name.rpartition(".")[0] for name in LEAVES}
    assert set(LEAVES) | folders >= EXCLUDED


def test_what_is_left_out_describes_and_does_not_decide() -> None:
    assert {n.partition(".")[0] for n in LEFT_OUT} == {"arm", "base", "task", "train"}
    assert [n for n in LEFT_OUT if n.startswith("train.")] == [
        "train.checkpoint_every", "train.fit_memory", "train.keep", "train.samples",
    ]  # fmt: skip
    described = {n for n in LEFT_OUT if n.startswith("task.") and not n.startswith("task.data.")}
    assert described == {"task.name", "task.out_of_domain", "task.out_of_domain_size", "task.space"}


@pytest.mark.parametrize("name", LEFT_OUT)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_a_field_that_is_left_out_changes_nothing(name: str, data: st.DataObject) -> None:
    assert identified(put(plain(), name, data.draw(values(LEAVES[name])))) == identified(plain())


@pytest.mark.parametrize("name", COUNTED)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_any_other_field_changes_the_identity(name: str, data: st.DataObject) -> None:
    before = plain()
    after = put(before, name, data.draw(values(LEAVES[name]).filter(lambda v: v != get(before, name))))
    assert identified(after) != identified(before)


@pytest.mark.parametrize("name", RECIPE)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_a_recipe_counts_alike_whether_the_arm_or_the_training_states_it(name: str, data: st.DataObject) -> None:
    hint = LEAVES[f"arm.recipe.{name}"]
    value = data.draw(values(hint).filter(lambda v: v != getattr(Recipe(), name)))
    in_arm = put(plain(), f"arm.recipe.{name}", value)
    in_train = put(plain(), f"train.{name}", value)
    assert identified(in_arm) == identified(in_train) != identified(plain())
    assert identified(put(in_train, f"arm.recipe.{name}", data.draw(values(hint)))) == identified(in_arm)


@pytest.mark.parametrize("method", ["full", "linear_probe"])
@pytest.mark.parametrize("name", [n for n in LEAVES if n.startswith("arm.lora.")])
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_adapter_settings_count_for_adapters_alone(method: MethodName, name: str, data: st.DataObject) -> None:
    value = data.draw(values(LEAVES[name]).filter(lambda v: v != get(plain(), name)))
    assert identified(put(plain(method), name, value)) == identified(plain(method))
    assert identified(put(plain("lora"), name, value)) != identified(plain("lora"))


@pytest.mark.parametrize("name", [n for n in LEAVES if n.startswith("arm.pretraining.") and "objective" not in n])
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_settings_of_a_pretraining_count_where_there_is_one(name: str, data: st.DataObject) -> None:
    without = put(plain(), "arm.pretraining.objective", None)
    assert identified(put(without, name, data.draw(values(LEAVES[name])))) == identified(without)


@given(base=st.text(), data=st.text())
def test_other_weights_or_other_data_are_another_cell(base: str, data: str) -> None:
    same = (base, data) == ("weights", "rows")
    assert (identified(plain(), base, data) == identified(plain())) == same


def test_fingerprints_cannot_trade_letters_with_each_other() -> None:
    assert identified(plain(), "ab", "c") != identified(plain(), "a", "bc")


def test_a_raised_result_version_is_another_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    before = identified(plain())
    monkeypatch.setattr(identity, "RESULT_VERSION", identity.RESULT_VERSION + 1)
    assert identified(plain()) != before


def test_it_is_sixteen_hexadecimal_digits() -> None:
    assert len(identified(plain())) == 16
    assert set(identified(plain())) <= set("0123456789abcdef")


def test_it_is_the_same_in_another_process_whatever_its_hash_seed() -> None:
    code = (
        "from pipeline.config.cell import cell_of; from pipeline.config.compose import compose;"
        "from pipeline.config.identity import cell_id;"
        "print(cell_id(cell_of(compose(['arm=lora']), precision='fp32'), base_fingerprint='w', data_fingerprint='d'))"
    )
    here = cell_id(cell_of(compose(["arm=lora"]), precision="fp32"), base_fingerprint="w", data_fingerprint="d")
    for seed in ("1", "2"):
        env = {"PYTHONHASHSEED": seed, "PATH": ""}
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, check=True)
        assert done.stdout.strip() == here


@pytest.mark.parametrize(
    "override",
    ["hardware=ddp_cpu", "executor.workers=1", "tracking=none", "paths.root=elsewhere", "debug=true", "train.keep=all",
     "base.licence=other", "hardware.threads=3"],
)  # fmt: skip
def test_where_and_how_it_is_trained_is_no_part_of_it(override: str) -> None:
    plain_id = identified(cell_of(compose(), precision="fp32"))
    assert identified(cell_of(compose([override]), precision="fp32")) == plain_id


def test_precision_is_part_of_it_once_it_is_resolved() -> None:
    assert identified(cell_of(compose(), precision="fp32")) != identified(cell_of(compose(), precision="bf16"))
    asked = compose(["train.precision=fp32"])
    assert identified(cell_of(asked, precision="fp32")) == identified(cell_of(compose(), precision="fp32"))
