"""A report in Portuguese: no English is left in it, its numbers are written with a comma, its records stay the same."""

import re
from html import unescape
from pathlib import Path

import pytest

from pipeline.commands.steps.publishing import FINDINGS, rebuild
from pipeline.commands.steps.tables import show_findings
from pipeline.config.compose import compose
from pipeline.errors import ConfigError
from pipeline.language import in_language, listed, nouns, numeral, said, tr, translated, translated_sentence
from pipeline.records import Findings

PUBLISHED = Path(__file__).parents[2] / "experiments" / "results" / "quickstart"
# Frequent English words that are no Portuguese ones.
ENGLISH = {
    *("the", "of", "and", "is", "are", "was", "were", "with", "to", "in", "at", "on", "than", "from", "that", "each"),
    *("not", "by", "its", "this", "it", "which", "what", "where", "they", "them", "their", "have", "has", "had"),
    *("more", "most", "least", "less", "only", "other", "others", "some", "when", "how", "many", "one", "two", "be"),
}


@pytest.fixture(scope="module")
def rebuilt(tmp_path_factory: pytest.TempPathFactory) -> tuple[Findings, Path]:
    """The published quickstart study, reported in Portuguese."""
    findings, page, _ = rebuild(PUBLISHED, tmp_path_factory.mktemp("published"), "pt")
    return findings, page


def visible(page: str) -> str:
    """The text of a page that a reader sees or hears: without styles, code and markup."""
    page = re.sub(r"<style.*?</style>|<pre.*?</pre>", " ", page, flags=re.DOTALL)
    labels = " ".join(re.findall(r'aria-label="([^"]*)"', page))
    return unescape(f"{re.sub(r'<[^>]*>', ' ', page)} {labels}")


def english_words(text: str) -> set[str]:
    """Frequent English words in a text; words within names such as bag_of_words are none."""
    return set(re.findall(r"(?<!\w)[a-z]+(?!\w)", text.lower())) & ENGLISH


def test_no_english_is_left_in_the_page(rebuilt: tuple[Findings, Path]):
    text = visible(rebuilt[1].read_text("utf-8"))
    assert len(text) > 10_000
    assert english_words(text) == set()


def test_no_english_is_left_in_the_markdown(rebuilt: tuple[Findings, Path]):
    text = re.sub(r"```.*?```", " ", (rebuilt[1].parent / "report.md").read_text("utf-8"), flags=re.DOTALL)
    assert english_words(text.replace("\\_", "_")) == set()


def test_the_page_names_its_language_and_writes_numbers_with_a_comma(rebuilt: tuple[Findings, Path]):
    page = rebuilt[1].read_text("utf-8")
    assert '<html lang="pt-BR">' in page
    english = [f"{score.estimate.value:.1%}" for score in rebuilt[0].scores]
    assert all(score.replace(".", ",") in page and score not in page for score in english)
    assert "8.530" in page  # rows, with a dot between thousands


def test_the_findings_are_the_bytes_of_every_language(rebuilt: tuple[Findings, Path]):
    assert (rebuilt[1].parent / FINDINGS).read_bytes() == (PUBLISHED / FINDINGS).read_bytes()


def test_the_terminal_shows_verdicts_in_portuguese(rebuilt: tuple[Findings, Path], capsys: pytest.CaptureFixture[str]):
    with in_language("pt"):
        show_findings(rebuilt[0])
    shown = " ".join(capsys.readouterr().out.split())
    sentence = r"Sustentada: pretrained obtém \d+,\d pontos a mais que scratch com 200 rótulos"
    assert re.search(sentence, shown)
    assert english_words(shown) == set()


def test_the_language_ends_with_its_block():
    with in_language("pt"):
        assert tr("{low} to {high}", low="1", high="2") == "1 a 2"
    assert tr("{low} to {high}", low="1", high="2") == "1 to 2"


@pytest.mark.parametrize(
    ("value", "spec", "text"), [(1234.5, ",.1f", "1.234,5"), (0.727, ".1%", "72,7%"), (7676, ",", "7.676")]
)
def test_numbers_are_written_as_the_language_writes_them(value: float, spec: str, text: str):
    with in_language("pt"):
        assert numeral(value, spec) == text
    assert numeral(value, spec) == format(value, spec)


def test_numbers_in_a_message_are_written_as_the_language_writes_them():
    with in_language("pt"):
        assert tr(" and {number:,} more", number=1200) == " e mais 1.200"


def test_nouns_have_two_forms():
    with in_language("pt"):
        assert (nouns("item", 1), nouns("item", 3)) == ("item", "itens")
    assert (nouns("item", 1), nouns("item", 3)) == ("item", "items")


def test_a_users_own_words_stay_as_they_are():
    claim = "Our {reviews} and the rest, at 0.5"
    with in_language("pt"):
        assert (translated(claim), translated_sentence(claim)) == (claim, claim)


def test_names_in_a_kept_sentence_stay_as_they_are():
    with in_language("pt"):
        counts = listed(said("{name} ({rows:,})", name=n, rows=r) for n, r in (("good and bad", 700), ("test", 500)))
        sentence = said("{classes} classes in {rows:,} rows: {counts}.", classes=2, rows=1200, counts=counts)
        shown = translated_sentence(sentence)
    assert sentence == "2 classes in 1,200 rows: good and bad (700), test (500)."
    assert shown == "2 classes em 1.200 linhas: good and bad (700), test (500)."


def test_a_sentence_on_one_set_stands_after_its_name():
    comma = said("Column {column} has a decimal comma.", column="'stars'")
    with in_language("pt"):
        assert (
            translated_sentence(said("{set}: {sentence}", set="imdb", sentence=comma))
            == "imdb: A coluna 'stars' usa vírgula decimal."
        )


def test_an_unknown_language_is_refused_with_those_that_there_are():
    with pytest.raises(ConfigError) as error:
        compose(["report.language=de"])
    assert error.match(r"report\.language must be one of its choices, but got 'de'\..* Valid: en, pt\.")
