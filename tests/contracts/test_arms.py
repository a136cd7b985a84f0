"""What every arm preset promises, run against each YAML in conf/arm."""

from typing import Any

import pytest
import torch

from pipeline.config.choices import options
from pipeline.config.compose import compose
from pipeline.config.schema import Arm
from pipeline.methods import METHODS
from pipeline.models.build import Network, build
from pipeline.models.checkpoints.locate import Located, locate
from tests.models.tiny_bases import LABELS, base_in, cell_for, save_tiny

PRESETS = options("arm")
NETWORKS = [name for name in PRESETS if METHODS[compose([f"arm={name}"]).arm.method].reads != "words"]
IDS = torch.tensor([[2, 6, 7, 8, 3], [2, 9, 6, 3, 0]])
MASK = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 1, 0]])
GOLD = torch.tensor([0, 2])


@pytest.fixture(scope="module")
def located(tmp_path_factory: pytest.TempPathFactory) -> Located:
    """A tiny base."""
    return locate(base_in(save_tiny(tmp_path_factory.mktemp("bases") / "bert")))


@pytest.fixture(params=NETWORKS)
def arm(request: pytest.FixtureRequest) -> Arm:
    """Each preset with a network in turn."""
    return compose([f"arm={request.param}"]).arm


def network(arm: Arm, located: Located) -> Network:
    return build(cell_for(arm, base_in(located.directory)), located, LABELS, seed=8)


def plain_name(name: str) -> str:
    return name.removeprefix("base_model.model.").replace(".modules_to_save.default", "").replace(".base_layer", "")


def test_the_presets_are_the_four_arms() -> None:
    assert {"pretrained", "scratch", "frozen", "lora"} <= set(PRESETS)


@pytest.mark.parametrize("name", PRESETS)
def test_its_name_is_its_files(name: str) -> None:
    assert compose([f"arm={name}"]).arm.name == name


def test_it_has_the_architecture_of_the_controlled_comparison_unless_it_says_otherwise(
    arm: Arm, located: Located
) -> None:
    own, common = network(arm, located), network(compose(["arm=pretrained"]).arm, located)
    assert (own.architecture == common.architecture) == (arm.shrink == 1)


def test_its_base_is_the_checkpoints_or_fresh_as_its_start_says(arm: Arm, located: Located) -> None:
    from safetensors.torch import load_file

    stored = load_file(located.directory / "model.safetensors")
    built = network(arm, located)
    held = {plain_name(k): v for k, v in built.model.state_dict().items()}
    name = "embeddings.word_embeddings.weight"
    assert torch.equal(held[f"bert.{name}"], stored[name]) == (arm.start == "pretrained")
    assert (built.checkpoint is not None) == (arm.start == "pretrained")


def test_what_is_trained_is_what_it_says(arm: Arm, located: Located) -> None:
    model: Any = network(arm, located).model
    trained = {plain_name(n) for n, p in model.named_parameters() if p.requires_grad}
    head = {"classifier.weight", "classifier.bias"}
    if arm.method == "full":
        assert trained == {plain_name(n) for n, _ in model.named_parameters()}
    elif arm.method == "linear_probe":
        assert trained == head
    else:
        assert head < trained
        assert all(".lora_" in n for n in trained - head)


def test_trained_parts_are_in_train_mode_and_float32(arm: Arm, located: Located) -> None:
    model: Any = network(arm, located).model
    owners = [m for m in model.modules() if any(p.requires_grad for p in m.parameters(recurse=False))]
    assert all(m.training for m in owners) or METHODS[arm.method].solved
    assert {p.dtype for p in model.parameters()} == {torch.float32}


def test_one_step_changes_every_trained_parameter_and_no_other(arm: Arm, located: Located) -> None:
    model: Any = network(arm, located).model
    before = {n: p.detach().clone() for n, p in model.named_parameters()}
    trained = {n for n, p in model.named_parameters() if p.requires_grad}
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=arm.recipe.lr)
    for _ in range(2):  # an adapter's second factor starts at zero, so its first moves with the second step
        optimizer.zero_grad()
        logits = model(input_ids=IDS, attention_mask=MASK).logits
        torch.nn.functional.cross_entropy(logits, GOLD).backward()
        optimizer.step()
    changed = {n for n, p in model.named_parameters() if not torch.equal(p, before[n])}
    assert changed == trained


def test_scratch_is_trained_for_longer_than_the_pretrained_start() -> None:
    scratch, pretrained = (compose([f"arm={name}"]).arm.recipe for name in ("scratch", "pretrained"))
    assert scratch.epochs > pretrained.epochs
    assert scratch.min_steps >= pretrained.min_steps
