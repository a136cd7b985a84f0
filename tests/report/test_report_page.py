"""The HTML report: what it says, in which order, and that it needs nothing but itself."""

import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from page_reading import Page
from synthetic_report import Study, make_study

from pipeline.errors import StorageError
from pipeline.records import OnThisMachine
from pipeline.report import save_png, write_report
from pipeline.report.palette import Palette

ORDER = (
    "Scores",
    "Learning curves",
    "Label multipliers",
    "Trajectories",
    "Cost to target",
    "Early accuracy",
    "Out of domain",
    "Costs",
    "Cells",
    "Failed cells",
    "Fairness checks",
    "Could the base have seen the test text?",
    "What this comparison does not show",
    "Base and data",
    "Recipes",
    "Repeat it",
)


def test_the_verdict_stands_before_every_number(html: str) -> None:
    assert html.index('class="sentence"') < html.index("<h2>")


def test_the_sections_stand_in_the_order_they_are_read(html: str, markdown: str) -> None:
    assert tuple(re.findall(r"<h2>(.*?)</h2>", html)) == ORDER
    assert tuple(re.findall(r"^## (.*)$", markdown, re.M)) == ORDER


@pytest.mark.parametrize(
    "said",
    [
        "Pretrained scores 18.2 points more than scratch at 100 labels.",
        "95% interval 15.1 to 21.3; 3 seeds \N{MULTIPLICATION SIGN} 1,500 items",
        "refuted, too small",
        "No number of seeds would settle it; more test items would.",
        "76.8%",
        "74.7 to 78.9",
        "875 GFLOPs",
        "940 MB",
        "The loss is not finite at step 132. Lower train.lr.",
        "One pretrained checkpoint: the findings are about it, not about a way of pretraining.",
        "python -m pipeline study experiments=quickstart",
        "Unknown: nobody can say whether the base's pretraining included the test text.",
        "7 duplicates and 12 near-duplicates of validation or test texts were removed from training.",
        "Measured on this machine (2 cores, AMD EPYC 9R14 (avx512_bf16), 8 GB), 2 cells at a time.",
        "26 finished cells, 1 failed",
    ],
)
def test_a_reader_finds(said: str, html: str) -> None:
    assert said in Page(html).text


def test_the_page_needs_no_script_and_no_other_file(html: str) -> None:
    page = Page(html)
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    assert all(value.startswith("#") for value in [*page.values("href"), *page.values("xlink:href")])
    assert not page.values("src")
    assert "url(http" not in html
    assert "@import" not in html


def test_every_id_is_unique_and_every_reference_finds_it(html: str) -> None:
    page = Page(html)
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    used = re.findall(r"url\(#([^)]+)\)", html) + [v[1:] for v in page.values("href") + page.values("xlink:href")]
    assert used
    assert set(used) <= set(ids)


def test_every_figure_is_well_formed_and_takes_its_colours_and_font_from_the_page(html: str) -> None:
    figures = re.findall(r'<svg [^>]*role="img".*?</svg>', html, re.S)
    assert len(figures) == 2 + 2 + 3 + 2 + 3
    for figure in figures:
        ElementTree.fromstring(figure.replace("<svg ", '<svg xmlns:xlink="http://www.w3.org/1999/xlink" ', 1))
        assert "font-family" not in figure
        assert not re.search(r"#[0-9a-f]{6}\b", figure)
        assert "<style" not in figure
    assert "var(--arm-0)" in figures[0]


def test_every_colour_variable_is_defined_for_light_and_for_dark(html: str) -> None:
    used = set(re.findall(r"var\((--[a-z0-9-]+)\)", html))
    light, dark = html.split("prefers-color-scheme: dark", 1)
    for name in used - {"--tone", "--toned", "--w"}:  # which an element sets for itself
        assert f"{name}:" in light
        assert f"{name}:" in dark


def test_the_same_input_gives_the_same_bytes(study: Study, folder: Path, tmp_path: Path) -> None:
    write_report(study.findings, study.cells, study.about, tmp_path)
    for name in ("report.html", "report.md"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


def test_no_token_of_the_base_reaches_the_report(html: str, markdown: str) -> None:
    assert "not-to-be-shown" not in html + markdown


def test_a_study_without_a_finished_cell_still_has_a_report(study: Study, tmp_path: Path) -> None:
    names = [
        "verdicts",
        "scores",
        "contrasts",
        "multipliers",
        "transferred",
        "costs_to_target",
        "early",
        "gaps",
        "costs",
        "fairness",
        "caveats",
    ]
    empty = replace(study.findings, **dict.fromkeys(names, ()), measured=OnThisMachine(), cells={})
    page = Page(write_report(empty, (), study.about, tmp_path).read_text("utf-8"))
    assert "No cell has finished" in page.text
    assert "The study states no claim" in page.text


def test_an_arm_without_a_colour_of_its_own_gets_one(tmp_path: Path) -> None:
    own = make_study(arms=("my_arm", "my_other", "scratch"))
    html = write_report(own.findings, own.cells, own.about, tmp_path).read_text("utf-8")
    assert len({html.split(f"--arm-{i}: ")[1][:7] for i in range(3)}) == 3


def test_a_single_size_and_seed_can_be_shown(tmp_path: Path) -> None:
    own = make_study(sizes=("all",), seeds=1, sets=("test",))
    text = Page(write_report(own.findings, own.cells, own.about, tmp_path).read_text("utf-8")).text
    assert "The task has no out-of-domain set" in text


def test_a_folder_that_cannot_be_written_is_a_storage_error(study: Study, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, not a folder")
    with pytest.raises(StorageError):
        write_report(study.findings, study.cells, study.about, tmp_path / "taken")


def test_the_picture_for_the_readme_is_a_png_and_repeatable(study: Study, tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        save_png(study.findings, Palette.of(study.about.arms), tmp_path / name)
    data = (tmp_path / "a.png").read_bytes()
    assert data.startswith(b"\x89PNG")
    assert data == (tmp_path / "b.png").read_bytes()
