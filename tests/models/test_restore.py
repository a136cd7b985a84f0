"""A trained cell's network comes back from its trained parameters alone."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from pipeline.errors import StorageError
from pipeline.models.build import build
from pipeline.models.checkpoints.locate import Located, locate
from pipeline.models.checkpoints.restore import restore
from tests.models.tiny_bases import ARMS, LABELS, base_in, cell_for, save_tiny, without

IDS = torch.tensor([[2, 6, 7, 8, 3], [2, 9, 3, 0, 0]])
MASK = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])


@pytest.fixture(scope="module", params=["whole", "no pooler"])
def base(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Located:
    directory = save_tiny(tmp_path_factory.mktemp("base"))
    return locate(base_in(without(directory, "pooler") if request.param == "no pooler" else directory))


@pytest.mark.parametrize("arm", ARMS)
def test_scores_are_those_of_the_network_that_was_stored(arm: str, base: Located, tmp_path: Path) -> None:
    cell = cell_for(arm, base_in(base.directory, pooling="auto" if arm == "frozen" else "head"))
    network = build(cell, base, LABELS, seed=9)
    model = network.model
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.add_(0.05 * torch.randn_like(parameter))
        before = model.eval()(input_ids=IDS, attention_mask=MASK).logits
        trained = {n: p.contiguous() for n, p in model.named_parameters() if p.requires_grad}
        save_file({**trained, **network.fixed_fresh}, tmp_path / "trained.safetensors")
        after = restore(cell, base, tmp_path, LABELS)(input_ids=IDS, attention_mask=MASK).logits
    assert torch.allclose(before, after, atol=1e-5)


def test_weights_without_a_pooler_that_the_base_lacks_are_refused(tmp_path: Path) -> None:
    found = locate(base_in(without(save_tiny(tmp_path), "pooler")))
    cell = cell_for("lora", base_in(found.directory, pooling="head"))
    model = build(cell, found, LABELS, seed=9).model
    save_file({n: p for n, p in model.named_parameters() if p.requires_grad}, tmp_path / "trained.safetensors")
    with pytest.raises(StorageError, match="does not hold the parameters of this cell"):
        restore(cell, found, tmp_path, LABELS)


def test_another_arms_parameters_are_refused(located: Located, tmp_path: Path) -> None:
    frozen = build(cell_for("frozen", base_in(located.directory)), located, LABELS, seed=9).model
    save_file({n: p for n, p in frozen.named_parameters() if p.requires_grad}, tmp_path / "trained.safetensors")
    with pytest.raises(StorageError, match="does not hold the parameters of this cell"):
        restore(cell_for("pretrained", base_in(located.directory)), located, tmp_path, LABELS)
