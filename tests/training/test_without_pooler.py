"""A base without a pooler under a head that reads one: each finished cell comes back as it was measured."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.commands.steps.trained import Trained
from pipeline.models.checkpoints.locate import locate
from pipeline.storage.results import ResultStore
from pipeline.training.loop.finish import finish, save
from pipeline.training.setup.inputs import TokenInputs
from tests.models.tiny_bases import without
from tests.training.cell_kit import small, trained


@pytest.fixture(scope="module")
def base(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    copied = shutil.copytree(tiny_base, tmp_path_factory.mktemp("bases") / "no_pooler")
    return without(Path(copied), "pooler")


@pytest.mark.parametrize("arm", ["pretrained", "scratch", "lora"])
def test_the_losses_of_the_restored_network_are_the_cells_own(
    arm: str, base: Path, reviews: Path, tmp_path: Path
) -> None:
    overrides = [*small(base, reviews, tmp_path), f"arm={arm}", "train.keep=all", "base.pooling=head"]
    finish(trained([*overrides, "train.seed=0"]))  # whose features, of another fresh pooler, are not the next one's
    fitted = trained([*overrides, "train.seed=1"])
    result, scores = finish(fitted)
    store = ResultStore(tmp_path)
    save(store, fitted, result, scores)
    weights = store.weights(result.cell_id)
    assert weights is not None
    cell = fitted.job.cell
    restored = Trained(cell=cell, result=result, located=locate(cell.base), weights=weights).network()
    tests = TokenInputs(fitted.prepared.sets["test"], fitted.task, fitted.job.vocabulary)
    batch = tests.collate(np.arange(len(tests)))
    with torch.no_grad():
        losses = fitted.task.losses(fitted.task.forward(restored, batch), batch)
    assert np.allclose(losses.numpy(), scores["loss"][scores["dataset"] == 1], rtol=5e-4, atol=1e-5)
