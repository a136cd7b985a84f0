"""A table as people have it, and what a person who opens it would call its columns."""

import csv
import io
import json
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Cell = str | int | float | bool | None
Row = Sequence[Cell]


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A table and the right answer for it.

    Args:
        file: Name of the file, with its ending.
        write: Returns the file's bytes for a seeded generator.
        text: Column with the texts.
        label: Column to be predicted: classes, lists of labels or scores.
        kind: Name of the task kind.
        second: Column with the second text, for kinds that read pairs.
        groups: Columns any of which is rightly named as the group; None among them where naming none is right.
        language: Column with the language of each text.
    """

    file: str
    write: Callable[[random.Random], bytes]
    text: str
    label: str
    kind: str = "classification"
    second: str | None = None
    groups: tuple[str | None, ...] = (None,)
    language: str | None = None

    def save(self, folder: Path) -> Path:
        """Writes the table into a folder, the same bytes each time."""
        path = folder / self.file
        path.write_bytes(self.write(random.Random(self.file)))
        return path


def delimited(
    header: Sequence[str], rows: Iterable[Row], *, delimiter: str = ",", encoding: str = "utf-8", newline: str = "\r\n"
) -> bytes:
    """Returns a delimited table as spreadsheet programs save it."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator=newline)
    writer.writerow(header)
    writer.writerows(rows)
    return buffer.getvalue().encode(encoding)


def json_lines(rows: Iterable[dict[str, Any]]) -> bytes:
    """Returns one JSON object a line."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def phrase(rng: random.Random, *parts: Sequence[str]) -> str:
    """Returns one choice of each part, joined by blanks."""
    return " ".join(rng.choice(part) for part in parts)


def stamp(rng: random.Random, form: str = "{y}-{m:02}-{d:02}") -> str:
    """Returns a date of 2021 to 2025, with a time of day where the form has places for it."""
    values = {"y": rng.randint(2021, 2025), "m": rng.randint(1, 12), "d": rng.randint(1, 28)}
    clock = {"h": rng.randint(0, 23), "min": rng.randint(0, 59), "s": rng.randint(0, 59)}
    return form.format(**values, **clock)
