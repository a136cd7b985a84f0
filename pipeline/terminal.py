"""What is shown on a terminal. Names come from data, files and settings: they are shown as text and never act on it."""

import re
import sys
from typing import Any, TextIO, cast

# Control characters, with which a name could colour, erase or rewrite what is on the screen, and those that turn the
# direction of writing around. Line ends and tabs are none of them.
_ACTING = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]|\r(?!\n)")


def visible(text: str) -> str:
    """`text` with every character in it that would act on a terminal written as its escape, such as `\\x1b`."""
    return _ACTING.sub(lambda match: ascii(match[0])[1:-1], text)


def show_what_is_printed() -> None:
    """From now on nothing that is printed acts on the terminal. What goes to a file or a pipe stays as it is."""
    if sys.stdout.isatty():
        sys.stdout = cast(TextIO, _Shown(sys.stdout))


class _Shown:
    """A stream to a terminal. Rich, whose colours are control characters, writes to what it finds behind it."""

    def __init__(self, stream: TextIO) -> None:
        self.rich_proxied_file = stream

    def write(self, text: str) -> int:
        """See `TextIO.write`."""
        self.rich_proxied_file.write(visible(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.rich_proxied_file, name)
