"""How values are spelt: which spellings are one value, which are one class, and which mean that nothing is there.

Two levels. `label_value` gives each cell one spelling that nobody would tell from its own: Unicode NFC, nothing
invisible around it, 1.0 as 1, True as true. `class_key` is equal for names that are one class although a reader can
tell them apart: other case, quotes or zeros.
"""

import re
import unicodedata

NO_TEXT = frozenset({"", "nan", "NaN"})  # instead of a text, which may be "null" as it may be any other word
MISSING = frozenset({"", "nan", "NaN", "NAN", "null", "NULL", "Null", "<NA>", "#N/A", "\\N"})
DOUBTFUL = frozenset({"na", "n/a", "none", "nil", "-", "--", "?", "."})  # in lower case: missing for some, or a class

_EDGE = "\u00ad\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"  # invisible
BLANK = "".join(filter(str.isspace, map(chr, range(0x3001)))) + _EDGE  # what does not count around a value
_INVISIBLE = re.compile(f"[{_EDGE}\u034f\u061c\u180e\u200c\u200d\u2061-\u2064\ufe00-\ufe0f]")
_MARKS = str.maketrans(dict.fromkeys("‘’‚‛′`´", "'") | dict.fromkeys("“”„‟″«»", '"') | {"−": "-"})  # noqa: RUF001
_WHOLE = re.compile(r"([+-]?[0-9]+)\.0+")
_NUMBER = re.compile(r"([+-]?)0*([0-9]+)(?:[.,]0+)?")
_BOOLEANS = frozenset({"True", "TRUE", "False", "FALSE"})  # as Python and spreadsheets write JSON's true and false


def bare(text: str) -> str:
    """The text in Unicode NFC, without blanks and invisible characters around it."""
    text = text.strip(BLANK)
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def label_value(value: str | None) -> str | None:
    """A label as `bare` text, "1.0" as "1", "True" and "TRUE" as "true"; None where it is missing."""
    text = bare(value or "")
    if text in MISSING:
        return None
    if text in _BOOLEANS:
        return text.lower()
    whole = _WHOLE.fullmatch(text)
    return whole.group(1) if whole else text


def value_of(value: str | None) -> str | None:
    """What stands in a cell, or None where that is nothing, or what tables write for a missing value."""
    return None if value is None or bare(value) in MISSING else value


def class_key(name: str) -> str:
    """Equal for names of one class: whatever their case, quotes, zeros, blanks and invisible characters."""
    text = unicodedata.normalize("NFKC", _INVISIBLE.sub("", name).translate(_MARKS))
    text = " ".join(unicodedata.normalize("NFKC", text.casefold()).split())
    while len(text) > 2 and text[0] == text[-1] and text[0] in "'\"":
        text = text[1:-1].strip()
    if number := _NUMBER.fullmatch(text):
        return f"{'-' if number[1] == '-' else ''}{number[2]}"
    return text or name


def shown(value: str) -> str:
    """The value in quotes, with escapes for what cannot be seen or looks like something else."""
    plain = value.isprintable() and value == bare(value) and not _INVISIBLE.search(value)
    return repr(value) if plain else ascii(value)
