"""Catalogues of messages as programs carry them (gettext, .mo and .po): each message, and its translation.

Columns: "message", what the program says, which is English almost everywhere; and the translation, under the name of
the catalogue's language as its heading gives it, such as "pt_BR". Messages that are untranslated, marked as doubtful,
the same in both languages, or that change with a number are left out.
"""

import struct
from pathlib import Path
from typing import Any

from pipeline.data.example_table import table_of
from pipeline.data.table_cells.columns import Wanted
from pipeline.data.table_cells.rows import Rows
from pipeline.errors import DataError

CATALOGUES = (".mo", ".po")
MESSAGE = "message"


def read_catalogue(path: Path, ask: Wanted, field: str) -> Rows:
    """The wanted columns of a catalogue, in its order.

    Raises:
        DataError: it cannot be read, does not say its language, or has no such column.
    """
    catalogue = _read(path, field)
    language = str(catalogue.locale_identifier or "")
    if not language:
        raise DataError(f"{field}: {path.name} must say its language in its heading (Language: pt_BR), but does not.")
    ask.check((MESSAGE, language), f"the catalogue {path.name}")
    pairs = [(_plain(entry.id), _plain(entry.string)) for entry in catalogue if _usable(entry)]
    pairs = [(said, translated) for said, translated in pairs if translated and said != translated]
    rows = {MESSAGE: [said for said, _ in pairs], language: [translated for _, translated in pairs]}
    return table_of({name: rows[name] for name in ask.columns})


def _read(path: Path, field: str) -> Any:
    from babel.messages.mofile import read_mo
    from babel.messages.pofile import PoFileError, read_po

    try:
        with open(path, "rb") as file:
            return read_mo(file) if path.suffix.lower() == ".mo" else read_po(file, abort_invalid=True)
    except (OSError, ValueError, LookupError, PoFileError, struct.error) as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{field}: {path.name} cannot be read as a catalogue of messages ({why}).") from error


def _usable(entry: Any) -> bool:
    return bool(entry.id) and isinstance(entry.id, str) and isinstance(entry.string, str) and not entry.fuzzy


def _plain(text: str) -> str:
    """Without the line breaks and indents that a program's source has."""
    return " ".join(text.split())
