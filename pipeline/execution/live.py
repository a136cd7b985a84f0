"""One line on standard error that is kept up to date on a terminal, and comes again now and then elsewhere."""

import sys
import threading
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

from rich.live import Live
from rich.text import Text

from pipeline.execution.console import Terminal


class LiveLine(ABC):
    """Base of what shows progress: `line` is the one kept up to date, `opening` is said first; None: nothing to do."""

    every = 30.0  # seconds after which the line comes again where it cannot be kept up to date: in a file, in a pipe

    def __init__(self) -> None:
        self.console = Terminal(sys.stderr)
        self.live = Live(console=self.console, get_renderable=self.line, refresh_per_second=2, transient=True)
        self._over = threading.Event()
        self._repeating = threading.Thread(target=self._repeat, daemon=True)

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
            (self.live if self.console.is_terminal else self._repeating).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.live.is_started:
            self.live.stop()
        self._over.set()
        if self._repeating.is_alive():
            self._repeating.join()

    def _repeat(self) -> None:
        while not self._over.wait(self.every):
            self.console.print(self.line())
