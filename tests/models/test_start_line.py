"""Every arm starts from the same place: same architecture, same new parts, same mode and type of numbers."""

import dataclasses
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from pipeline.errors import BaseModelError, StorageError
from pipeline.models.build import Network, base_of, build
from pipeline.models.checkpoints.locate import Located, locate
from tests.models.tiny_bases import ARMS, FAMILIES, LABELS, base_in, cell_for, save_tiny, whole_checkpoint, without


def network(arm: str, located: Located, *, seed: int = 5, labels: tuple[str, ...] = LABELS, **train: Any) -> Network:
    return build(cell_for(arm, base_in(located.directory), **train), located, labels, seed=seed)


def head(of: Network) -> dict[str, torch.Tensor]:
    plain = of.model.get_base_model() if hasattr(of.model, "get_base_model") else of.model
    state = {k: v for k, v in plain.state_dict().items() if not k.startswith(f"{of.base_prefix}.")}
    return {k.replace(".modules_to_save.default", ""): v for k, v in state.items() if ".original_module" not in k}


def equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[k], other[k]) for k in one)


@pytest.mark.parametrize("arm", ["scratch", "frozen", "lora"])
def test_an_arm_has_the_pretrained_arms_head_bit_by_bit(arm: str, located: Located) -> None:
    assert equal(head(network(arm, located)), head(network("pretrained", located)))


def test_an_arm_that_goes_on_from_another_training_takes_over_its_base_and_keeps_the_common_head(
    located: Located, tmp_path: Path
) -> None:
    cell = cell_for("pretrained", base_in(located.directory))
    reading = dataclasses.replace(cell, task=dataclasses.replace(cell.task, kind="masked_language_modelling"))
    read = build(reading, located, LABELS, seed=5).model
    with torch.no_grad():
        for parameter in read.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    stored = {n: p.detach().contiguous() for n, p in read.named_parameters()}
    save_file(stored, tmp_path / "trained.safetensors")
    built = build(cell, located, LABELS, seed=5, pretrained=tmp_path)
    own = {n: p for n, p in built.model.named_parameters() if n.startswith("bert.")}
    assert equal({n: own[n] for n in own if "pooler" not in n}, {n: stored[n] for n in stored if n in own})
    assert equal(head(built), head(network("pretrained", located)))


def test_what_another_architecture_left_is_no_start(located: Located, tmp_path: Path) -> None:
    save_file({"bert.embeddings.word_embeddings.weight": torch.zeros(3, 4)}, tmp_path / "trained.safetensors")
    with pytest.raises(StorageError, match="does not hold what this arm's pretraining leaves"):
        build(cell_for("pretrained", base_in(located.directory)), located, LABELS, seed=5, pretrained=tmp_path)


def test_another_seed_gives_another_head(located: Located) -> None:
    assert not equal(head(network("pretrained", located)), head(network("pretrained", located, seed=6)))


def test_building_again_with_a_seed_gives_the_same_bits_whatever_was_drawn_before(located: Located) -> None:
    first = network("scratch", located).model.state_dict()
    torch.rand(17)
    assert equal(first, network("scratch", located).model.state_dict())


def test_the_pretrained_arm_holds_the_checkpoints_weights_and_scratch_none_of_its_matrices(located: Located) -> None:
    from safetensors.torch import load_file

    stored = load_file(located.directory / "model.safetensors")
    held = network("pretrained", located).model.bert.state_dict()
    fresh = network("scratch", located).model.bert.state_dict()
    assert all(torch.equal(held[k], v) for k, v in stored.items())
    random = [k for k, v in stored.items() if v.ndim == 2]
    assert len(random) > 10
    assert not any(torch.equal(fresh[k], stored[k]) for k in random)


@pytest.mark.parametrize("family", FAMILIES)
def test_all_four_arms_of_a_family_share_architecture_mode_and_float32(family: str, tmp_path: Path) -> None:
    found = locate(base_in(save_tiny(tmp_path, family, dtype=torch.float16)))
    built = {arm: network(arm, found) for arm in ARMS}
    assert len({n.architecture for n in built.values()}) == 1
    use = built["pretrained"].checkpoint
    assert use is not None
    assert (use.absent, use.mismatched, use.undeclared) == ((), (), ())
    assert {a: n.checkpoint for a, n in built.items()} == dict.fromkeys(ARMS, use) | {"scratch": None}
    for name, one in built.items():
        assert {p.dtype for p in one.model.parameters()} == {torch.float32}
        owners = [m for m in one.model.modules() if any(p.requires_grad for p in m.parameters(recurse=False))]
        assert owners, name
        assert all(m.training for m in owners), name
        assert equal(head(one), head(built["pretrained"])), name


@pytest.mark.parametrize("family", FAMILIES)
def test_adapters_and_the_whole_head_are_trained_by_lora_and_nothing_else(family: str, tmp_path: Path) -> None:
    found = locate(base_in(save_tiny(tmp_path, family)))
    lora = network("lora", found)
    trained = {n for n, p in lora.model.named_parameters() if p.requires_grad}
    adapters = {n for n in trained if ".lora_" in n}
    new = {n.replace("base_model.model.", "").replace(".modules_to_save.default", "") for n in trained - adapters}
    assert adapters
    assert new == set(head(network("pretrained", found)))


@pytest.mark.parametrize("family", FAMILIES)
def test_frozen_trains_the_head_alone_over_a_base_in_evaluation_mode(family: str, tmp_path: Path) -> None:
    found = locate(base_in(save_tiny(tmp_path, family)))
    frozen = network("frozen", found)
    assert {n for n, p in frozen.model.named_parameters() if p.requires_grad} == set(head(frozen))
    assert not any(m.training for m in base_of(frozen.model, frozen.base_prefix).modules())


def test_adapters_leave_the_start_as_it_is(located: Located) -> None:
    ids = torch.tensor([[2, 7, 8, 3]])
    with torch.no_grad():
        one, other = (network(a, located).model.eval()(input_ids=ids).logits for a in ("pretrained", "lora"))
    assert torch.allclose(one, other, atol=1e-6)


def test_a_dropout_given_reaches_every_dropout_of_every_arm_alike(located: Located) -> None:
    for arm in ARMS:
        model = network(arm, located, dropout=0.25).model
        rates = {m.p for n, m in model.named_modules() if isinstance(m, torch.nn.Dropout) and "lora_" not in n}
        assert rates == {0.25}, arm


def test_without_a_dropout_given_the_bases_own_stands(located: Located) -> None:
    rates = {m.p for m in network("scratch", located).model.modules() if isinstance(m, torch.nn.Dropout)}
    assert rates == {0.1}


def test_the_labels_are_named_in_the_configuration(located: Located) -> None:
    config = network("pretrained", located).model.config
    assert config.id2label == dict(enumerate(LABELS))
    assert config.label2id == {name: i for i, name in enumerate(LABELS)}


def test_a_pooler_that_the_checkpoint_lacks_is_no_part_of_any_network(tmp_path: Path) -> None:
    found = locate(base_in(without(save_tiny(tmp_path), "pooler")))
    pretrained, scratch = network("pretrained", found), network("scratch", found)
    assert pretrained.model.bert.pooler is scratch.model.bert.pooler is None
    assert pretrained.pooling == scratch.pooling == "cls"
    assert pretrained.checkpoint is not None
    assert pretrained.checkpoint.absent == ()


@pytest.mark.parametrize("arm", ["pretrained", "frozen", "lora"])
def test_a_checkpoint_whose_names_all_mismatch_is_refused_since_the_base_would_be_random(
    arm: str, tiny: Path, tmp_path: Path
) -> None:
    from safetensors.torch import load_file, save_file

    shutil.copytree(tiny, tmp_path / "renamed")
    file = tmp_path / "renamed" / "model.safetensors"
    save_file({f"other.{k}": v for k, v in load_file(file).items()}, file, metadata={"format": "pt"})
    with pytest.raises(
        BaseModelError,
        match=r"must hold every tensor.*37 of 37 are missing \(bert.*random values.*fit nothing: other\.",
    ):
        network(arm, locate(base_in(tmp_path / "renamed")))


def test_the_head_of_a_classifier_of_other_classes_gives_way_to_the_tasks_own(located: Located, tmp_path: Path) -> None:
    from transformers import AutoModelForSequenceClassification

    model = AutoModelForSequenceClassification.from_pretrained(located.directory, num_labels=7)
    model.save_pretrained(tmp_path / "classifier")
    for file in located.directory.glob("*token*"):
        shutil.copy(file, tmp_path / "classifier")
    other, plain = network("pretrained", locate(base_in(tmp_path / "classifier"))), network("pretrained", located)
    assert equal(head(other), head(plain))
    of_base, wanted = base_of(other.model, other.base_prefix).state_dict(), base_of(plain.model, plain.base_prefix)
    assert other.checkpoint == dataclasses.replace(
        whole_checkpoint(), left_over=("classifier.weight", "classifier.bias")
    )
    assert all(torch.equal(of_base[name], value) for name, value in wanted.state_dict().items() if "pooler" not in name)


def test_a_checkpoint_of_another_width_is_refused(tiny: Path, tmp_path: Path) -> None:
    from tests.models.tiny_bases import tiny_config

    shutil.copytree(tiny, tmp_path / "wider")
    tiny_config(hidden_size=64).save_pretrained(tmp_path / "wider")
    with pytest.raises(
        BaseModelError, match=r"have another shape \(bert.*: 82 x 32 in the checkpoint, 82 x 64 by config.json"
    ):
        network("pretrained", locate(base_in(tmp_path / "wider")))


def test_targets_that_no_module_has_are_refused_with_the_setting_to_change(located: Located) -> None:
    import dataclasses

    arm = dataclasses.replace(ARMS["lora"], lora=dataclasses.replace(ARMS["lora"].lora, targets=("nothing",)))
    with pytest.raises(BaseModelError, match=r"arm.lora.targets"):
        build(cell_for(arm, base_in(located.directory)), located, LABELS, seed=1)
