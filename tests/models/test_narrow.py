"""The last layer goes on with the first position alone, and nothing that is learned or answered changes."""

import copy
from typing import Any

import pytest
import torch
from compared import assert_same_answers_and_gradients
from torch.utils.flop_counter import FlopCounterMode
from transformers import AutoConfig, AutoModelForSequenceClassification

from pipeline.models.speed.first_position import narrow

SIZES = {
    "vocab_size": 50, "hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 64,
    "max_position_embeddings": 40, "num_labels": 3, "pad_token_id": 1, "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
}  # fmt: skip
RELATIVE = {"relative_attention": True, "pos_att_type": ["p2c", "c2p"], "position_buckets": 8, "pooler_dropout": 0.0}
READ_FIRST = ["bert", "roberta", "xlm-roberta", "camembert", "electra", "deberta-v2"]
OTHERS = ["distilbert", "mpnet"]


def pair(kind: str) -> tuple[Any, Any]:
    """The same network twice, the second narrowed."""
    more = RELATIVE | {"pooler_hidden_size": 32} if kind == "deberta-v2" else {}
    config = AutoConfig.for_model(kind, **SIZES, **more)
    models = []
    for _ in range(2):
        torch.manual_seed(3)
        models.append(AutoModelForSequenceClassification.from_config(config).train())
    narrow(models[1])
    return models[0], models[1]


def batch() -> dict[str, torch.Tensor]:
    """Four texts, two of them padded."""
    ids = torch.randint(2, 50, (4, 12), generator=torch.Generator().manual_seed(0))
    mask = torch.ones_like(ids)
    mask[1, 7:], mask[3, 4:] = 0, 0
    return {"input_ids": ids.masked_fill(mask == 0, 1), "attention_mask": mask}


@pytest.mark.parametrize("kind", READ_FIRST)
def test_answers_and_gradients_are_those_of_the_whole_network(kind: str) -> None:
    assert_same_answers_and_gradients(*pair(kind), batch)


@pytest.mark.parametrize("kind", READ_FIRST)
def test_it_computes_less(kind: str) -> None:
    counts = []
    for model in pair(kind):
        with FlopCounterMode(display=False) as counter:
            model(**batch())
        counts.append(counter.get_total_flops())
    assert counts[1] < 0.9 * counts[0]


@pytest.mark.parametrize("kind", OTHERS)
def test_other_networks_stay_as_they_are(kind: str) -> None:
    whole, narrowed = pair(kind)
    base = getattr(narrowed.eval(), narrowed.base_model_prefix)
    assert base(**batch()).last_hidden_state.shape[1] == 12
    assert torch.equal(narrowed(**batch()).logits, whole.eval()(**batch()).logits)


def test_a_copy_computes_with_its_own_weights() -> None:
    _, narrowed = pair("bert")
    copied = copy.deepcopy(narrowed)
    before = copied(**batch()).logits
    with torch.no_grad():
        for parameter in narrowed.parameters():
            parameter.zero_()
    assert torch.equal(copied(**batch()).logits, before)


def test_an_encoder_whose_positions_see_only_what_is_before_them_keeps_its_answers() -> None:
    config = AutoConfig.for_model("bert", **SIZES, is_decoder=True)
    torch.manual_seed(3)
    model = AutoModelForSequenceClassification.from_config(config).eval()
    whole = model(**batch(), use_cache=False).logits
    narrow(model)
    torch.testing.assert_close(model(**batch(), use_cache=False).logits, whole)
