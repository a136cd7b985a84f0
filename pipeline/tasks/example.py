"""Examples as records."""

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass


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
    def whole(self) -> str:
        """All of its text: of a pair both texts, for kinds that read them as one."""
        return self.text if self.second is None else f"{self.text} {self.second}"

    @property
    def shown(self) -> str:
        """Its text as people read it: a pair with a bar between its two."""
        return self.text if self.second is None else f"{self.text} | {self.second}"


def prefixed(examples: Iterable[Example], prefix: str | None) -> list[Example]:
    """The examples with the base's prefix ("query: ") before each text, both texts of a pair included."""
    if not prefix:
        return list(examples)
    return [
        dataclasses.replace(e, text=prefix + e.text, second=None if e.second is None else prefix + e.second)
        for e in examples
    ]
