"""What `make bench` compares with is a setting that the machine is fit for."""

import pytest

from pipeline.hardware import machine
from tests.bench.peer import best_setting, grid


@pytest.mark.parametrize("has", [True, False])
def test_bf16_is_searched_and_chosen_only_where_the_processor_has_it(
    has: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "cpu_has_bf16", lambda: has)
    assert {setting.bf16 for setting in grid(2)} == {False, has}
    assert best_setting(2).bf16 is has
