"""Times as tables write them: ISO 8601, years, and seconds or parts of them since 1970."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pipeline.data.table_cells.columns import Wanted
from pipeline.data.table_cells.spelling import bare, value_of
from pipeline.errors import DataError

_COUNTED = re.compile(r"(\d{9,19})(?:\.\d+)?")  # since 1970
_ZEROS = re.compile(r"\.0+$")  # behind whole numbers, in columns that lack some
_UNITS = {10: 1.0, 13: 1e-3, 16: 1e-6, 19: 1e-9}  # seconds, by the most digits of a number from 1973 to 2286
_YEAR = 365.2425 * 86_400  # seconds of one, on average


def time_column(column: Any) -> Any:
    """A column of texts as years since 1970, float64; null where nothing stands there or no time does."""
    import pyarrow as pa

    chunks = []
    for chunk in column.chunks:
        encoded = chunk.dictionary_encode()
        years = _years([value_of(text) for text in encoded.dictionary.to_pylist()])
        chunks.append(pa.array(years, pa.float64(), from_pandas=True).take(encoded.indices))
    return pa.chunked_array(chunks, pa.float64())


def check_times(kept: Mapping[str, Any], read: Mapping[str, Any], ask: Wanted) -> None:
    """Refuse a column of times in which something else stands.

    Args:
        kept: the rows in use, by set.
        read: the same with rows that are left out, whose numbers people can find.

    Raises:
        DataError: the value and its row are named.
    """
    import pyarrow.compute as pc

    for role, rows in kept.items() if ask.time else ():
        different = [text for text in rows.column(ask.time).unique().to_pylist() if value_of(text) is not None]
        wrong = [text for text, at in zip(different, _years(different), strict=True) if np.isnan(at)]
        if wrong:
            row = pc.index(read[role].column(ask.time), wrong[0]).as_py() + 1
            raise DataError(
                f"{ask.field}.time must be a column of times, but row {row:,} of {role} (below the heading) has "
                f"{wrong[0][:60]!r} in column {ask.time!r}{_more(len(wrong) - 1)}. A time is a date or a timestamp as "
                "in ISO 8601 (2024-05-31, 2024-05, 2024-05-31T10:00:00Z), a year, or seconds, milliseconds, "
                "microseconds or nanoseconds since 1970. Name another column, or leave such rows out with "
                f"{ask.field}.where."
            )


def _more(count: int) -> str:
    return f", and {count:,} more values are none" if count else ""


def _years(texts: Sequence[str | None]) -> np.ndarray:
    """Years since 1970 of 365.2425 days each, float64 [N]; NaN where a text is no time or missing."""
    import pandas as pd

    plain = [_ZEROS.sub("", bare(text or "")) for text in texts]
    counted = [_counted(text) for text in plain]
    dates = pd.to_datetime(pd.Series(plain, dtype="str"), format="ISO8601", utc=True, errors="coerce")
    seconds = (dates - pd.Timestamp(0, tz="UTC")).dt.total_seconds().to_numpy(dtype=np.float64)
    return np.where(np.isnan(counted), seconds, counted) / _YEAR


def _counted(text: str) -> float:
    """Seconds since 1970, of a number that counts them or parts of them; else NaN."""
    number = _COUNTED.fullmatch(text)
    unit = next((one for digits, one in _UNITS.items() if number and digits - 1 <= len(number[1]) <= digits), None)
    return float(text) * unit if unit else float("nan")
