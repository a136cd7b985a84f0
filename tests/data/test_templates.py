"""Templates in hassil's grammar, and the sentences that are drawn from them."""

import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.data.readers.grammar import Node, parsed
from pipeline.data.readers.templates import LARGEST, Grammar, sentences
from pipeline.errors import DataError

RULES = {"the": "[the|my]", "on": "(turn|switch) on", "me": "<you>", "you": "to <me>"}


def grammar(**rules: str) -> Grammar:
    return Grammar(
        rules={name: parsed(rule, "rules") for name, rule in {**RULES, **rules}.items()},
        lists={"colour": [parsed(value, "colour") for value in ("red", "(pale|dark) blue")]},
        others=[Node(kind="text", word=name) for name in ("Luna", "Nova")],
    )


def every(template: str) -> set[str]:
    """All that a template with few sentences stands for: so many draws leave none out."""
    return set(sentences(template, grammar(), "a.json", most=200))


@pytest.mark.parametrize(
    ("template", "stands_for"),
    [
        ("stop", {"stop"}),
        ("(start|begin) it", {"start it", "begin it"}),
        ("light[s] on", {"light on", "lights on"}),
        ("[the|my]  lamp ", {"lamp", "the lamp", "my lamp"}),
        ("set [[a ](b|c)] d", {"set d", "set b d", "set c d", "set a b d", "set a c d"}),
        ("five( |-)minute timer", {"five minute timer", "five-minute timer"}),
        ("turn (the light;off)", {"turn the light off", "turn off the light"}),
        ("(a|b;c)", {"a c", "b c", "c a", "c b"}),
        ("[a;b] c", {"c", "a b c", "b a c"}),
        ("um|uma", {"um", "uma"}),
        ("<on> <the> lamp", {f"{verb} on {the}lamp" for verb in ("turn", "switch") for the in ("", "the ", "my ")}),
        ("{colour} lamp", {"red lamp", "pale blue lamp", "dark blue lamp"}),
        ("paint it {colour:shade}", {"paint it red", "paint it pale blue", "paint it dark blue"}),
        ("call {name}", {"call Luna", "call Nova"}),
        ("[nothing]", {"nothing"}),
    ],
)  # fmt: skip
def test_a_template_stands_for_these_sentences(template: str, stands_for: set[str]) -> None:
    assert every(template) == stands_for


def test_no_more_sentences_are_drawn_than_asked_and_all_differ() -> None:
    drawn = sentences("(a|b|c|d|e) (1|2|3|4|5) <the>", grammar(), "a.json", most=4)
    assert len(drawn) == len(set(drawn)) == 4


def test_more_sentences_of_a_template_begin_with_the_fewer() -> None:
    template = "(a|b|c|d|e) (1|2|3|4|5)"
    assert sentences(template, grammar(), "a.json", most=9)[:4] == sentences(template, grammar(), "b.json", most=4)


def test_the_same_sentences_are_drawn_in_another_process() -> None:
    template = "(a|b|c|d|e) (1|2|3|4|5) (v;w;x;y;z)"
    code = f"""
from pipeline.data.readers.templates import Grammar, sentences
print(sentences({template!r}, Grammar(rules={{}}, lists={{}}, others=[]), "a.json", most=4))
"""
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == str(sentences(template, grammar(), "a.json", most=4))


def test_the_choices_of_a_sentence_do_not_follow_one_another() -> None:
    drawn = every("(a|b) (a|b)")
    assert drawn == {"a a", "a b", "b a", "b b"}


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("(a|b", "a '(' is never closed"),
        ("[a", "a '[' is never closed"),
        ("(a]", "a '(' is never closed"),
        ("a) b", "')' closes no bracket"),
        ("turn <on", "a name in <> or {} is empty or never closed"),
        ("{} lamp", "a name in <> or {} is empty or never closed"),
        ("<off> it", "there is no rule <off>"),
        ("go <me>", "rule <me> refers to itself"),
        ("(" * 5000 + ")" * 5000, "its brackets are nested too deep"),
    ],
)
def test_a_template_that_cannot_be_read_is_named_with_the_reason(template: str, why: str) -> None:
    with pytest.raises(DataError) as caught:
        sentences(template, grammar(), "task.data.path: a.json", most=4)
    assert str(caught.value).startswith("task.data.path: a.json has a template that cannot be read, ")
    assert f"{template[:80]!r}: {why}." in str(caught.value)


def test_rules_that_double_each_other_are_refused_before_memory_is_gone() -> None:
    doubling = {f"r{i}": f"<r{i + 1}> <r{i + 1}>" for i in range(60)} | {"r60": "a"}
    with pytest.raises(DataError, match=f"a sentence of it has more than {LARGEST} parts"):
        sentences("<r0>", grammar(**doubling), "a.json", most=1)


def test_a_long_chain_of_rules_is_refused() -> None:
    chain = {f"r{i}": f"<r{i + 1}>" for i in range(400)} | {"r400": "a"}
    with pytest.raises(DataError, match="its rules are nested too deep"):
        sentences("<r0>", grammar(**chain), "a.json", most=1)
