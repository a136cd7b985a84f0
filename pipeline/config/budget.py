"""What a study may spend: an amount of time, of training computation, or of cells."""

import re
from dataclasses import dataclass
from typing import Literal

Unit = Literal["seconds", "FLOPs", "cells"]
FORMS = "30s, 10min, 2h, 40 cells or 2e15 FLOPs"

_UNITS: dict[str, tuple[Unit, float]] = {
    "s": ("seconds", 1.0),
    "min": ("seconds", 60.0),
    "h": ("seconds", 3600.0),
    "cell": ("cells", 1.0),
    "cells": ("cells", 1.0),
    "flops": ("FLOPs", 1.0),
}
_FORM = re.compile(r"\s*(?P<number>[-+]?\d+(?:\.\d*)?(?:[eE]\+?\d+)?)\s*(?P<unit>[A-Za-z]*)\s*")


@dataclass(frozen=True, kw_only=True)
class Budget:
    """`amount` of `unit`, and how the user wrote it."""

    amount: float
    unit: Unit
    text: str


def budget_of(text: str) -> Budget:
    """The budget that the user wrote.

    Raises:
        ValueError: what is wrong with it, as a sentence.
    """
    form = _FORM.fullmatch(text)
    if form is None:
        raise ValueError(f"must be an amount and its unit, such as {FORMS}, but got {text!r}.")
    if form["unit"].lower() not in _UNITS:
        wrong = f"the unit {form['unit']!r}" if form["unit"] else "no unit"
        raise ValueError(f"must have a unit, such as {FORMS}, but got {wrong} in {text!r}.")
    unit, factor = _UNITS[form["unit"].lower()]
    amount = factor * float(form["number"])
    if amount <= 0:
        raise ValueError(f"must be above 0, but got {text!r}.")
    return Budget(amount=amount, unit=unit, text=text.strip())
