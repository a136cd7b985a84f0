"""What a network takes from a checkpoint is said tensor by tensor, and a broken checkpoint is refused."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from pipeline.errors import BaseModelError
from pipeline.models.build import Network, build
from pipeline.models.checkpoints.locate import locate
from pipeline.records import CheckpointUse
from tests.models.tiny_bases import LABELS, base_in, cell_for, save_tiny, whole_checkpoint, without

Tensors = dict[str, torch.Tensor]
POOLER = ("bert.pooler.dense.weight", "bert.pooler.dense.bias")


def rewrite(base: Path, change: Callable[[Tensors], Tensors]) -> Path:
    """Change the checkpoint's tensors."""
    file = base / "model.safetensors"
    save_file(change(load_file(file)), file, metadata={"format": "pt"})
    return base


def edit(base: Path, **changes: Any) -> Path:
    path = base / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    return base


def network(
    base: Path,
    kind: str = "classification",
    labels: tuple[str, ...] = LABELS,
    arm: str = "pretrained",
    pooling: str = "auto",
) -> Network:
    cell = cell_for(arm, base_in(base, pooling=pooling))
    cell = dataclasses.replace(cell, task=dataclasses.replace(cell.task, kind=kind))
    return build(cell, locate(base_in(base)), labels, seed=1)


def used(base: Path, kind: str = "classification", pooling: str = "auto") -> CheckpointUse:
    found = network(base, kind, pooling=pooling).checkpoint
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        (
            r"layer.1.attention.self.query.weight",
            r"1 of 39 is missing \(bert.encoder.layer.1.attention.self.query.weight\)",
        ),
        ("LayerNorm", r"10 of 39 are missing \(bert.embeddings.LayerNorm.weight, .* and 7 more\)"),
    ],
)
@pytest.mark.parametrize("arm", ["pretrained", "frozen", "lora"])
def test_missing_tensors_of_the_body_are_refused_by_name(arm: str, pattern: str, said: str, tmp_path: Path) -> None:
    base = without(save_tiny(tmp_path), pattern)
    with pytest.raises(BaseModelError, match=rf"must hold every tensor.*{said}.*save_pretrained") as refused:
        network(base, arm=arm)
    assert refused.value.exit_code == 2
    assert "pooler" not in str(refused.value)
    network(base, arm="scratch")


@pytest.mark.parametrize("kind", ["classification", "masked_language_modelling", "translation"])
def test_edited_positions_are_refused_with_both_shapes(kind: str, tmp_path: Path) -> None:
    base = edit(save_tiny(tmp_path), max_position_embeddings=128)
    said = (
        r"embeddings.position_embeddings.weight: 64 x 32 in the checkpoint, 128 x 32 by config.json.*Restore the config"
    )
    with pytest.raises(BaseModelError, match=said):
        network(base, kind)


@pytest.mark.parametrize("family", ["t5", "bart", "marian"])
def test_a_missing_tensor_of_either_part_is_refused(family: str, tmp_path: Path) -> None:
    base = without(save_tiny(tmp_path, family), r"decoder.*(EncDecAttention.q|encoder_attn.q_proj).weight")
    with pytest.raises(BaseModelError, match=r"2 of \d+ are missing \((model\.)?decoder\."):
        network(base, "translation")


def test_a_missing_pooler_is_recorded_where_a_head_reads_one(tmp_path: Path) -> None:
    base = without(save_tiny(tmp_path), "pooler")
    assert used(base, pooling="head").absent == POOLER
    assert used(base).absent == ()


def test_a_head_on_pooled_positions_takes_the_same_body(tmp_path: Path) -> None:
    use = used(save_tiny(tmp_path), pooling="mean")
    assert (use.absent, use.left_over) == ((), tuple(sorted(name.removeprefix("bert.") for name in POOLER)))
    assert use.loaded == whole_checkpoint().loaded - len(POOLER)


def test_names_of_older_checkpoints_and_tied_weights_are_not_missed(tmp_path: Path) -> None:
    """As the first BERTs were saved: from a model for pretraining, gamma and beta, with a buffer of positions."""
    base = save_tiny(tmp_path)
    transformers.AutoModelForPreTraining.from_pretrained(base).save_pretrained(base)

    def age(tensors: Tensors) -> Tensors:
        old = {n.replace("Norm.weight", "Norm.gamma").replace("Norm.bias", "Norm.beta"): t for n, t in tensors.items()}
        return old | {"bert.embeddings.position_ids": torch.arange(64)[None]}

    use = used(rewrite(base, age))
    assert dataclasses.replace(use, left_over=()) == whole_checkpoint()
    assert {name.partition(".")[0] for name in use.left_over} == {"cls"}
    assert (use.undeclared, use.other_parts) == ((), ())
    filled = used(base, "masked_language_modelling")
    assert filled.absent == ()
    assert {name.partition(".seq_relationship")[0] for name in filled.left_over} <= {"cls", *POOLER}


def test_a_head_that_the_checkpoint_lacks_is_fresh_and_no_fault(tmp_path: Path) -> None:
    use = used(save_tiny(tmp_path), "masked_language_modelling")
    assert {name.partition(".")[0] for name in use.absent} == {"cls"}
    assert use.absent_body == ()


@pytest.mark.parametrize("bare", [True, False])
def test_layers_that_the_configuration_does_not_declare_are_left_over(bare: bool, tmp_path: Path) -> None:
    base = save_tiny(tmp_path, num_hidden_layers=4)
    if not bare:
        transformers.AutoModelForMaskedLM.from_pretrained(base).save_pretrained(base)
    use = used(edit(base, num_hidden_layers=2))
    assert use.undeclared == ("bert.encoder.layer.2", "bert.encoder.layer.3")
    assert use.other_parts == ()


def test_another_tower_is_left_over(tmp_path: Path) -> None:
    base = save_tiny(tmp_path)
    more = {"vision_model.layers.0.weight": torch.ones(2, 2), "logit_scale": torch.ones(1)}
    use = used(rewrite(base, lambda tensors: tensors | more))
    assert set(use.left_over) == set(more)
    assert use.other_parts == ("vision_model",)


@pytest.mark.parametrize("problem", ["single_label_classification", "multi_label_classification", "regression"])
@pytest.mark.parametrize(("kind", "labels"), [("classification", LABELS), ("similarity", ("similarity",))])
def test_the_problem_a_checkpoint_was_trained_on_last_changes_nothing(
    problem: str, kind: str, labels: tuple[str, ...], tmp_path: Path
) -> None:
    plain = network(save_tiny(tmp_path / "plain"), kind, labels).model
    other = network(edit(save_tiny(tmp_path / "other"), problem_type=problem), kind, labels).model
    assert other.config.problem_type is None  # transformers.pipeline would follow it in an exported model
    assert other.config.id2label == dict(enumerate(labels))
    ids = torch.tensor([[2, 7, 8, 3]])
    with torch.no_grad():
        assert torch.equal(plain.eval()(input_ids=ids).logits, other.eval()(input_ids=ids).logits)


@pytest.mark.parametrize("method", ["bitsandbytes", "gptq", "awq", "fp8", "compressed-tensors"])
def test_a_quantised_checkpoint_is_refused_by_its_method(method: str, tmp_path: Path) -> None:
    base = edit(save_tiny(tmp_path), quantization_config={"quant_method": method})
    with pytest.raises(BaseModelError, match=rf"quantised \({method}\).*base.path=FILE.gguf"):
        locate(base_in(base))


@pytest.mark.parametrize(("dtype", "name"), [(torch.float8_e4m3fn, "F8_E4M3"), (torch.int8, "I8")])
def test_quantised_weights_are_refused_though_the_configuration_is_silent(
    dtype: torch.dtype, name: str, tmp_path: Path
) -> None:
    key = "encoder.layer.0.output.dense.weight"
    base = rewrite(save_tiny(tmp_path), lambda tensors: tensors | {key: tensors[key].to(dtype)})
    with pytest.raises(BaseModelError, match=rf"{key} in model.safetensors is of type {name}: they are quantised"):
        locate(base_in(base))
