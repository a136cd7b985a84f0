"""Examples of texts alone and of pairs, and how they are encoded."""

from collections.abc import Iterable
from typing import Any

from pipeline.tasks import EncodeSettings, Example


def singles(*texts: str) -> list[Example]:
    """Examples of one text each."""
    return [Example(text=text) for text in texts]


def pair(first: str, second: str, **more: Any) -> Example:
    """An example of two texts."""
    return Example(text=first, second=second, **more)


def within(length: int, **more: Any) -> EncodeSettings:
    """Settings that truncate to so many tokens."""
    return EncodeSettings(max_length=length, **more)


def texts_of(examples: Iterable[Example | None]) -> list[str]:
    """The text of each example that is there."""
    return [example.text for example in examples if example is not None]
