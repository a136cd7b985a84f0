"""What a study may spend, as users write it."""

import pytest

from pipeline.config.budget import budget_of
from pipeline.config.compose import compose
from pipeline.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "unit", "amount"),
    [
        ("30s", "seconds", 30),
        ("10min", "seconds", 600),
        ("1.5 h", "seconds", 5400),
        ("40 cells", "cells", 40),
        ("1 cell", "cells", 1),
        ("2e15 FLOPs", "FLOPs", 2e15),
        ("3E+14flops", "FLOPs", 3e14),
    ],
)
def test_time_cells_and_computation_are_read(text: str, unit: str, amount: float) -> None:
    found = budget_of(text)
    assert (found.unit, found.amount) == (unit, amount)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0min", "must be above 0, but got '0min'"),
        ("-5min", "must be above 0, but got '-5min'"),
        ("10", "must have a unit, such as 30s, 10min, 2h, 40 cells or 2e15 FLOPs, but got no unit in '10'"),
        ("10 days", "but got the unit 'days' in '10 days'"),
        ("soon", "must be an amount and its unit"),
        ("", "must be an amount and its unit"),
    ],
)
def test_what_is_no_budget_is_refused_with_the_forms_there_are(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=r"study\.budget") as refused:
        compose(["experiments=quickstart", f"study.budget:={text}"])
    assert said in str(refused.value)
