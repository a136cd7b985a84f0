"""A matplotlib figure as inline SVG in the page's own colours and font."""

import html
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SETTINGS: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "headstart",
    "text.parse_math": False,
    "font.family": "sans-serif",
    "font.size": 11.5,
    "axes.unicode_minus": True,
}
_NO_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}
_DROPPED = re.compile(
    r"<\?xml.*?\?>|<!DOCTYPE.*?>|<!--.*?-->|<metadata>.*?</metadata>|<style.*?</style>|<defs>\s*</defs>", re.S
)
_TAG = re.compile(r"<[a-zA-Z][^<>]*>")
_COLOUR = re.compile(r"#0[12][0-9a-f]{4}")
_REFERENCE = re.compile(r"(\bid=\"|xlink:href=\"#|\bhref=\"#|url\(#)")
_FONT = re.compile(r" ?font-family: [^;\"]*;?")
_SIZE = re.compile(r'<svg [^>]*?width="([0-9.]+)pt"[^>]*?>')


@contextmanager
def drawing_settings() -> Iterator[None]:
    """Settings under which figures are made and saved: text stays text, no formula is read into it, ids are stable."""
    import logging
    import warnings

    import matplotlib

    quiet = logging.getLogger("matplotlib.font_manager")
    before = quiet.level
    with matplotlib.rc_context(_SETTINGS), warnings.catch_warnings():
        # Labels may hold any script; the browser has the glyphs even where matplotlib's own font has not.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        quiet.setLevel(logging.ERROR)
        try:
            yield
        finally:
            quiet.setLevel(before)


def themed_svg(figure: "Figure", *, name: str, title: str, variables: dict[str, str]) -> str:
    """The figure as one `<svg>` element, its text escaped, its ids starting with `name`.

    `variables` maps placeholder colours, such as "#010101", to CSS variables, such as "--ink". `title` is read aloud
    by screen readers.
    """
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata=_NO_METADATA, transparent=True)
    body = _DROPPED.sub("", buffer.getvalue()).strip()
    body = _TAG.sub(lambda tag: _themed_tag(tag[0], name, variables), body)
    return _SIZE.sub(lambda opening: _opening(opening[0], opening[1], title), body, count=1)


def _themed_tag(tag: str, name: str, variables: dict[str, str]) -> str:
    tag = _FONT.sub("", tag)
    tag = _COLOUR.sub(lambda c: f"var({variables[c[0]]})" if c[0] in variables else c[0], tag)
    return _REFERENCE.sub(lambda r: f"{r[1]}{name}-", tag)


def _opening(tag: str, width: str, title: str) -> str:
    box = re.search(r'viewBox="[^"]*"', tag)
    label = html.escape(title, quote=True)
    style = f"max-width:{1.3 * float(width):.0f}px"
    return f'<svg {box[0] if box else ""} role="img" aria-label="{label}" style="{style}"><title>{label}</title>'
