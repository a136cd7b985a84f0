"""Lists as other programs spell them in one cell of a table.

Python, pandas and JSON: "['price', 'taste']". numpy: "['price' 'taste']", "array(['price'], dtype=object)", "[1 0 1]".
PostgreSQL: "{price,taste}".
"""

import ast
import contextlib
import json
import re
from collections.abc import Sequence

_QUOTED = r"'(?:[^'\\]|\\.)*+'|\"(?:[^\"\\]|\\.)*+\""
_ITEM = re.compile(rf"\s*+({_QUOTED}|[^\s,;'\"\[\](){{}}][^,;\[\](){{}}\"]*|)\s*([,;]|\s|$)")
_ARRAY = re.compile(r"(?:np\.|numpy\.)?array\((\[.*\])(?:,\s*dtype=[^)]*)?\)", re.DOTALL)
_OPEN = {"[": "]", "(": ")", "{": "}"}


def spelt_members(text: str) -> list[str] | None:
    """The members of a list that is spelt out; None where the text is none."""
    if array := _ARRAY.fullmatch(text):
        text = array[1]
    if len(text) < 2 or _OPEN.get(text[0]) != text[-1]:
        return None
    inner, items, at, separators = text[1:-1].strip(), list[str](), 0, set[str]()
    while at < len(inner):
        item = _ITEM.match(inner, at)
        if item is None or item.end() == at:
            return None
        at = item.end()
        items.append(item[1])
        separators.add(item[2].strip())
    return _members(items, "," in separators or ";" in separators)


def _members(items: Sequence[str], by_commas: bool) -> list[str]:
    """Of items without commas between them each word is a member if it is a number; else one is all of them."""
    members: list[str] = []
    for item in items:
        if item[:1] in ("'", '"') and item[:1] == item[-1:] and len(item) > 1:
            members.append(_unquoted(item))
        elif not by_commas and re.fullmatch(r"[\d.\s+-]+|(?:(?:True|False)\s*)+", item):
            members += [word.removesuffix(".") for word in item.split()]
        elif item.strip() and item.strip() != "None":
            members.append(item.strip())
    return members


def _unquoted(item: str) -> str:
    """What stands between quotes, as JSON or Python escapes it."""
    for read in (json.loads, ast.literal_eval):
        with contextlib.suppress(ValueError, SyntaxError):
            return str(read(item))
    return item[1:-1]
