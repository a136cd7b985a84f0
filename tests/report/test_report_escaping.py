"""Text from data, labels, errors or settings is shown as it stands and never takes effect."""

import dataclasses
import typing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from page_reading import Page
from synthetic_report import Study, make_study, with_failure

from pipeline.config.rules.closed_sets import words
from pipeline.report import model_card, write_report
from pipeline.report.markdown import escape, fenced
from pipeline.report.usage import by_transformers
from pipeline.report.wording import plain

EVIL = "<script>alert(1)</script>"
BREAKING = f"\"'><img src=x onerror=alert(1)>{EVIL}]]>-->"
TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=60)
KEPT = {"metric", "role", "verdict", "direction", "method", "unit", "test_text_seen", "start", "trained", "decay"}


def poisoned(value: Any, name: str = "") -> Any:
    """`value` with every free text in it replaced by one that would break out of HTML, SVG or Markdown."""
    if isinstance(value, str):
        return value if name in KEPT else f"{value} {BREAKING}"
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        free = [name for name, hint in typing.get_type_hints(type(value)).items() if not words(hint)]
        return dataclasses.replace(value, **{name: poisoned(getattr(value, name), name) for name in free})
    if isinstance(value, tuple):
        return tuple(poisoned(v, name) for v in value)
    if isinstance(value, dict) and name != "metrics":
        return {poisoned(k): poisoned(v) for k, v in value.items()}
    return value


@pytest.fixture(scope="module")
def evil(tmp_path_factory: pytest.TempPathFactory) -> tuple[Study, str, str]:
    """A study poisoned in every text, with its HTML and Markdown."""
    made: Study = poisoned(with_failure(make_study(sizes=(100, "all"), seeds=2), "reason"))
    folder = write_report(made.findings, made.cells, made.about, tmp_path_factory.mktemp("evil")).parent
    return made, (folder / "report.html").read_text("utf-8"), (folder / "report.md").read_text("utf-8")


def test_no_text_becomes_a_tag_or_an_attribute_of_the_page(evil: tuple[Study, str, str]) -> None:
    page = Page(evil[1])
    assert not {"script", "img", "iframe", "object", "a:script"} & set(page.tags)
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert "<script" not in evil[1].lower()


def test_hostile_text_is_shown_as_it_stands(evil: tuple[Study, str, str]) -> None:
    text = Page(evil[1]).text
    for opening in ("quickstart", "reason", "pretrained", "minilm", "negative", "python -m pipeline study"):
        assert f"{opening} \"'><img" in text or f"{opening} experiments=quickstart \"'><img" in text


def test_hostile_text_in_a_figure_is_shown_as_it_stands(evil: tuple[Study, str, str]) -> None:
    figures = evil[1].split('role="img"')[1:]
    assert any("&lt;img" in figure.split("</svg>")[0] for figure in figures)


def test_no_text_takes_effect_in_markdown(evil: tuple[Study, str, str]) -> None:
    tags = set(Page(MarkdownIt("commonmark", {"html": True}).enable("table").render(evil[2])).tags)
    assert not {"script", "img", "a"} & tags


def test_no_text_takes_effect_in_a_model_card(evil: tuple[Study, str, str]) -> None:
    card = model_card(evil[0].cells[0], evil[0].about, {}, by_transformers(evil[0].about))
    body = card.split("\n---\n", 1)[1]
    assert not {"script", "img", "a"} & set(Page(MarkdownIt("commonmark", {"html": True}).render(body)).tags)


@given(TEXT)
@example("# heading")
@example("1. list")
@example("- item")
@example("<b>x</b> **y** [z](http://e.org) ![i](j) `c` | a & b &amp; ~~s~~ $m$")
@example("www.example.org https://example.org")
def test_escaped_markdown_reads_as_the_text_it_came_from(text: str) -> None:
    rendered = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(escape(text))
    page = Page(rendered)
    assert set(page.tags) <= {"p"}
    assert page.text.replace("\u200b", "") == " ".join(plain(text).replace("\u200b", "").split())


@given(TEXT.map(lambda t: t.replace("\r", "")))
@example("```\n<script>\n````")
def test_a_command_cannot_leave_its_fence(code: str) -> None:
    tokens = MarkdownIt("commonmark").parse(fenced(code))
    assert [t.type for t in tokens] == ["fence"]


@given(st.text(max_size=80))
def test_plain_text_is_one_printable_line(text: str) -> None:
    line = plain(text, 40)
    assert len(line) <= 40
    assert line.isprintable()


def test_half_a_surrogate_pair_does_not_stop_the_report(tmp_path: Path) -> None:
    made = with_failure(make_study(arms=("scratch",), sizes=(100,), seeds=2), "bad \ud800 byte")
    assert write_report(made.findings, made.cells, made.about, tmp_path).stat().st_size > 1000
