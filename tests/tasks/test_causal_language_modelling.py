"""Bits per byte against transformers' own loss, what a text begins with, refusals, and continued texts."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers

from pipeline.config.schema import Predict
from pipeline.errors import BaseModelError, DataError
from pipeline.models.build import build
from pipeline.models.checkpoints.locate import locate
from pipeline.tasks import Vocabulary, kind
from tests.examples_kit import singles, within
from tests.models.tiny_bases import LABELS, base_in, cell_for, save_tiny, tiny_config, tiny_tokenizer

TASK = kind("causal_language_modelling")
TEXTS = ["the film is good", "dull", "a very long and dull plot"]


def model() -> Any:
    torch.manual_seed(3)
    return TASK.build(tiny_config("llama")).eval()


def batch_of(texts: list[str], tokenizer: Any = None, length: int = 32) -> dict[str, torch.Tensor]:
    encoded = TASK.encode(singles(*texts), tokenizer or tiny_tokenizer(), within(length))
    return TASK.collate(
        encoded.ids,
        np.full(len(texts), -1),
        vocabulary=Vocabulary(pad=0),
        seeds=np.zeros(len(texts), dtype=np.uint64),
        beside=encoded.beside,
    )


def test_a_texts_bits_per_byte_are_those_of_the_loss_that_transformers_computes() -> None:
    network, batch = model(), batch_of(TEXTS)
    with torch.no_grad():
        found = TASK.outputs(TASK.answers(TASK.forward(network, batch), batch).numpy(), np.full(3, -1))
        for i, text in enumerate(TEXTS):
            ids = batch["input_ids"][i : i + 1, : int(batch["attention_mask"][i].sum())]
            theirs = float(network(input_ids=ids, labels=ids).loss)
            assert found.losses[i] == pytest.approx(theirs, rel=1e-5)
            nats = theirs * (ids.shape[1] - 1)
            assert found.scores[i] == pytest.approx(nats / math.log(2) / len(text.encode()), rel=1e-5)


def test_a_token_as_likely_as_another_is_no_hit() -> None:
    batch = {"input_ids": torch.tensor([[2, 5, 6, 7]]), "attention_mask": torch.ones(1, 4), "bytes": torch.tensor([9])}
    logits = torch.zeros((3, 9))  # of the tokens 5, 6 and 7
    logits[0, 5] = logits[1, 6] = logits[1, 8] = 1.0
    assert TASK.answers(logits, {**batch, "attention_mask": batch["attention_mask"].long()})[0, 3] == 1


def test_the_whole_set_is_measured_as_one_text_too() -> None:
    answers = np.array([[10.0, 4, 20, 1], [30.0, 6, 20, 3]], dtype=np.float32)
    measured = TASK.measure(TASK.outputs(answers, np.full(2, -1)))
    assert measured["corpus_bits_per_byte"] == pytest.approx(40 / math.log(2) / 40)
    assert measured["corpus_perplexity"] == pytest.approx(math.exp(4))
    assert measured["next_token"] == pytest.approx(0.4)
    assert measured["loss"] == pytest.approx((2.5 + 5) / 2)


@pytest.mark.parametrize(("text", "length", "size"), [("the film é good", 32, 16), ("the film was good", 3, 8)])
def test_bytes_are_those_that_the_tokens_kept_stand_for(text: str, length: int, size: int) -> None:
    assert batch_of([text], length=length)["bytes"].tolist() == [size]


@pytest.mark.parametrize(
    ("special", "first"),
    [({"bos_token": "a"}, 5), ({"eos_token": "the"}, 6), ({"bos_token": "a", "eos_token": "the"}, 5)],
)
def test_a_text_begins_with_the_bases_token_for_that(special: dict[str, str], first: int) -> None:
    tokenizer = tiny_tokenizer(cls_token=None, **special)
    assert TASK.encode(singles("film"), tokenizer, within(8)).ids[0].tolist() == [first, 7]


def test_a_tokenizer_without_a_token_to_begin_with_is_refused() -> None:
    with pytest.raises(DataError, match="a token for the start or the end of a text"):
        TASK.encode(singles("film"), tiny_tokenizer(cls_token=None), within(8))


def test_an_encoder_is_refused_with_the_kinds_it_can_do(tmp_path: Path) -> None:
    located = locate(base_in(save_tiny(tmp_path / "base", "bert")))
    with pytest.raises(BaseModelError, match=r"\(bert\) .* it is an encoder.* base=smollm2.* It can do classification"):
        build(task_cell("pretrained", tmp_path / "base"), located, LABELS, seed=0)


def task_cell(arm: str, folder: Path) -> Any:
    import dataclasses

    plain = cell_for(arm, base_in(folder))
    data = dataclasses.replace(plain.task.data, label=None)
    return dataclasses.replace(
        plain, task=dataclasses.replace(plain.task, kind=TASK.name, metric="bits_per_byte", data=data)
    )


def test_the_checkpoints_own_head_is_taken_over(tmp_path: Path) -> None:
    network = transformers.AutoModelForCausalLM.from_config(tiny_config("llama", tie_word_embeddings=False))
    network.save_pretrained(tmp_path)
    tiny_tokenizer().save_pretrained(tmp_path)
    pretrained, scratch = (
        build(task_cell(arm, tmp_path), locate(base_in(tmp_path)), LABELS, seed=0).model
        for arm in ("pretrained", "scratch")
    )
    assert torch.equal(pretrained.lm_head.weight, network.lm_head.weight)
    assert not torch.equal(scratch.lm_head.weight, network.lm_head.weight)


def continued(texts: list[str], **asked: Any) -> list[str]:
    tokenizer = tiny_tokenizer(eos_token="[SEP]")
    rows = TASK.predict(model(), tokenizer, singles(*texts), within(32), Predict(tokens=6, **asked))
    return [row[1] for row in rows]


def test_a_text_is_continued_alike_alone_and_among_others_drawn_or_not() -> None:
    for asked in ({}, {"temperature": 1.0, "seed": 4}):
        together = continued(TEXTS, **asked)
        assert together == [continued([text], **asked)[0] for text in TEXTS]
        assert together == continued(TEXTS, **asked)


def test_other_seeds_draw_other_continuations() -> None:
    assert len({continued(["the film"], temperature=2.0, seed=seed)[0] for seed in range(6)}) > 1


def test_a_text_that_is_over_at_once_is_continued_by_nothing_alone_and_among_others() -> None:
    network, tokenizer = model(), tiny_tokenizer(eos_token="[SEP]")
    network.lm_head.register_forward_hook(lambda _, __, logits: logits.index_fill(-1, torch.tensor([3]), 1e4))
    for texts in (["the film"], TEXTS):
        rows = TASK.predict(network, tokenizer, singles(*texts), within(32), Predict(tokens=6))
        assert list(rows) == [(text, "") for text in texts]


def test_a_continuation_ends_before_the_words_it_is_to_stop_at() -> None:
    whole = continued(["the film"])[0]
    words = whole.split()
    assert len(words) > 1
    assert continued(["the film"], stop=words[1])[0] == whole.partition(words[1])[0]


def test_nothing_is_computed_beyond_them() -> None:
    network, steps = model(), []
    network.register_forward_hook(lambda *_: steps.append(1))
    stop = continued(["the film"])[0].split()[1]
    asked = Predict(tokens=30, stop=stop)
    list(TASK.predict(network, tiny_tokenizer(eos_token="[SEP]"), singles("the film"), within(32), asked))
    assert 0 < len(steps) <= 6


def test_a_text_that_leaves_no_room_for_its_continuation_is_refused() -> None:
    with pytest.raises(DataError, match=r"must fit into 64 tokens, but 'film film .* has 61 and predict.tokens=6"):
        continued([" ".join(["film"] * 60)])
