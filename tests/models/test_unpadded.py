"""A batch is computed without its padding, and nothing that is learned or answered changes."""

from typing import Any

import pytest
import torch
from compared import assert_same_answers_and_gradients
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
)

from pipeline.models.speed.dropout import quicken
from pipeline.models.speed.first_position import narrow
from pipeline.models.speed.gradient_checkpointing import checkpoint_gradients
from pipeline.models.speed.packing import Packing
from pipeline.models.speed.padding_free import pack

SIZES = {
    "vocab_size": 50, "hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 64,
    "max_position_embeddings": 64, "num_labels": 3, "pad_token_id": 1, "attention_probs_dropout_prob": 0.0,
}  # fmt: skip
FAMILIES = ["bert", "roberta", "xlm-roberta", "camembert", "electra"]
LENGTHS = (40, 7, 21, 3, 33, 12)


def pair(kind: str, dropout: float = 0.0) -> tuple[Any, Any]:
    """The same network twice, the second packed."""
    config = AutoConfig.for_model(kind, **SIZES, hidden_dropout_prob=dropout)
    return twice(AutoModelForSequenceClassification, config, narrowed=True)


def twice(auto: Any, config: Any, *, narrowed: bool = False) -> tuple[Any, Any]:
    """The network of `config` twice, the second packed."""
    models = []
    for _ in range(2):
        torch.manual_seed(3)
        models.append(auto.from_config(config).train())
    assert quicken(models[1])
    assert narrow(models[1]) == narrowed
    assert pack(models[1], narrowed=narrowed)
    return models[0], models[1]


def language_pair(kind: str) -> tuple[Any, Any]:
    """The same language model twice, the second packed. The decoder has fewer heads for keys than for queries."""
    auto, more = (AutoModelForCausalLM, {"num_key_value_heads": 2}) if kind == "llama" else (AutoModelForMaskedLM, {})
    config = AutoConfig.for_model(kind, **SIZES, hidden_dropout_prob=0.0, **more)
    return twice(auto, config)


def batch(*, left: bool = False) -> dict[str, torch.Tensor]:
    """Texts of LENGTHS, padded on one side."""
    ids = torch.randint(2, 50, (len(LENGTHS), max(LENGTHS)), generator=torch.Generator().manual_seed(0))
    mask = (torch.arange(max(LENGTHS)) < torch.tensor(LENGTHS)[:, None]).long()
    mask = mask.flip(1) if left else mask
    return {"input_ids": ids.masked_fill(mask == 0, 1), "attention_mask": mask}


def positions_computed(model: Any, given: dict[str, torch.Tensor]) -> list[int]:
    """What the feed-forward parts of the layers were given: positions in all."""
    seen: list[int] = []
    hooks = [
        layer.intermediate.register_forward_pre_hook(lambda _, states: seen.append(states[0].shape[:2].numel()))
        for layer in getattr(model, model.base_model_prefix).encoder.layer
    ]
    model(**given)
    for hook in hooks:
        hook.remove()
    return seen


@pytest.mark.parametrize("kind", FAMILIES)
def test_answers_and_gradients_are_those_of_the_padded_network(kind: str) -> None:
    assert_same_answers_and_gradients(*pair(kind), batch)


def test_a_decoder_that_classifies_is_packed_too() -> None:
    config = AutoConfig.for_model("llama", **SIZES, num_key_value_heads=2)
    models = twice(AutoModelForSequenceClassification, config)
    assert_same_answers_and_gradients(*models, lambda: batch() | {"use_cache": False})


@pytest.mark.parametrize("kind", FAMILIES)
def test_answers_in_evaluation_are_those_of_the_padded_network(kind: str) -> None:
    padded, packed = (model.eval() for model in pair(kind))
    torch.testing.assert_close(packed(**batch()).logits, padded(**batch()).logits, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", FAMILIES)
def test_padding_is_computed_up_to_a_multiple_of_16_tokens_only(kind: str) -> None:
    _, packed = pair(kind)
    assert sum(LENGTHS) == 116
    assert positions_computed(packed, batch()) == [128, 128, len(LENGTHS)]  # the last layer goes on with the first


@pytest.mark.parametrize("kind", [*FAMILIES, "llama"])
def test_language_models_tell_and_learn_of_packed_tokens_what_they_do_of_padded_ones(kind: str) -> None:
    def of_tokens(logits: torch.Tensor) -> torch.Tensor:
        return logits[batch()["attention_mask"].bool()]

    more = {"use_cache": False} if kind == "llama" else {}
    assert_same_answers_and_gradients(*language_pair(kind), lambda: batch() | more, read=of_tokens)


@pytest.mark.parametrize("kind", FAMILIES)
def test_token_classifiers_predict_and_learn_of_packed_tokens_what_they_do_of_padded_ones(kind: str) -> None:
    config = AutoConfig.for_model(kind, **SIZES, hidden_dropout_prob=0.0, classifier_dropout=0.0)
    models = twice(AutoModelForTokenClassification, config)
    assert_same_answers_and_gradients(*models, batch, read=lambda logits: logits[batch()["attention_mask"].bool()])


@pytest.mark.parametrize("kind", [*FAMILIES, "llama"])
def test_what_a_language_model_computes_twice_is_packed_both_times(kind: str) -> None:
    plain, packed = language_pair(kind)
    checkpoint_gradients(packed)
    more = {"use_cache": False} if kind == "llama" else {}
    assert_same_answers_and_gradients(
        plain, packed, lambda: batch() | more, read=lambda logits: logits[batch()["attention_mask"].bool()]
    )


def test_a_decoder_that_keeps_what_it_read_stays_as_it_is() -> None:
    padded, packed = language_pair("llama")
    first, second = (model(**batch(), use_cache=True) for model in (padded, packed))
    torch.testing.assert_close(second.logits, first.logits, rtol=1e-4, atol=1e-6)
    assert second.past_key_values.get_seq_length() == max(LENGTHS)


def test_of_a_decoder_padding_is_computed_up_to_a_multiple_of_16_tokens_only() -> None:
    _, packed = language_pair("llama")
    seen: list[int] = []
    for layer in packed.model.layers:
        layer.mlp.register_forward_pre_hook(lambda _, states: seen.append(states[0].shape[:2].numel()))
    packed(**batch(), use_cache=False)
    assert seen == [128] * 3


def test_a_packed_step_has_fewer_products() -> None:
    counts = []
    for model in pair("bert"):
        with FlopCounterMode(display=False) as counter:
            model(**batch()).logits.sum().backward()
        counts.append(counter.get_total_flops())
    assert counts[1] < 0.6 * counts[0]


def test_what_stands_at_padding_reaches_neither_answers_nor_gradients() -> None:
    _, packed = pair("bert")
    results = []
    for token in (1, 17):
        given = batch()
        given["input_ids"] = given["input_ids"].masked_fill(given["attention_mask"] == 0, token)
        packed.zero_grad()
        logits = packed(**given).logits
        logits.square().sum().backward()
        results.append((logits.detach(), packed.bert.encoder.layer[0].attention.self.key.weight.grad.clone()))
    torch.testing.assert_close(results[1], results[0])


def test_dropout_falls_on_packed_tokens() -> None:
    _, packed = pair("bert", dropout=0.4)
    torch.manual_seed(0)
    assert not torch.equal(packed(**batch()).logits, packed(**batch()).logits)


@pytest.mark.parametrize("given", [batch(left=True), {"input_ids": batch()["input_ids"]}], ids=["left", "no mask"])
def test_rows_that_are_full_or_padded_on_the_left_stay_as_they_are(given: dict[str, torch.Tensor]) -> None:
    padded, packed = pair("bert")
    torch.testing.assert_close(packed(**given).logits, padded(**given).logits, rtol=1e-4, atol=1e-6)
    assert positions_computed(packed, given)[0] == len(LENGTHS) * max(LENGTHS)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.integers(1, 3))
def test_rows_hold_each_token_at_its_place_and_give_it_back(lengths: list[int], heads: int) -> None:
    mask = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
    packing = Packing(mask)
    packed = torch.arange(sum(lengths) * heads * 2.0).view(1, sum(lengths), heads, 2)
    rows = packing.rows(packed.transpose(1, 2))
    assert torch.equal(rows.transpose(1, 2)[mask], packed[0])
    assert torch.equal(packing.packed(rows), packed)
    assert torch.equal(packing.restored(packing.taken(rows[:, 0]))[mask], rows[:, 0][mask])
    starts = torch.tensor([0, *lengths[:-1]]).cumsum(0)
    assert torch.equal(packing.first(packed.flatten(2))[:, 0], packed.flatten(2)[0, starts])
