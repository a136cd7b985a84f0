"""Names with control characters or markup in them are shown on a terminal as text, and never act on it."""

import contextlib
import io
import os
import subprocess
import sys

import pytest
from rich.table import Table

from pipeline.execution.console import Terminal
from pipeline.terminal import visible

EVIL = "\x1b[2K\x1b[1A\x1b]0;title\x07\rgone\x9b31m\u202egnp"


def on_a_terminal(*words: str) -> bytes:
    """What the command writes when its output and its errors are a terminal."""
    ours, theirs = os.openpty()
    environment = os.environ | {"PYTHONPATH": os.getcwd(), "COLUMNS": "400"}
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline", *words],
        stdout=theirs,
        stderr=theirs,
        stdin=subprocess.DEVNULL,
        env=environment,
    )
    os.close(theirs)
    said = b""
    with contextlib.suppress(OSError):  # what a terminal says when nobody is left
        while some := os.read(ours, 65536):
            said += some
    os.close(ours)
    process.wait()
    return said.replace(b"\r\n", b"\n")


@pytest.mark.parametrize(
    "words", [("train", f"task.data.path=no{EVIL}", "task=classification"), (f"tr{EVIL}",)], ids=["a path", "a command"]
)
def test_an_error_shows_what_was_given_and_none_of_it_acts(words: tuple[str, ...]) -> None:
    said = on_a_terminal(*words)
    assert b"Error: " in said
    assert rb"\x1b[2K" in said
    assert not set(said) & {0x07, 0x0D, 0x1B}
    assert "\u202e".encode() not in said


def test_what_is_printed_acts_neither() -> None:
    said = on_a_terminal("train", "--cfg", "job", "--package", "study.question", f"study.question='{EVIL}'")
    assert b"x1b[2K" in said
    assert not set(said) & {0x07, 0x0D, 0x1B}


@pytest.mark.parametrize("text", ["[/b] is no end of anything", "[red]never red[/red]", ":fire: no picture", EVIL])
def test_text_in_a_table_or_a_line_stands_for_itself(text: str) -> None:
    file = io.StringIO()
    console = Terminal(file, soft_wrap=True)
    table = Table(title=text)
    table.add_column(text)
    table.add_row(text)
    console.print(table)
    console.print(text, style="bold")
    assert file.getvalue().count(visible(text)) == 4
    assert not set(file.getvalue()) & {"\x1b", "\x07", "\r", "\u202e"}


def test_colours_of_our_own_are_still_there() -> None:
    file = io.StringIO()
    console = Terminal(file)
    console._force_terminal, console.no_color = True, False
    console.print("found", style="bold")
    assert "found" in file.getvalue()


@pytest.mark.parametrize(
    "text", ["añb\tc\n", "два\r\n", "👩\u200d🔬", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "a\u00adb"]
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert visible(text) == text
