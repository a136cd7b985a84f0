"""Rich's console for texts that come from data, files and settings."""

import sys
from typing import IO, Any

from rich.console import Console
from rich.text import Text

from pipeline.terminal import visible


def _is_notebook(file: IO[str]) -> bool:
    """Whether what is written there is shown below a notebook's cell, which calls itself a terminal and is none."""
    return type(file).__module__.startswith("ipykernel.")


class Terminal(Console):
    """A console on which every text stands for itself: no markup, no emoji, no control characters.

    Args:
        file: where it writes; None is standard output.
    """

    def __init__(self, file: IO[str] | None = None, *, soft_wrap: bool = False) -> None:
        super().__init__(
            file=file,
            highlight=False,
            markup=False,
            emoji=False,
            soft_wrap=soft_wrap,
            force_jupyter=False,  # rich's own way of writing there needs ipywidgets
            force_terminal=False if _is_notebook(file or sys.stdout) else None,
        )

    def render_str(self, text: str, **settings: Any) -> Text:
        """Every text that rich is given comes through here."""
        return super().render_str(visible(text), **settings)
