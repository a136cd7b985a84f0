"""A matplotlib figure that a notebook shows without pyplot."""

import io

from matplotlib.figure import Figure

from pipeline.report.svg import drawing_settings


class ShownFigure(Figure):
    """Shown as SVG where it is the value of a notebook's cell."""

    def _repr_svg_(self) -> str:
        buffer = io.StringIO()
        with drawing_settings():
            self.savefig(buffer, format="svg", metadata={"Date": None})
        return buffer.getvalue()[buffer.getvalue().index("<svg") :]
