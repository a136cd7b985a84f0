"""Bootstrap draws of a test set too large to be kept in memory: the same numbers, in little room."""

import tracemalloc
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from pipeline.analysis.bootstrap import item_weight_blocks, item_weights
from pipeline.study.finding import estimates
from pipeline.study.finding.estimates import Replicates
from pipeline.study.finding.table import Table

ITEMS = 20_000


def replicates(*, is_mean: bool) -> Replicates:
    rows = np.random.default_rng(3).random((2, ITEMS)).astype(np.float32)
    table = SimpleNamespace(
        sets={"test": SimpleNamespace(items=ITEMS, groups=None)},
        is_mean=is_mean,
        seeds=lambda group: (0, 1),
        rows=lambda arm, size, dataset, seeds: rows,
        drawn=lambda rows, weights, of: (weights @ (rows**2).T).astype(np.float64),
    )
    return Replicates(cast(Table, cast(Any, table)))


@pytest.mark.parametrize("is_mean", [True, False])
def test_a_large_set_is_drawn_from_in_blocks_with_the_same_result(
    monkeypatch: pytest.MonkeyPatch, is_mean: bool
) -> None:
    monkeypatch.setattr(estimates, "REPLICATES", 200)
    whole = replicates(is_mean=is_mean).per_seed("a", 1, "test")
    monkeypatch.setattr(estimates, "KEPT_BYTES", 2 << 20)
    tracemalloc.start()
    parts = replicates(is_mean=is_mean).per_seed("a", 1, "test")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert parts == pytest.approx(whole, rel=1e-5)
    assert peak < 4 * 200 * ITEMS / 2, "far from all draws at once"


def test_blocks_are_the_rows_of_all_draws() -> None:
    blocks = list(item_weight_blocks(50, 7, np.random.default_rng(1), most=50 * 4 * 3))
    assert [len(block) for block in blocks] == [3, 3, 1]
    assert np.array_equal(np.concatenate(blocks), item_weights(50, 7, np.random.default_rng(1)))
