"""Masks drawn four to a number: the same distribution as torch's own, and the same network without them."""

from pathlib import Path
from typing import Any

import pytest
import torch

from pipeline.models.build import build
from pipeline.models.checkpoints.locate import locate
from pipeline.models.speed.dropout import ATTENTION, Dropout, attention, keep_mask
from tests.models.tiny_bases import FAMILIES, LABELS, base_in, cell_for, save_tiny


def mask(p: float, items: int = 1_000_000, seed: int = 0) -> torch.Tensor:
    torch.manual_seed(seed)
    return keep_mask(torch.empty(items), p)


def built(folder: Path, family: str, **train: Any) -> Any:
    located = locate(base_in(save_tiny(folder, family)))
    return build(cell_for("pretrained", base_in(located.directory), **train), located, LABELS, seed=0).model


@pytest.mark.parametrize("p", [0.02, 0.1, 0.5, 0.9])
def test_a_share_of_p_is_dropped_and_the_mean_stays_one(p: float) -> None:
    drawn = mask(p)
    assert drawn.unique().numel() == 2
    error = (p * (1 - p) / drawn.numel()) ** 0.5
    assert abs(float((drawn == 0).float().mean()) - p) < 4 * error
    assert abs(float(drawn.mean()) - 1) < 4 * error / (1 - p)


@pytest.mark.parametrize("distance", [1, 2, 3, 4])
def test_what_is_dropped_says_nothing_of_its_neighbours(distance: int) -> None:
    dropped = (mask(0.3) == 0).float() - 0.3
    correlation = float((dropped[:-distance] * dropped[distance:]).mean()) / (0.3 * 0.7)
    assert abs(correlation) < 4 / len(dropped) ** 0.5


@pytest.mark.parametrize("items", [0, 1, 5, 8, 33])
def test_a_mask_has_the_shape_and_type_that_are_asked_for(items: int) -> None:
    like = torch.zeros((items, 3), dtype=torch.bfloat16)
    assert (keep_mask(like, 0.5).shape, keep_mask(like, 0.5).dtype) == (like.shape, like.dtype)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("p", [0.1, 0.5])
def test_a_mask_of_half_precision_is_that_of_single_precision_rounded(p: float, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    assert torch.equal(keep_mask(torch.empty(1000, dtype=dtype), p), mask(p, items=1000).to(dtype))


def test_the_seed_decides_the_mask() -> None:
    assert torch.equal(mask(0.5, seed=3), mask(0.5, seed=3))
    assert not torch.equal(mask(0.5, seed=3), mask(0.5, seed=4))


def test_nothing_is_dropped_in_evaluation_or_at_zero() -> None:
    values = torch.randn(100)
    assert torch.equal(Dropout(0.5).eval()(values), values)
    assert torch.equal(Dropout(0.0).train()(values), values)
    assert not torch.equal(Dropout(0.5).train()(values), values)


def test_gradients_pass_where_values_do() -> None:
    values = torch.ones(1000, requires_grad=True)
    kept = Dropout(0.5).train()(values)
    kept.sum().backward()
    assert values.grad is not None
    assert torch.equal(values.grad, kept.detach())


@pytest.mark.parametrize("padded", [False, True])
def test_attention_that_drops_nothing_equals_torchs_own(padded: bool) -> None:
    torch.manual_seed(0)
    query, key, value = torch.randn(3, 2, 4, 7, 8).unbind()
    allowed = torch.ones(2, 1, 7, 7, dtype=torch.bool)
    allowed[1, :, :, 5:] = not padded
    module = torch.nn.Module()
    module.is_causal = False
    nothing = 1e-9  # rounds to no dropout, and yet takes the way that is written out
    ours, _ = attention(module, query, key, value, allowed if padded else None, dropout=nothing)
    theirs = torch.nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=allowed)
    assert torch.allclose(ours, theirs.transpose(1, 2), atol=1e-6)


@pytest.mark.parametrize("dropout", [0.0, 1e-9])
def test_heads_that_share_their_keys_attend_as_torchs_own(dropout: float) -> None:
    torch.manual_seed(0)
    query, (key, value) = torch.randn(2, 6, 7, 8), torch.randn(2, 2, 2, 7, 8).unbind()
    back = torch.ones(7, 7, dtype=torch.bool).tril()[None, None]
    module = torch.nn.Module()
    module.is_causal, module.num_key_value_groups = True, 3
    ours, _ = attention(module, query, key, value, back, dropout=dropout)
    theirs = torch.nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=back, enable_gqa=True)
    assert torch.allclose(ours, theirs.transpose(1, 2), atol=1e-6)


def test_causal_attention_is_left_to_torch() -> None:
    torch.manual_seed(0)
    query, key, value = torch.randn(3, 1, 2, 5, 4).unbind()
    module = torch.nn.Module()
    module.is_causal = True
    first, _ = attention(module, query, key, value, None, dropout=1e-9)
    key[:, :, -1], value[:, :, -1] = 9.0, 9.0
    second, _ = attention(module, query, key, value, None, dropout=1e-9)
    assert torch.equal(first[:, :-1], second[:, :-1])


@pytest.mark.parametrize("family", FAMILIES)
def test_a_network_drops_in_training_and_answers_as_torchs_own_in_evaluation(family: str, tmp_path: Path) -> None:
    model = built(tmp_path, family, dropout=0.3)
    ids = torch.arange(5, 17).reshape(2, 6)
    torch.manual_seed(1)
    assert not torch.equal(model(input_ids=ids).logits, model(input_ids=ids).logits)
    evaluated = model.eval()(input_ids=ids).logits
    if model.config._attn_implementation == ATTENTION:
        model.set_attn_implementation("sdpa")
    torch.testing.assert_close(evaluated, model(input_ids=ids).logits)


def test_attention_of_a_bert_drops_too(tmp_path: Path) -> None:
    model = built(tmp_path, "bert", dropout=0.5)
    assert model.config._attn_implementation == ATTENTION
    for module in model.modules():
        if isinstance(module, Dropout) and module is not model.bert.encoder.layer[0].attention.self.dropout:
            module.p = 0.0
    ids = torch.arange(5, 17).reshape(2, 6)
    assert not torch.equal(model(input_ids=ids).logits, model(input_ids=ids).logits)
