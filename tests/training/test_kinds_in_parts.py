"""A batch of any kind of task can be computed in parts."""

from pathlib import Path

import numpy as np
import pytest
from cell_kit import small, trained

from pipeline.tasks import KINDS
from tests.tiny_kinds import OF_DECODERS, settings, table, tiny_decoder

__all__ = ["table", "tiny_decoder"]


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"classification"}))  # which has tests of its own
def test_micro_batches_have_the_loss_curve_of_whole_ones(
    tiny_base: Path, tiny_decoder: Path, table: Path, tmp_path: Path, kind: str
) -> None:
    base = tiny_decoder if kind in OF_DECODERS else tiny_base
    plain = [*small(base, table, tmp_path), *settings(kind), "train.dropout=0", "train.eval_every=1000"]
    whole, apart = (trained([*plain, *more]).trajectory.points for more in ((), ("hardware.micro_batch=5",)))
    np.testing.assert_allclose([p.train_loss for p in apart[1:]], [p.train_loss for p in whole[1:]], rtol=1e-4)
    assert whole[1].train_loss is not None
