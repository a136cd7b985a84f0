"""Catalogues of messages: pairs of a message and its translation."""

from pathlib import Path

import pytest

from pipeline.config.schema import Data
from pipeline.data.readers.sources import read
from pipeline.errors import DataError
from pipeline.tasks import Example
from tests.examples_kit import read_from

HEADING = 'msgid ""\nmsgstr ""\n"Language: {}\\n"\n"Content-Type: text/plain; charset=UTF-8\\n"\n\n'
MESSAGES = """
msgid "Open the file"
msgstr "Abrir o arquivo"

msgid "  Close\\n   it "
msgstr "Fechar"

msgid "Nobody has said this"
msgstr ""

#, fuzzy
msgid "Perhaps"
msgstr "Nunca"

msgid "OK"
msgstr "OK"

msgid "one file"
msgid_plural "%d files"
msgstr[0] "um arquivo"
msgstr[1] "%d arquivos"
"""
PAIRS = [("Open the file", "Abrir o arquivo"), ("Close it", "Fechar")]


def catalogue(folder: Path, *, language: str = "pt_BR", compiled: bool = False) -> Data:
    """The messages as a file, text or compiled."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    source = folder / "messages.po"
    source.write_text(HEADING.format(language) + MESSAGES, encoding="utf-8")
    path = source.with_suffix(".mo") if compiled else source
    if compiled:
        with open(source, "rb") as text, open(path, "wb") as file:
            write_mo(file, read_po(text))
    return Data(path=str(path), text="message", second="pt_BR", label=None)


@pytest.mark.parametrize("compiled", [False, True])
def test_a_message_and_its_translation_are_a_pair(compiled: bool, tmp_path: Path) -> None:
    found = read(catalogue(tmp_path, compiled=compiled), task_name="t").train
    assert sorted((e.text, e.second) for e in read_from(found) if e) == sorted(PAIRS)


def test_a_pair_may_be_read_the_other_way_round(tmp_path: Path) -> None:
    import dataclasses

    data = dataclasses.replace(catalogue(tmp_path), text="pt_BR", second="message")
    found = read_from(read(data, task_name="t").train)
    assert found[0] == Example(text="Abrir o arquivo", second="Open the file")


def test_another_language_is_refused_with_the_one_there_is(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"task.data.second asks for a column 'pt_BR'.*pt_PT"):
        read(catalogue(tmp_path, language="pt_PT"), task_name="t")


def test_a_catalogue_that_does_not_say_its_language_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"messages.po must say its language in its heading"):
        read(catalogue(tmp_path, language=""), task_name="t")


@pytest.mark.parametrize("name", ["torn.mo", "torn.po"])
def test_a_file_that_is_no_catalogue_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"\xde\x12\x04\x95\x00\xff msgid and nothing else \xff")
    data = Data(path=str(tmp_path / name), text="message", second="pt_BR", label=None)
    with pytest.raises(DataError, match=f"{name} cannot be read as a catalogue of messages"):
        read(data, task_name="t")
