"""Amounts of disk, as people write them."""

import re

_UNITS = {"kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}
_FORM = re.compile(r"\s*(?P<number>\d+(?:\.\d*)?)\s*(?P<unit>[A-Za-z]*)\s*")


def bytes_of(text: str) -> int:
    """The bytes that the user wrote: 500MB, 5GB, 1.5 TB.

    Raises:
        ValueError: what is wrong with it, as a sentence.
    """
    form = _FORM.fullmatch(text)
    if form is None or form["unit"].lower() not in _UNITS:
        raise ValueError(f"must be an amount of disk with its unit, such as 500MB or 5GB, but got {text!r}.")
    return int(float(form["number"]) * _UNITS[form["unit"].lower()])
