"""Conversations as chatterbot-corpus keeps them: a YAML file a topic, with a list of exchanges, each a list of lines.

Columns: "text", an exchange's first line; "topic", the file's name; "reply", its second line or, in every other
exchange, that of another one; and "answers", yes or no: whether the reply is its own. An exchange of which a line stood
before is left out: so each line stands in one row, and none can give another away.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from pipeline.data.example_table import table_of
from pipeline.data.readers.text_tables import read_utf8
from pipeline.data.table_cells.columns import Wanted
from pipeline.data.table_cells.rows import Rows
from pipeline.errors import DataError

CONVERSATIONS = (".yml", ".yaml")
COLUMNS = ("text", "topic", "reply", "answers")


def conversation_files(folder: Path) -> list[Path]:
    """The files of conversations in a directory, by name."""
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in CONVERSATIONS and p.is_file())


def read_conversations(paths: Sequence[Path], ask: Wanted, field: str) -> Rows:
    """The wanted columns of all exchanges of these files, in their order.

    Raises:
        DataError: a file is not YAML of this form, or a column is none of COLUMNS.
    """
    ask.check(COLUMNS, f"a file of conversations ({paths[0].name})")
    rows: dict[str, list[str | None]] = {name: [] for name in COLUMNS}
    for path in paths:
        exchanges = _exchanges(path, field)
        rows["text"] += [lines[0] for lines in exchanges]
        rows["topic"] += [path.stem] * len(exchanges)
        replies = [lines[1] if len(lines) > 1 else None for lines in exchanges]
        others = replies[1::2]
        swapped = [*others[1:], *others[:1]]
        shown = [swapped[i // 2] if i % 2 else reply for i, reply in enumerate(replies)]
        rows["reply"] += shown
        rows["answers"] += ["no" if one != own else "yes" for one, own in zip(shown, replies, strict=True)]
    return table_of({name: rows[name] for name in ask.columns})


def _exchanges(path: Path, field: str) -> list[list[str]]:
    try:
        document: Any = yaml.safe_load(read_utf8(path, field))
    except yaml.YAMLError as error:
        raise DataError(f"{field}: {path.name} is not YAML that can be read ({error}).".replace("\n", " ")) from error
    listed = document.get("conversations") if isinstance(document, dict) else None
    exchanges = [[lines] if isinstance(lines, str) else lines for lines in listed] if isinstance(listed, list) else []
    if not exchanges or not all(isinstance(lines, list) and lines for lines in exchanges):
        raise DataError(
            f"{field}: {path.name} must hold a list called conversations, whose entries are lists of lines, as "
            "chatterbot-corpus has them."
        )
    return list(_without_repeats([" ".join(str(line).split()) for line in lines] for lines in exchanges))


def _without_repeats(exchanges: Iterable[list[str]]) -> Iterator[list[str]]:
    """Of each exchange the first two lines count."""
    seen: set[str] = set()
    for lines in exchanges:
        read = {line.casefold() for line in lines[:2]}
        if not read & seen:
            yield lines
        seen |= read
