"""Each kind on each base: refused, or built, measured and learnt; and how many numbers it tells."""

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch

from pipeline.config.schema import TEXTS as TEXT_FIELDS
from pipeline.errors import BaseModelError
from pipeline.models.build import build
from pipeline.models.checkpoints.locate import Located, locate
from pipeline.tasks import KINDS, EncodeSettings, Example, PromptedKind, TaskKind, kind, vocabulary_of
from tests.contracts.kinds_kit import PROMPT, cell, task_of
from tests.models.tiny_bases import FAMILIES, LABELS, TWO_PARTS, VOCABULARY, base_in, save_tiny, tiny_tokenizer

TEXTS = ["the film is good", "dull and a very long plot", "a fine actor", "not bad but not great or fine"]
ENCODERS = {"bert", "roberta", "distilbert", "modernbert", "deberta-v2"}
ABLE = {  # families that a kind can be done with, of FAMILIES and TWO_PARTS
    **dict.fromkeys(KINDS, ENCODERS | {"llama"}),
    "masked_language_modelling": ENCODERS,
    "causal_language_modelling": {"llama"},
    "token_classification": ENCODERS,
    "translation": {"bert", "roberta", *TWO_PARTS},  # the other encoders cannot be made into decoders
}
PAIRS = [(name, family) for name in sorted(KINDS) for family in sorted(FAMILIES | TWO_PARTS)]
DONE = [(name, family) for name, family in PAIRS if family in ABLE[name]]
REFUSED = [(name, family) for name, family in PAIRS if family not in ABLE[name]]
STEPS = 8


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Located]:
    """A tiny base of each family."""
    folder = tmp_path_factory.mktemp("bases")
    return {family: locate(base_in(save_tiny(folder / family, family))) for family in FAMILIES | TWO_PARTS}


def read(task: TaskKind, *, decoder: bool = False) -> dict[str, Any]:
    """The texts as the task's data hold them, with classes, numbers or other texts beside them, as a batch."""
    tokenizer = tiny_tokenizer(**({"mask_token": None} if decoder and isinstance(task, PromptedKind) else {}))
    asked = task_of(task, max_length=32)
    if asked.prompt and decoder:
        asked = dataclasses.replace(asked, prompt=PROMPT.removesuffix(" [MASK]"))
    encoded = task.encode([given(task, i) for i in range(len(TEXTS))], tokenizer, EncodeSettings.of(asked, LABELS))
    classes = np.arange(len(TEXTS)) % len(LABELS)
    vocabulary, seeds = vocabulary_of(task, tokenizer, LABELS), np.arange(len(TEXTS), dtype=np.uint64)
    return task.collate(encoded.ids, classes, vocabulary=vocabulary, seeds=seeds, beside=encoded.beside)


def given(task: TaskKind, i: int) -> Example:
    """One example, with what its kind reads."""
    label = LABELS[i % len(LABELS)]
    labels = [label] * (len(TEXTS[i].split()) if task.name == "token_classification" else 1)
    fields: dict[str, Any] = {"label": label, "score": float(i % 2), "labels": tuple(labels)}
    fields |= dict.fromkeys(TEXT_FIELDS, " ".join(TEXTS[i].split()[:2])) | {"text": TEXTS[i]}
    return Example(**{name: value for name, value in fields.items() if name in task.reads})


def losses(task: TaskKind, model: Any, batch: dict[str, Any]) -> torch.Tensor:
    return task.losses(task.forward(model, batch), batch)


@pytest.mark.parametrize(("name", "family"), DONE)
def test_what_is_measured_is_what_is_learnt_and_a_few_steps_lower_it(
    name: str, family: str, bases: dict[str, Located]
) -> None:
    task, located = kind(name), bases[family]
    model = build(cell(task, located), located, LABELS, seed=2).model.eval()
    batch = read(task, decoder=family == "llama")
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-2)
    first = measured(task, model, batch)
    assert first == pytest.approx(float(losses(task, model, batch).mean().detach()), rel=1e-4)
    for _ in range(STEPS):
        optimizer.zero_grad()
        losses(task, model, batch).mean().backward()
        optimizer.step()
    assert measured(task, model, batch) < 0.95 * first


def measured(task: TaskKind, model: Any, batch: dict[str, Any]) -> float:
    """The loss that an evaluation reports of the batch."""
    with torch.no_grad():
        answers = task.answers(task.forward(model, batch), batch)
    return task.measure(task.outputs(answers.numpy(), batch["labels"].numpy()))["loss"]


@pytest.mark.parametrize(("name", "family"), REFUSED)
def test_a_base_that_cannot_do_it_is_refused_with_exactly_the_kinds_it_can(
    name: str, family: str, bases: dict[str, Located]
) -> None:
    located = bases[family]
    with pytest.raises(BaseModelError, match=f"cannot do {name}: .* Use .* It can do ") as refused:
        build(cell(kind(name), located), located, LABELS, seed=0)
    can = str(refused.value).rpartition("It can do ")[2].removesuffix(".").split(", ")
    assert set(can) == {each for each, families in ABLE.items() if family in families}


LOGITS = {  # of a kind's batch: [B, C], or a row for each gap, token or word
    **dict.fromkeys(KINDS, lambda batch: (len(TEXTS), len(LABELS))),
    "masked_language_modelling": lambda batch: (*batch["places"].shape, len(VOCABULARY)),
    "causal_language_modelling": lambda batch: (int(batch["attention_mask"][:, 1:].sum()), len(VOCABULARY)),
    "token_classification": lambda batch: (*batch["starts"].shape, len(LABELS)),
    "translation": lambda batch: (int((batch["attention_mask"].sum(dim=1) - batch["second"]).sum()), len(VOCABULARY)),
}


@pytest.mark.parametrize("name", sorted(KINDS))
def test_logits_have_a_row_for_each_text_gap_or_token_that_is_told(name: str, bases: dict[str, Located]) -> None:
    task, family = kind(name), sorted(ABLE[name])[0]
    model = build(cell(task, bases[family]), bases[family], LABELS, seed=2).model.eval()
    batch = read(task, decoder=family == "llama")
    with torch.no_grad():
        assert tuple(task.forward(model, batch).shape) == LOGITS[name](batch)
