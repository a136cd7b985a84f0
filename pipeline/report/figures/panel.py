"""One drawing of a figure, as a record that can draw itself."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from pipeline.report.figures.axes import blank
from pipeline.report.palette import Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDE, NARROW = 452.0, 300.0  # pixels of the page
MOST_PANELS = 12  # of a figure


@dataclass(frozen=True, kw_only=True)
class Panel(ABC):
    """What one drawing shows. `legend`: arms are told apart by colour alone; `wide`: never three in a row."""

    title: str
    legend: ClassVar[bool] = False
    wide: ClassVar[bool] = False

    grid: ClassVar[Literal["x", "y"]] = "y"  # the axis whose ticks have lines across the drawing

    def draw(self, theme: Theme, width: float = WIDE) -> "Figure":
        """The panel as a figure of its own, `width` pixels wide. Call it within `svg.drawing_settings()`."""
        figure, axes = blank(width, self.height(width), self.title, theme, grid=self.grid)
        self.paint(axes, theme)
        return figure

    def height(self, width: float) -> float:
        """Pixels of the page."""
        return 0.45 * width + 80

    @abstractmethod
    def paint(self, axes: "Axes", theme: Theme) -> None:
        """Draw what the panel shows on empty axes."""


def panel_width(panels: Sequence[Panel]) -> float:
    """How wide panels are drawn so that they fill rows of two or of three."""
    return WIDE if len(panels) in (1, 2, 4) or panels[0].wide else NARROW
