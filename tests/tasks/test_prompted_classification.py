"""Classes told by their words: prompts that are never cut, words that must be one token, and zero-shot answers."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pipeline.config.compose import compose
from pipeline.config.schema import Predict
from pipeline.errors import ConfigError, DataError
from pipeline.models.build import build
from pipeline.models.checkpoints.locate import locate
from pipeline.tasks import EncodeSettings, Vocabulary, kind, vocabulary_of
from tests.contracts.test_task_kinds import cell
from tests.examples_kit import singles, within
from tests.models.tiny_bases import ARMS, LABELS, VOCABULARY, base_in, save_tiny, tiny_tokenizer

TASK = kind("prompted_classification")
GAP = within(16, prompt="{text} it was [MASK]", classes=LABELS)
OPEN = within(16, prompt="{text} it was", classes=LABELS)


def decoders() -> Any:
    """A tokenizer without a token for gaps."""
    return tiny_tokenizer(mask_token=None, bos_token="[CLS]", eos_token="[SEP]")


def words(tokenizer: Any, row: np.ndarray) -> list[str]:
    return list(tokenizer.convert_ids_to_tokens(row.tolist()))


def batch(task: EncodeSettings, tokenizer: Any, texts: list[str]) -> dict[str, torch.Tensor]:
    encoded, labels = TASK.encode(singles(*texts), tokenizer, task), np.arange(len(texts))
    vocabulary, seeds = vocabulary_of(TASK, tokenizer, LABELS), labels.astype(np.uint64)
    return TASK.collate(encoded.ids, labels, vocabulary=vocabulary, seeds=seeds, beside={})


def test_a_text_stands_in_its_prompt_with_the_tokenizers_own_gap() -> None:
    (row,) = TASK.encode(singles("the film"), tiny_tokenizer(), GAP).ids
    assert words(tiny_tokenizer(), row) == ["[CLS]", "the", "film", "i", "##t", "was", "[MASK]", "[SEP]"]


def test_what_is_too_long_is_cut_off_the_text_and_not_off_the_prompt() -> None:
    encoded = TASK.encode(singles("film " * 30 + "plot", "film"), tiny_tokenizer(), GAP)
    long = words(tiny_tokenizer(), encoded.ids[0])
    assert long == ["[CLS]", *["film"] * 10, "i", "##t", "was", "[MASK]", "[SEP]"]
    assert encoded.truncated == 1


def test_a_decoders_text_ends_with_the_prompt() -> None:
    (row,) = TASK.encode(singles("the film"), decoders(), OPEN).ids
    assert words(decoders(), row) == ["the", "film", "i", "##t", "was"]
    assert batch(OPEN, decoders(), ["the film", "film"])["place"].tolist() == [4, 3]


def test_the_word_is_told_at_the_gap() -> None:
    assert batch(GAP, tiny_tokenizer(), ["the film", "film"])["place"].tolist() == [6, 5]


@pytest.mark.parametrize(
    ("family", "task", "tokenizer"), [("bert", GAP, tiny_tokenizer()), ("llama", OPEN, decoders())]
)
def test_the_logits_are_the_networks_own_of_the_words_at_that_place(
    family: str, task: EncodeSettings, tokenizer: Any, tmp_path: Path
) -> None:
    located = locate(base_in(save_tiny(tmp_path / family, family)))
    model = build(cell(TASK, located), located, LABELS, seed=2).model.eval()
    given = batch(task, tokenizer, ["the film is good", "dull"])
    with torch.no_grad():
        logits = TASK.forward(model, given)
        whole = model(input_ids=given["input_ids"], attention_mask=given["attention_mask"]).logits
    for row, place in enumerate(given["place"].tolist()):
        expected = whole[row, place, [VOCABULARY.index(label) for label in LABELS]]
        assert torch.allclose(logits[row], expected, atol=1e-5)


def test_the_gap_must_be_there_exactly_for_a_base_that_fills_gaps() -> None:
    with pytest.raises(DataError, match=r"task.prompt must have a gap, written as \[MASK\], for this base, an encoder"):
        TASK.encode(singles("film"), tiny_tokenizer(), OPEN)
    with pytest.raises(DataError, match=r"task.prompt must have no gap \(\[MASK\]\) for this base, a decoder"):
        TASK.encode(singles("film"), decoders(), GAP)


def test_classes_called_by_several_tokens_are_refused_by_name() -> None:
    with pytest.raises(DataError, match=r"'terrible' \(8 tokens\).*task.data.label_names"):
        vocabulary_of(TASK, tiny_tokenizer(), ("good", "terrible"))


def test_two_classes_with_one_word_are_refused() -> None:
    with pytest.raises(DataError, match="two of good, Good are one token"):
        vocabulary_of(TASK, tiny_tokenizer(), ("good", "Good"))


def test_other_kinds_need_no_words() -> None:
    assert vocabulary_of(kind("classification"), tiny_tokenizer(), ("a b c", "terrible")) == Vocabulary(pad=0, mask=4)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (["task.prompt=bare"], r"task.prompt must have \{text\} in it once"),
        (["task.prompt=null"], r"task.prompt must be a text with \{text\} in it for prompted_classification"),
        (["task.kind=classification"], "task.prompt must be null for classification"),
    ],
)
def test_a_prompt_that_does_not_serve_is_refused(given: list[str], why: str) -> None:
    from pipeline.tasks import kind_of

    with pytest.raises(ConfigError, match=why):
        kind_of(compose(["task=prompted_classification", "task.data.path=a.csv", *given]).task)


def test_a_prediction_shows_the_text_alone(tmp_path: Path) -> None:
    located = locate(base_in(save_tiny(tmp_path / "bert")))
    one = dataclasses.replace(cell(TASK, located), arm=ARMS["pretrained"])
    model = build(one, located, LABELS, seed=2).model.eval()
    with torch.no_grad():
        rows = list(TASK.predict(model, tiny_tokenizer(), singles("the film", "dull"), GAP, Predict()))
    assert [row[0] for row in rows] == ["the film", "dull"]
    assert all(row[1] in LABELS for row in rows)
