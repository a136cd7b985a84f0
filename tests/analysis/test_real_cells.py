"""The comparison of an arm with itself, on cells whose scores are drawn."""

import numpy as np
import pytest

from tests.analysis.real_cells import Bank, predicted_too_small, rates, regrouped
from tests.study.synthetic_cells import loader, synthetic_cells


def bank(sd: float = 0.02, items: int = 150) -> Bank:
    cells = synthetic_cells(("frozen",), (50, 200), range(24), items, np.random.default_rng(4), seed_sd=sd)
    return Bank(arm="frozen", task="drawn", cells=tuple(result for result, _ in cells), store=loader(cells))


def test_the_groups_are_disjoint_and_every_size_is_regrouped_alike() -> None:
    found = regrouped(bank(), np.random.default_rng(0))
    assert {v.size for v in found.verdicts} == {50, 200}
    assert len(set(found.cells.values())) == len(found.cells) == 2 * 2 * 5
    seeds = {
        size: [name.split("-")[-1] for label, name in found.cells.items() if f"n={size} " in label]
        for size in (50, 200)
    }
    assert seeds[50] == seeds[200]


def test_an_arm_does_not_differ_from_itself_more_often_than_stated() -> None:
    for found in rates(bank(), 100).values():
        assert found.excludes_95 <= 0.15
        assert found.excludes_90 <= 0.22
        assert found.supported + found.opposite <= 0.05


@pytest.mark.parametrize(("sd", "least", "most"), [(0.0, 0.1, 1.0), (0.2, 0.0, 0.05)])
def test_seeds_that_vary_little_show_that_nothing_is_there(sd: float, least: float, most: float) -> None:
    drawn = bank(sd, items=1200)
    found = rates(drawn, 60)[50]
    assert least <= found.too_small <= most
    assert predicted_too_small(drawn.table(50), repetitions=20_000) == pytest.approx(found.too_small, abs=0.25)
