"""README can be read by anyone: its Flesch-Kincaid grade is at most 10 (Kincaid et al. 1975)."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_NOT_PROSE = re.compile(
    r"^( {4}|\||#).*$|!\[[^\]]*\]\([^)]*\)|`[^`]*`", re.MULTILINE
)  # code, tables, headings, figures
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_END = re.compile(r"[.!?](?=\s|$)|\n\s*\n|\n(?=- |\d+\. )")
_WORD = re.compile(r"[A-Za-z]+(?:'[a-z]+)?")


def syllables(word: str) -> int:
    """Groups of vowels, without a silent e at the end: an estimate that is right for nine in ten words."""
    plain = re.sub(r"(?<![aeiouy])e$|(?<=[^aeiouytd])ed$|(?<=[^aeioulscgzxh])es$", "", word.lower())
    plain = re.sub(r"([^aeiouy]l)$", r"\1e", plain) if word.lower().endswith("le") else plain
    return max(1, len(re.findall(r"[aeiouy]+", plain)))


def grade(page: str) -> float:
    """The years of school after which a page of Markdown is understood at first reading."""
    prose = _LINK.sub(r"\1", _NOT_PROSE.sub("", page))
    sentences = [words for part in _END.split(prose) if (words := _WORD.findall(part))]
    counted = [syllables(word) for words in sentences for word in words]
    return 0.39 * len(counted) / len(sentences) + 11.8 * sum(counted) / len(counted) - 15.59


@pytest.mark.parametrize(
    ("word", "count"),
    [
        ("train", 1),
        ("trained", 1),
        ("base", 1),
        ("tested", 2),
        ("model", 2),
        ("table", 2),
        ("pretrained", 2),
        ("study", 2),
    ],
)
def test_syllables_are_counted(word: str, count: int) -> None:
    assert syllables(word) == count


def test_the_grade_of_a_text_is_that_of_the_formula() -> None:
    """Two sentences, ten words, twelve syllables; the rest of the page is no prose."""
    prose = "The network reads a [film](https://a.example).\nIt `predicts` a label for each."
    page = f"# A heading\n\n{prose}\n\n    code\n\n| a |\n"
    assert grade(page) == pytest.approx(0.39 * 10 / 2 + 11.8 * 12 / 10 - 15.59)


def test_the_readme_is_at_most_of_grade_10() -> None:
    assert grade((ROOT / "README.md").read_text(encoding="utf-8")) <= 10
