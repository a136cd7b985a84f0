"""Only the rows of the embedding that training reads take part in it, and the network comes out the same."""

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pipeline.models.build import build
from pipeline.models.checkpoints.locate import locate
from pipeline.models.speed.embedding_rows import ReadRows, only_rows_read
from tests.models.tiny_bases import FAMILIES, LABELS, base_in, cell_for, save_tiny

READ = np.array([0, 5, 7, 8, 11, 12, 20, 31])  # 0 pads
BATCHES = [torch.tensor([[5, 7, 8, 0], [11, 12, 5, 20]]), torch.tensor([[31, 7, 7], [20, 5, 8]])]
UNREAD = torch.tensor([[6, 9, 13, 25]])


@pytest.fixture(params=FAMILIES)
def model(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    located = locate(base_in(save_tiny(tmp_path, request.param)))
    return build(cell_for("pretrained", base_in(located.directory), dropout=0.0), located, LABELS, seed=0).model


def train(model: Any) -> None:
    """Six steps of AdamW, clipped."""
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-2, weight_decay=0.0)
    for ids in BATCHES * 3:
        logits = model(input_ids=ids, attention_mask=(ids != 0).long()).logits
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(logits, torch.tensor([0, 2])).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()


def trained(model: Any, *, split: bool) -> dict[str, torch.Tensor]:
    start = {k: v.clone() for k, v in model.state_dict().items()}
    with only_rows_read(model, READ) if split else contextlib.nullcontext():
        train(model)
    end = {k: v.clone() for k, v in model.state_dict().items()}
    model.load_state_dict(start)
    return end


def test_training_ends_with_the_same_weights_as_with_the_whole_embedding(model: Any) -> None:
    whole, part = trained(model, split=False), trained(model, split=True)
    assert whole.keys() == part.keys()
    for name, value in whole.items():
        assert torch.allclose(value, part[name], atol=1e-5), name


def test_rows_that_training_never_reads_stay_as_they_were_and_the_others_move(model: Any) -> None:
    before = model.get_input_embeddings().weight.detach().clone()
    with only_rows_read(model, READ):
        train(model)
    moved = (model.get_input_embeddings().weight != before).any(dim=1).nonzero().flatten().tolist()
    assert set(moved) <= set(READ.tolist())
    assert len(moved) >= len(READ) - 1  # all, or all but the one that pads


def test_evaluation_in_mid_training_serves_every_token(model: Any) -> None:
    with only_rows_read(model, READ):
        train(model)
        model.eval()
        within = model(input_ids=UNREAD).logits, model(input_ids=BATCHES[0]).logits
    assert torch.equal(within[0], model(input_ids=UNREAD).logits)
    assert torch.equal(within[1], model(input_ids=BATCHES[0]).logits)


def test_a_token_that_was_not_announced_cannot_be_trained_on(model: Any) -> None:
    with only_rows_read(model, READ), pytest.raises(IndexError):
        model(input_ids=UNREAD)


def test_the_network_is_whole_again_after_a_failure(model: Any) -> None:
    whole = model.get_input_embeddings()
    with contextlib.suppress(IndexError), only_rows_read(model, READ):
        assert isinstance(model.get_input_embeddings(), ReadRows)
        model(input_ids=UNREAD)
    assert model.get_input_embeddings() is whole


def test_an_embedding_that_is_not_trained_or_is_shared_is_left_alone(model: Any) -> None:
    whole = model.get_input_embeddings()
    model.decoder = torch.nn.Linear(1, 1)
    model.decoder.weight = whole.weight
    with only_rows_read(model, READ):
        assert model.get_input_embeddings() is whole
    del model.decoder
    whole.requires_grad_(False)
    with only_rows_read(model, READ):
        assert model.get_input_embeddings() is whole
