"""Each kind of task on a GPU: `python -m pytest tests/gpu`. Without one they are skipped."""

from pathlib import Path

import numpy as np
import pytest
import torch
from cell_kit import small, trained

from pipeline.tasks import KINDS
from pipeline.training.loop.finish import finish
from tests.tiny_kinds import OF_DECODERS, settings, table, tiny_decoder

__all__ = ["table", "tiny_decoder"]

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")

TIED = ("causal_language_modelling", "frozen")  # has nothing to train
CELLS = [(kind, arm) for kind in KINDS for arm in ("pretrained", "frozen", "lora") if (kind, arm) != TIED]


@pytest.mark.parametrize(("kind", "arm"), CELLS)
def test_it_is_trained_and_tested_as_on_the_processor(
    tiny_base: Path, tiny_decoder: Path, table: Path, tmp_path: Path, kind: str, arm: str
) -> None:
    base = tiny_decoder if kind in OF_DECODERS else tiny_base
    exact = [*small(base, table, tmp_path), *settings(kind), f"arm={arm}", "train.dropout=0", "train.lr=1e-3"]
    exact += ["train.eval_every=64", "train.checkpoint_every=never"]
    gpu, processor = (
        trained([*exact, f"hardware={where}", f"paths.root={tmp_path / where}"]) for where in ("gpu", "cpu")
    )
    assert gpu.job.cell_id == processor.job.cell_id
    one, two = gpu.trajectory.points, processor.trajectory.points
    np.testing.assert_allclose([p.train_loss for p in one[1:]], [p.train_loss for p in two[1:]], rtol=2e-3)
    (_, scores), (_, expected) = finish(gpu), finish(processor)
    np.testing.assert_allclose(scores["loss"], expected["loss"], rtol=2e-2, atol=1e-3)
