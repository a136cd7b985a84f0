"""A trained cell's network comes back from its trained parameters alone."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from pipeline.errors import StorageError
from pipeline.models.build import build
from pipeline.models.locate import Located
from pipeline.models.restore import restore
from tests.models.tiny_bases import ARMS, LABELS, base_in, cell_for

IDS = torch.tensor([[2, 6, 7, 8, 3], [2, 9, 3, 0, 0]])
MASK = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])


@pytest.mark.parametrize("arm", ARMS)
def test_scores_are_those_of_the_network_that_was_stored(arm: str, located: Located, tmp_path: Path) -> None:
    cell = cell_for(arm, base_in(located.directory))
    model = build(cell, located, LABELS, seed=9).model
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.add_(0.05 * torch.randn_like(parameter))
        before = model.eval()(input_ids=IDS, attention_mask=MASK).logits
        trained = {n: p.contiguous() for n, p in model.named_parameters() if p.requires_grad}
        save_file(trained, tmp_path / "trained.safetensors")
        after = restore(cell, located, tmp_path, LABELS)(input_ids=IDS, attention_mask=MASK).logits
    assert torch.allclose(before, after, atol=1e-5)


def test_another_arms_parameters_are_refused(located: Located, tmp_path: Path) -> None:
    frozen = build(cell_for("frozen", base_in(located.directory)), located, LABELS, seed=9).model
    save_file({n: p for n, p in frozen.named_parameters() if p.requires_grad}, tmp_path / "trained.safetensors")
    with pytest.raises(StorageError, match="does not hold the parameters of this cell"):
        restore(cell_for("pretrained", base_in(located.directory)), located, tmp_path, LABELS)
