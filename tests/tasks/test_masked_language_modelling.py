"""Gaps, what is read of them, and scores worked out by hand."""

import math

import numpy as np
import pytest
import torch
import transformers

from pipeline.config.schema import Predict
from pipeline.errors import DataError
from pipeline.tasks import Example, KnowingKind, Vocabulary, kind
from pipeline.tasks.texts.filling import read_with_gaps
from tests.examples_kit import singles, within
from tests.models.tiny_bases import tiny_tokenizer

TASK = kind("masked_language_modelling")
MASK = 4
ASKED = (within(16, classes=("text",)), Predict())


def batch_of(lengths: list[int], seed: int = 0) -> dict[str, torch.Tensor]:
    """Texts of tokens from 10 on, between the special ones 2 and 3."""
    ids = [np.concatenate([[2], 10 + np.arange(length - 2), [3]]).astype(np.int32) for length in lengths]
    seeds = np.arange(seed, seed + len(ids), dtype=np.uint64)
    vocabulary = Vocabulary(pad=0, mask=MASK)
    return TASK.collate(ids, np.zeros(len(ids)), vocabulary=vocabulary, seeds=seeds, beside={})


def tiny(vocabulary: int = 40) -> torch.nn.Module:
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=vocabulary, hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8
    )
    model: torch.nn.Module = TASK.build(config).eval()
    return model


@pytest.mark.parametrize(("length", "gaps"), [(3, 1), (5, 1), (12, 2), (22, 3), (102, 15)])
def test_a_token_in_seven_is_a_gap_and_one_at_least(length: int, gaps: int) -> None:
    batch = batch_of([length])
    assert batch["targets"].shape == (1, gaps)
    assert int((batch["input_ids"] == MASK).sum()) == gaps
    assert batch["input_ids"][0, batch["places"][0]].tolist() == [MASK] * gaps


def test_special_tokens_are_never_gaps_and_targets_are_what_stood_there() -> None:
    for seed in range(40):
        batch = batch_of([9, 14], seed)
        for row in range(2):
            there = batch["targets"][row] >= 0
            assert torch.equal(batch["targets"][row][there], 9 + batch["places"][row][there])
            assert (batch["places"][row][there] >= 1).all()


def test_other_seeds_leave_out_other_tokens_and_all_of_them_in_turn() -> None:
    places = {int(batch_of([9], seed)["places"][0, 0]) for seed in range(100)}
    assert places == set(range(1, 8))


def test_the_decoder_gives_at_the_gaps_what_it_gives_over_the_whole_text() -> None:
    model, batch = tiny(), batch_of([22, 9, 12])
    with torch.no_grad():
        whole = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
        found = TASK.forward(model, batch)
        again = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
    assert torch.equal(whole, again), "the network was left changed"
    for row in range(3):
        assert torch.allclose(found[row], whole[row, batch["places"][row]], atol=1e-6)


def test_scores_of_two_texts_by_hand() -> None:
    targets = torch.tensor([[1, 0], [2, -100]])
    logits = torch.zeros((2, 2, 8))
    logits[0, 0, 1] = 2.0  # right
    logits[0, 1, 3:] = 1.0  # five tokens before the right one
    logits[1, 0, 5] = 1.0  # one before
    logits[1, 0, 2] = 0.5
    answers = TASK.answers(logits, {"targets": targets})
    first = (math.log(math.exp(2) + 7) - 2 + math.log(5 * math.e + 3)) / 2
    second = math.log(math.e + math.exp(0.5) + 6) - 0.5
    np.testing.assert_allclose(answers.numpy(), [[first, 0.5, 0.5], [second, 0, 1]], rtol=1e-5)
    measured = TASK.measure(TASK.outputs(answers.numpy(), np.zeros(2)))
    assert measured["top1"] == pytest.approx(0.25)
    assert measured["top5"] == pytest.approx(0.75)
    assert measured["loss"] == pytest.approx((first + second) / 2, rel=1e-5)
    assert measured["perplexity"] == pytest.approx(math.exp((first + second) / 2), rel=1e-5)


def test_a_tie_with_another_token_is_a_miss() -> None:
    logits = torch.zeros((2, 1, 8))
    logits[0, 0, 3:5] = 1.0  # the right one and another
    logits[1, 0, :6] = 1.0  # the right one and five others
    answers = TASK.answers(logits, {"targets": torch.tensor([[3], [0]])})
    assert answers[:, 1:].tolist() == [[0, 1], [0, 0]]


def test_the_decoder_is_tied_to_the_token_embedding() -> None:
    model = tiny()
    assert model.get_output_embeddings().weight is model.get_input_embeddings().weight


def test_the_likeliest_tokens_of_each_gap_come_in_order() -> None:
    tokenizer = tiny_tokenizer()
    with torch.no_grad():
        rows = list(
            TASK.predict(
                tiny(len(tokenizer)),
                tokenizer,
                singles("a <mask> film is [MASK]"),
                *ASKED,
            )
        )
    assert [row[1] for row in rows] == ["1"] * 5 + ["2"] * 5
    for gap in (rows[:5], rows[5:]):
        shares = [float(row[3]) for row in gap]
        assert shares == sorted(shares, reverse=True)


@pytest.mark.parametrize(
    ("text", "gaps"), [("a __ film is ____.", 2), ("a [MASK] film is __", 2), ("__ film", 1), ("the __film__ is", 0)]
)
def test_a_blank_is_a_gap_unless_it_belongs_to_a_word(text: str, gaps: int) -> None:
    tokenizer = tiny_tokenizer()
    read = read_with_gaps(text, tokenizer, 16)["input_ids"][0]
    assert int((read == tokenizer.mask_token_id).sum()) == gaps


def test_a_text_without_a_gap_is_refused() -> None:
    tokenizer = tiny_tokenizer()
    with pytest.raises(DataError, match=r"needs a gap to be filled, written as \[MASK\] or __, but 'a film' has none"):
        list(TASK.predict(tiny(len(tokenizer)), tokenizer, singles("a film"), *ASKED))


def test_a_tokenizer_without_a_token_for_gaps_is_refused() -> None:
    tokenizer = tiny_tokenizer()
    tokenizer.mask_token = None
    with pytest.raises(DataError, match="needs a base whose tokenizer has a mask token"):
        TASK.encode(singles("a film"), tokenizer, within(16))


def test_how_well_it_knows_a_text_is_asked_of_each_token_without_the_rest_of_its_word() -> None:
    tokenizer = tiny_tokenizer()
    model = tiny(len(tokenizer))
    read = tokenizer("a films [MASK] is", return_tensors="pt")
    assert tokenizer.convert_ids_to_tokens(read["input_ids"][0])[1:-1] == ["a", "film", "##s", "[MASK]", "is"]
    expected = []
    for place, left_out in ((1, [1]), (2, [2, 3]), (3, [3]), (5, [5])):  # the gap stays one, and is not asked for
        without = read["input_ids"].clone()
        without[0, left_out] = tokenizer.mask_token_id
        with torch.no_grad():
            told = model(input_ids=without, attention_mask=read["attention_mask"]).logits[0, place].log_softmax(dim=-1)
        expected.append(-float(told[read["input_ids"][0, place]]))
    assert isinstance(TASK, KnowingKind)
    with torch.no_grad():
        found = TASK.surprise(model, tokenizer, singles("a films <mask> is"), within(16))
        again = TASK.surprise(model, tokenizer, singles("the plot", "a films [MASK] is"), within(16))
    assert found.tolist() == pytest.approx(expected, abs=1e-5)
    assert again[2:].tolist() == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("text", ["[MASK]", "[MASK] \u2603"])
def test_of_a_text_of_gaps_and_unknown_signs_nothing_is_said_to_be_known(text: str) -> None:
    tokenizer = tiny_tokenizer()
    assert isinstance(TASK, KnowingKind)
    assert len(TASK.surprise(tiny(len(tokenizer)), tokenizer, singles(text), within(16))) == 0


def test_the_prompt_of_a_task_is_no_part_of_the_text_that_is_learnt_before_it() -> None:
    plain, prompted = (
        TASK.encode(singles("a fine film"), tiny_tokenizer(), within(16, prompt=prompt)).ids[0].tolist()
        for prompt in (None, "{text} it was [MASK]")
    )
    assert prompted == plain


def test_both_texts_of_a_pair_are_learnt_as_one() -> None:
    whole, both = (
        TASK.encode([example], tiny_tokenizer(), within(16)).ids[0].tolist()
        for example in (Example(text="a fine film"), Example(text="a fine", second="film"))
    )
    assert both == whole
