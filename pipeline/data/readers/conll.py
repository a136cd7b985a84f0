"""Sentences of tagged words, a word a line with its columns beside it, and an empty line behind each sentence.

CoNLL-U (.conllu, Universal Dependencies) has ten columns with names; lines of multiword tokens ("5-6") and of words
that are not there ("8.1") are left out. Files of the CoNLL shared tasks (.conll, .iob, .bio) have any number without
names: the first is called "tokens" and the last "tags", and those between by their numbers, "2", "3", ...
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.data.readers.text_tables import read_utf8
from pipeline.data.table_cells.columns import Wanted
from pipeline.data.table_cells.rows import Rows
from pipeline.errors import DataError

CONLL = (".conllu", ".conll", ".iob", ".iob2", ".bio")
_CONLL_U = ("id", "tokens", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
_BETWEEN_DOCUMENTS = "-DOCSTART-"  # in place of a word

_Word = tuple[int, list[str]]  # the number of its line, and its columns


def read_conll(path: Path, ask: Wanted, field: str) -> Rows:
    """The sentences: the words of each as a text with blanks between them, and lists of what stands beside them.

    Raises:
        DataError: there is no such column, a line lacks one, or what is asked for is one value for a whole sentence.
    """
    import pyarrow as pa

    conll_u = path.suffix.lower() == ".conllu"
    sentences = list(_sentences(read_utf8(path, field), conll_u=conll_u))
    if not sentences:
        raise DataError(f"{field} must hold sentences, but {path.name} has none: no line is a word with its columns.")
    names = _CONLL_U if conll_u else _names(len(sentences[0][0][1]))
    _check_asked(ask, path)
    places = ask.located(names, path.name)
    _check_words(sentences, max(places.values()) + 1 if conll_u else len(names), f"of {path.name}", field, conll_u)
    values = {name: [[columns[at] for _, columns in words] for words in sentences] for name, at in places.items()}
    text = ask.fields["text"]
    texts = [" ".join("\u00a0".join(word.split()) for word in words) for words in values[text]]
    lists = pa.list_(pa.string())
    return pa.table({n: pa.array(texts, pa.string()) if n == text else pa.array(values[n], lists) for n in values})


def _sentences(text: str, *, conll_u: bool) -> Iterator[list[_Word]]:
    words: list[_Word] = []
    for number, line in enumerate([*text.split("\n"), ""], start=1):
        if line.strip():
            words += [(number, columns)] if (columns := _columns(line.rstrip("\r"), conll_u=conll_u)) else []
        elif words:
            yield words
            words = []


def _columns(line: str, *, conll_u: bool) -> list[str]:
    """The columns of a word; none of a line that is no word."""
    if conll_u:
        columns = line.split("\t")
        return columns if columns[0].isdecimal() else []
    columns = [column.strip() for column in line.split("\t")] if "\t" in line else line.split()
    return [] if columns[0] == _BETWEEN_DOCUMENTS else columns


def _names(count: int) -> tuple[str, ...]:
    return ("tokens", *(str(number) for number in range(2, count)), *(["tags"] if count > 1 else []))


def _check_asked(ask: Wanted, path: Path) -> None:
    """Refuse to take for one value of a sentence what is one of each word."""
    fields = [f"{ask.field}.{name}" for name in ask.fields if name not in ("text", "labels")]
    wrong = [*fields, *(f"{ask.field}.where.{column}" for column in ask.where)]
    wrong += [f"{ask.field}.group"] if ask.group else []
    wrong += [f"{ask.field}.time"] if ask.time else []
    if wrong:
        raise DataError(
            f"{wrong[0]} must be null for {path.name}, which has tags of words and nothing about whole sentences. "
            "For a tag a word use task=token_classification."
        )


def _check_words(sentences: Sequence[list[_Word]], least: int, place: str, field: str, more: bool) -> None:
    """Refuse a word with fewer columns than `least` or, unless it may have `more`, with more; and empty columns."""
    for number, columns in (word for words in sentences for word in words):
        if len(columns) < least or (len(columns) > least and not more) or not all(columns[:least]):
            raise DataError(
                f"{field}: line {number} {place} must have {'at least ' if more else ''}{least} columns, none of them "
                f"empty, but is {' '.join(columns)[:60]!r}. Put {'tabs' if more else 'tabs or blanks'} between columns "
                "and an empty line between sentences."
            )
