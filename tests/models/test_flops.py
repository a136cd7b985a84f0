"""FLOPs against a count by hand: a product of m x k with k x n takes 2 m n k."""

import functools
from typing import Any

import pytest

from pipeline.config.cell import Cell
from pipeline.errors import BaseModelError
from pipeline.models.build import configuration
from pipeline.models.checkpoints.locate import Located
from pipeline.models.flops import Flops, count
from tests.models.tiny_architectures import tiny_architecture
from tests.models.tiny_bases import ARMS, INNER, LABELS, LAYERS, WIDTH, base_in, cell_for

CLASSES = len(LABELS)
LENGTHS = (1, 7, 24, 64)


@functools.cache
def counted(arm: str, located: Located) -> Flops:
    cell: Cell = cell_for(arm, base_in(located.directory))
    config: Any = configuration(cell, located, LABELS)
    return count(cell, config)


def attention_by_hand(asking: int, length: int) -> int:
    projections = 2 * asking * WIDTH * WIDTH + 2 * 2 * length * WIDTH * WIDTH  # query; key and value
    return projections + 2 * 2 * asking * length * WIDTH  # scores and weighted values, all heads together


def after_attention_by_hand(positions: int) -> int:
    return 2 * positions * WIDTH * WIDTH + 2 * 2 * positions * WIDTH * INNER


def head_by_hand() -> int:
    return 2 * WIDTH * WIDTH + 2 * WIDTH * CLASSES  # pooler and classifier, on the first position alone


def layer_by_hand(asking: int, length: int) -> int:
    return attention_by_hand(asking, length) + after_attention_by_hand(asking)


def forward_by_hand(length: int) -> int:
    """In the last layer the first position alone asks, and goes on."""
    return (LAYERS - 1) * layer_by_hand(length, length) + layer_by_hand(1, length) + head_by_hand()


@pytest.mark.parametrize("length", LENGTHS)
def test_a_forward_pass_costs_what_its_products_cost(length: int, located: Located) -> None:
    assert counted("pretrained", located).inference(1, length) == forward_by_hand(length)


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("arm", ["pretrained", "scratch"])
def test_a_backward_pass_through_all_costs_twice_the_forward_pass(arm: str, length: int, located: Located) -> None:
    assert counted(arm, located).training(1, length) == 3 * forward_by_hand(length)


@pytest.mark.parametrize("length", LENGTHS)
def test_a_frozen_base_has_no_backward_pass(length: int, located: Located) -> None:
    classifier_gradient = 2 * WIDTH * CLASSES
    assert counted("frozen", located).training(1, length) == forward_by_hand(length) + classifier_gradient


@pytest.mark.parametrize("length", LENGTHS)
def test_adapters_add_two_thin_products_to_query_and_value_of_each_layer(length: int, located: Located) -> None:
    rank = ARMS["lora"].lora.rank
    queries, values = (LAYERS - 1) * length + 1, LAYERS * length
    thin = 2 * 2 * (queries + values) * WIDTH * rank
    assert counted("lora", located).inference(1, length) == forward_by_hand(length) + thin


def test_adapters_are_cheaper_to_train_than_everything_and_dearer_than_the_head(located: Located) -> None:
    head, adapters, everything = (counted(a, located).training(1, 32) for a in ("frozen", "lora", "pretrained"))
    assert head < adapters < everything


def test_examples_add_up_and_longer_ones_cost_more(located: Located) -> None:
    flops = counted("pretrained", located)
    assert flops.training(5, 24) == 5 * flops.training(1, 24)
    assert flops.inference(3, 64) > flops.inference(3, 24)


def of_architecture(located: Located, model_type: str, **settings: object) -> Flops:
    config = tiny_architecture(model_type)
    for name, value in settings.items():
        setattr(config, name, value)
    return count(cell_for("pretrained", base_in(located.directory)), config)


def test_experts_that_are_chosen_by_value_are_counted_as_often_as_they_are_used(located: Located) -> None:
    width, inner, experts, chosen, layers = 32, 64, 4, 2, 2
    each = 4 * 2 * width * width + 2 * width * experts + chosen * 3 * 2 * width * inner
    expected = (0, layers * each + 2 * width * 3, layers * 2 * 2 * width)
    assert of_architecture(located, "mixtral").forward == expected


@pytest.mark.parametrize(("model_type", "short"), [("jamba", 64), ("nomic_bert", 64), ("squeezebert", 22)])
def test_networks_that_need_content_are_counted_on_the_processor(located: Located, model_type: str, short: int) -> None:
    found = of_architecture(located, model_type)
    assert found.training(1, short) == pytest.approx(3 * found.inference(1, short), rel=0.05)


def test_a_network_that_cuts_texts_into_chunks_costs_more_for_longer_texts(located: Located) -> None:
    heads = {"linear_num_key_heads": 2, "linear_num_value_heads": 2, "linear_key_head_dim": 4}
    found = of_architecture(located, "qwen3_next", **heads, linear_value_head_dim=4)
    assert found.inference(1, 1024) == pytest.approx(2 * found.inference(1, 512), rel=0.2)
    assert found.training(1, 1024) == pytest.approx(3 * found.inference(1, 1024), rel=0.5)


def test_a_network_that_cannot_be_counted_is_refused(located: Located) -> None:
    with pytest.raises(BaseModelError, match=r"The FLOPs of base 'tiny' \(reformer\), .* Use another base"):
        of_architecture(located, "reformer")
