"""One drawing of a figure, as a record that can draw itself."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pipeline.report.palette import Theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDE, NARROW = 452.0, 300.0  # pixels of the page
MOST_PANELS = 12  # of a figure


@dataclass(frozen=True, kw_only=True)
class Panel(ABC):
    """What one drawing shows. `legend`: arms are told apart by colour alone; `wide`: never three in a row."""

    title: str
    legend: ClassVar[bool] = False
    wide: ClassVar[bool] = False

    @abstractmethod
    def draw(self, theme: Theme, width: float = WIDE) -> "Figure":
        """The panel as a figure of its own, `width` pixels wide. Call it within `svg.drawing_settings()`."""


def panel_width(panels: Sequence[Panel]) -> float:
    """How wide panels are drawn so that they fill rows of two or of three."""
    return WIDE if len(panels) in (1, 2, 4) or panels[0].wide else NARROW
