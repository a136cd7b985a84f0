"""A smaller network of the base's kind: of each family half of what it has, and it still computes."""

from pathlib import Path

import pytest
import torch

from pipeline.errors import BaseModelError
from pipeline.models.build import build
from pipeline.models.checkpoints.locate import locate
from pipeline.models.shrink import shrink
from tests.models.tiny_bases import FAMILIES, LABELS, base_in, cell_for, save_tiny, tiny_config


@pytest.mark.parametrize("family", FAMILIES)
def test_half_a_network_has_half_of_everything_and_computes(family: str, tmp_path: Path) -> None:
    from pipeline.config.schema import Arm

    base = base_in(save_tiny(tmp_path / "base", family))
    whole, half = (
        build(cell_for(Arm(name="s", start="scratch", shrink=share), base), locate(base), LABELS, seed=1).model
        for share in (1.0, 0.5)
    )
    for name in ("num_hidden_layers", "num_attention_heads", "hidden_size"):
        assert getattr(half.config, name) * 2 == getattr(whole.config, name), name
    ids = torch.tensor([[2, 6, 7, 3]])
    with torch.no_grad():
        assert half(input_ids=ids, attention_mask=torch.ones_like(ids)).logits.shape == (1, len(LABELS))
    assert sum(p.numel() for p in half.parameters()) < 0.6 * sum(p.numel() for p in whole.parameters())


def test_one_layer_and_one_head_are_left_at_least() -> None:
    config = tiny_config("bert")
    shrink(config, 0.01)
    assert (config.num_hidden_layers, config.num_attention_heads, config.hidden_size) == (1, 1, 8)


def test_heads_go_on_sharing_keys_in_groups_of_one_size() -> None:
    config = tiny_config("llama")
    shared = config.num_attention_heads // config.num_key_value_heads
    shrink(config, 0.5)
    assert config.num_attention_heads // config.num_key_value_heads == shared


def test_a_configuration_without_known_names_is_refused() -> None:
    class Odd:
        model_type = "odd"

    with pytest.raises(BaseModelError, match="knows no num_hidden_layers in the configuration of odd"):
        shrink(Odd(), 0.5)
