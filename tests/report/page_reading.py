"""Reads a page the way a browser does, as far as the tests need it."""

from html.parser import HTMLParser


class Page(HTMLParser):
    """The tags, attributes and text of a page, in order."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.pieces: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)

    @property
    def text(self) -> str:
        """All text, on one line."""
        return " ".join("".join(self.pieces).split())

    def values(self, name: str) -> list[str]:
        """Every value of the attribute `name`."""
        return [value for _, attribute, value in self.attributes if attribute == name]
