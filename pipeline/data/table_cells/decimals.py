"""Numbers as tables write them: 4.5 and 4,5; 1,234.5, 1.234,5 and 1 234,5."""

import math
import re
from collections.abc import Iterable
from typing import Literal

from pipeline.data.table_cells.columns import Wanted
from pipeline.data.table_cells.spelling import bare, value_of

Mark = Literal[".", ","]
_MARKS: tuple[Mark, ...] = (".", ",")

_THIN = "'’ \u00a0\u202f"  # noqa: RUF001
_OTHERS = {".": f"[,{_THIN}]", ",": f"[.{_THIN}]"}
_GROUPED = {mark: re.compile(rf"[+-]?\d{{1,3}}(?:{_OTHERS[mark]}\d{{3}})+(?:\{mark}\d*)?") for mark in _MARKS}
_PLAIN = {mark: re.compile(rf"[+-]?(?:\d+(?:\{mark}\d*)?|\{mark}\d+)(?:[eE][+-]?\d+)?") for mark in _MARKS}


def decimal_mark(values: Iterable[str | None], ask: Wanted) -> Mark:
    """What stands before the decimals in these numbers: the point, unless only the comma puts them all on the scale.

    Where both do, as of 1,234 on a scale up to 5000, a comma stands between thousands unless a number begins with "0,".
    """
    there = [str(value) for value in values if value_of(value) is not None]
    if not any("," in value for value in there):
        return "."
    least, greatest = ask.scale
    fits = [mark for mark in _MARKS if all(least <= number_of(value, mark) <= greatest for value in there)]
    return "," if fits == [","] or (fits and any(bare(value).lstrip("+-").startswith("0,") for value in there)) else "."


def number_of(text: str | None, mark: Mark = ".") -> float:
    """The number that the text says with this decimal mark; NaN where it is none.

    Between groups of three digits there may be a separator.
    """
    text = bare(text or "")
    if _GROUPED[mark].fullmatch(text):
        text = re.sub(_OTHERS[mark], "", text)
    return float(text.replace(mark, ".")) if _PLAIN[mark].fullmatch(text) else math.nan
