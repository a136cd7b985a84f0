"""What every kind promises of encoding, with tokenizers that cut texts into sentence pieces; and a base with one."""

from typing import Any

import numpy as np
import pytest
import torch

from pipeline.config.schema import Predict
from pipeline.models.build import build
from pipeline.models.checkpoints.locate import locate
from pipeline.models.tokenizer import load_tokenizer
from pipeline.tasks import KINDS, PromptedKind, TaskKind, Vocabulary, kind
from tests.contracts.kinds_kit import cell
from tests.examples_kit import pair, singles, within
from tests.models.tiny_bases import LABELS, base_in
from tests.models.tiny_pieces import FORMS, SPACE, save_pieces, tiny_pieces

TEXTS = ["the film is good", "dull", "a  very long and dull plot but 🎬🎬 a fine actor é", ""]
PAIRS = [pair("the film was good", "fine"), pair("dull", "not a good plot"), pair("a very long plot", "long")]
UNMASKED = "t5"  # whose tokenizer has no token for gaps
FORMED = [(name, form) for name in sorted(KINDS) for form in FORMS]
FORMED.remove(("masked_language_modelling", UNMASKED))
CUT = [("the film was good", 3, "the film"), ("a é é film", 4, "a é"), ("🎬🎬 film", 3, "🎬🎬")]


@pytest.mark.parametrize(("name", "form"), FORMED)
def test_texts_are_never_longer_than_asked_and_are_encoded_alike_alone_and_among_others(name: str, form: str) -> None:
    task, tokenizer = kind(name), tiny_pieces(form)
    together = task.encode(singles(*TEXTS), tokenizer, within(8))
    assert {row.dtype for row in together.ids} == {np.dtype(np.int32)}
    assert all(len(row) <= 8 for row in together.ids)
    assert together.truncated == 1
    for text, row in zip(TEXTS, together.ids, strict=True):
        assert np.array_equal(task.encode(singles(text), tokenizer, within(8)).ids[0], row)


@pytest.mark.parametrize(("name", "form"), FORMED)
@pytest.mark.parametrize(("beyond", "truncated"), [(-1, 0), (0, 0), (1, 1)])
def test_a_text_counts_as_truncated_exactly_when_its_tokens_do_not_all_fit(
    name: str, form: str, beyond: int, truncated: int
) -> None:
    task, tokenizer = kind(name), tiny_pieces(form)
    around = len(task.encode(singles("film"), tokenizer, within(8)).ids[0]) - 1
    encoded = task.encode(singles(" ".join(["film"] * (8 - around + beyond))), tokenizer, within(8))
    assert (encoded.truncated, len(encoded.ids[0])) == (truncated, min(8, 8 + beyond))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("text", TEXTS)
def test_bytes_of_a_whole_text_are_those_of_the_text(form: str, text: str) -> None:
    encoded = kind("causal_language_modelling").encode(singles(text), tiny_pieces(form), within(64))
    assert encoded.beside["bytes"].tolist() == [len(text.encode())]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("text", "length", "kept"), CUT)
def test_bytes_of_a_text_that_was_cut_are_those_up_to_its_last_token(
    form: str, text: str, length: int, kept: str
) -> None:
    encoded = kind("causal_language_modelling").encode(singles(text), tiny_pieces(form), within(length))
    assert (encoded.beside["bytes"].tolist(), encoded.truncated) == ([len(kept.encode())], 1)


@pytest.mark.parametrize("form", FORMS)
def test_classes_are_called_by_the_pieces_that_stand_after_a_space(form: str) -> None:
    task, tokenizer = kind("prompted_classification"), tiny_pieces(form)
    assert isinstance(task, PromptedKind)
    pieces = tokenizer.convert_ids_to_tokens(task.words(tokenizer, LABELS))
    assert pieces == [f"{SPACE}{label}" for label in LABELS]


@pytest.mark.parametrize("form", FORMS)
def test_what_is_too_long_is_cut_off_the_text_and_not_off_its_prompt(form: str) -> None:
    task, tokenizer = kind("prompted_classification"), tiny_pieces(form)
    prompt = "{text} it was" + ("" if form == UNMASKED else " [MASK]")
    settings = within(14, prompt=prompt)
    (long,) = task.encode(singles("film " * 30), tokenizer, settings).ids
    (short,) = task.encode(singles("dull"), tokenizer, settings).ids
    assert len(long) == 14
    assert long[-4:].tolist() == short[-4:].tolist()


@pytest.fixture(scope="module")
def translator(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any, TaskKind]:
    """A tiny T5 with pieces: its network, its tokenizer and the kind."""
    task, folder = kind("translation"), save_pieces(tmp_path_factory.mktemp("t5") / "base", "t5", "t5")
    located = locate(base_in(folder))
    return build(cell(task, located), located, LABELS, seed=2).model.eval(), load_tokenizer(folder), task


def test_a_t5_tells_what_transformers_says_it_tells(translator: tuple[Any, Any, TaskKind]) -> None:
    model, tokenizer, task = translator
    encoded, none = task.encode(PAIRS, tokenizer, within(32)), np.zeros(len(PAIRS), dtype=np.int64)
    vocabulary, seeds = Vocabulary.of(tokenizer), none.astype(np.uint64)
    batch = task.collate(encoded.ids, none, vocabulary=vocabulary, seeds=seeds, beside=encoded.beside)
    with torch.no_grad():
        ours = task.losses(task.forward(model, batch), batch)
        for each, loss in zip(PAIRS, ours, strict=True):
            source, target = (tokenizer(part, return_tensors="pt")["input_ids"] for part in (each.text, each.second))
            assert float(model(input_ids=source, labels=target).loss) == pytest.approx(float(loss), rel=1e-4)
    assert all("100.0%" in sentence for sentence in encoded.sentences)


def test_a_t5_writes_the_same_in_any_company(translator: tuple[Any, Any, TaskKind]) -> None:
    model, tokenizer, task = translator
    texts = [each.text for each in PAIRS]

    def said(asked: list[str]) -> list[str]:
        with torch.no_grad():
            rows = task.predict(model, tokenizer, singles(*asked), within(32), Predict(temperature=0))
            return [row[1] for row in rows]

    together = said(texts)
    assert together == [said([text])[0] for text in texts]
    assert not any(SPACE in text for text in together)
