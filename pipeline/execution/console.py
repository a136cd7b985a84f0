"""Rich's console for texts that come from data, files and settings."""

from typing import IO, Any

from rich.console import Console
from rich.text import Text

from pipeline.terminal import visible


class Terminal(Console):
    """A console on which every text stands for itself: no markup, no emoji, no control characters.

    Args:
        file: where it writes; None is standard output.
    """

    def __init__(self, file: IO[str] | None = None, *, soft_wrap: bool = False) -> None:
        super().__init__(file=file, highlight=False, markup=False, emoji=False, soft_wrap=soft_wrap)

    def render_str(self, text: str, **settings: Any) -> Text:
        """Every text that rich is given comes through here."""
        return super().render_str(visible(text), **settings)
