"""One line on standard error that is kept up to date on a terminal, under lines that stay."""

import sys
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

from rich.live import Live
from rich.text import Text

from pipeline.execution.console import Terminal


class LiveLine(ABC):
    """Base of what shows progress: `line` is the one kept up to date, `opening` is said first; None: nothing to do."""

    def __init__(self) -> None:
        self.console = Terminal(sys.stderr)
        self.live = Live(console=self.console, get_renderable=self.line, refresh_per_second=2, transient=True)

    @abstractmethod
    def opening(self) -> str | None:
        """What is to be done."""

    @abstractmethod
    def line(self) -> Text:
        """How far it is."""

    def __enter__(self) -> Self:
        opening = self.opening()
        if opening is not None:
            self.console.print(opening)
            if self.console.is_terminal:
                self.live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.live.is_started:
            self.live.stop()
