"""The dropout that is asked for acts on every base, whatever its configuration calls it."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

from pipeline.errors import BaseModelError
from pipeline.models.build import build
from pipeline.models.checkpoints.locate import locate
from pipeline.tasks import kind as kind_called
from pipeline.tasks import probe
from pipeline.training.setup.start_line import dropout_of
from tests.models.tiny_architectures import tiny_architecture
from tests.models.tiny_bases import LABELS, base_in, cell_for, tiny_config, tiny_tokenizer

FAMILIES = (
    "albert",
    "bert",
    "deberta-v2",
    "distilbert",
    "electra",
    "gpt2",
    "llama",
    "modernbert",
    "xlm-roberta",
)


def base(folder: Path, family: str, **changes: object) -> Path:
    """A tiny base of the family, with `changes` to its configuration."""
    config = tiny_config("t5") if family == "t5" else tiny_architecture(family)
    config.update(changes)
    transformers.AutoModel.from_config(config).save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)
    return folder


def passes(folder: Path, dropout: float, kind: str = "classification") -> tuple[np.ndarray, np.ndarray]:
    """Two forward passes of the network in training."""
    found, task = base_in(folder), kind_called(kind)
    cell = cell_for("pretrained", found, dropout=dropout)
    cell = dataclasses.replace(cell, task=dataclasses.replace(cell.task, kind=kind))
    model = build(cell, locate(found), LABELS, seed=0).model
    with torch.no_grad():
        one, two = (task.forward(model, probe(task, 24)).numpy() for _ in range(2))
    return one, two


@pytest.mark.parametrize("family", FAMILIES)
def test_with_dropout_two_passes_differ_and_without_they_do_not(family: str, tmp_path: Path) -> None:
    base(tmp_path, family)
    assert not np.array_equal(*passes(tmp_path, 0.3))
    assert np.array_equal(*passes(tmp_path, 0.0))


def test_dropout_that_is_attentions_alone_is_on_the_start_line(tmp_path: Path) -> None:
    found = base_in(base(tmp_path, "llama"))
    model = build(cell_for("pretrained", found, dropout=0.3), locate(found), LABELS, seed=0).model
    assert not any(isinstance(module, torch.nn.Dropout) for module in model.modules())
    assert dropout_of(model) == 0.3


def test_so_it_is_of_an_encoder_with_a_decoder(tmp_path: Path) -> None:
    base(tmp_path, "t5")
    assert not np.array_equal(*passes(tmp_path, 0.3, "translation"))
    assert np.array_equal(*passes(tmp_path, 0.0, "translation"))


def test_a_configuration_that_takes_no_such_number_is_refused(tmp_path: Path) -> None:
    base(tmp_path, "mpt")
    with pytest.raises(BaseModelError, match=r"train\.dropout=0\.3 cannot be set on this base \(mpt\).*attn_pdrop"):
        passes(tmp_path, 0.3)
    assert np.array_equal(*passes(tmp_path, 0.0))


def test_a_zero_written_without_a_point_is_a_dropout_too(tmp_path: Path) -> None:
    base(tmp_path, "bert", hidden_dropout_prob=0, attention_probs_dropout_prob=0)
    assert '"hidden_dropout_prob": 0,' in (tmp_path / "config.json").read_text()
    assert not np.array_equal(*passes(tmp_path, 0.3))
