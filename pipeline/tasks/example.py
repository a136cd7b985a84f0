"""Examples as records."""

from dataclasses import dataclass

from pipeline.config.schema import TEXTS


@dataclass(frozen=True, kw_only=True, slots=True)
class Example:
    """One row of a task's data; fields that its kind does not read are None or empty.

    A field has the name of the setting that says which column it comes from: `task.data.text`, `task.data.second`, ...
    """

    text: str
    second: str | None = None  # the other text of a pair, or the text to be generated
    label: str | None = None  # the class
    score: float | None = None  # a number, as a share of its scale, from 0 to 1
    labels: tuple[str, ...] = ()  # every class that applies (multi-label), or the tag of each word

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts that it has."""
        values = (getattr(self, name) for name in TEXTS)
        return tuple(value for value in values if value is not None)

    @property
    def whole(self) -> str:
        """All of its text: of a pair both texts, for kinds that read them as one."""
        return " ".join(self.texts)

    @property
    def shown(self) -> str:
        """Its text as people read it: a pair with a bar between its two."""
        return " | ".join(self.texts)
