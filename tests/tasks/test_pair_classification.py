"""Pairs of texts: both are read, told apart where the base tells them apart, and neither is lost to the other."""

from typing import Any

import numpy as np
import torch
import transformers

from pipeline.tasks import Example, Vocabulary, kind
from tests.examples_kit import pair, within
from tests.models.tiny_bases import tiny_config, tiny_tokenizer

TASK = kind("pair_classification")
TEXTS = [pair("the film was good", "a fine film"), pair("dull", "a very long and dull plot")]


def typed_tokenizer() -> Any:
    """As BERT's: 1 for the tokens of the second text."""
    from tokenizers import processors

    tokenizer = tiny_tokenizer()
    tokenizer.model_input_names = ["input_ids", "token_type_ids", "attention_mask"]
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return tokenizer


def batch(tokenizer: Any, examples: list[Example]) -> dict[str, torch.Tensor]:
    encoded, none = TASK.encode(examples, tokenizer, within(32)), np.zeros(len(examples), dtype=np.int64)
    seeds = none.astype(np.uint64)
    return TASK.collate(encoded.ids, none, vocabulary=Vocabulary(pad=0), seeds=seeds, beside=encoded.beside)


def test_the_tokens_are_the_tokenizers_own_for_both_texts() -> None:
    tokenizer = typed_tokenizer()
    for each, row in zip(TEXTS, TASK.encode(TEXTS, tokenizer, within(32)).ids, strict=True):
        assert row.tolist() == tokenizer(each.text, each.second)["input_ids"]


def test_whose_text_a_token_is_of_is_the_tokenizers_own_word() -> None:
    tokenizer = typed_tokenizer()
    types = batch(tokenizer, TEXTS)["token_type_ids"]
    for each, row in zip(TEXTS, types, strict=True):
        own = tokenizer(each.text, each.second, return_token_type_ids=True)["token_type_ids"]
        assert row.tolist() == own + [0] * (len(row) - len(own))


def test_a_tokenizer_that_tells_nothing_leaves_all_tokens_alike() -> None:
    silent = typed_tokenizer()
    silent.model_input_names = ["input_ids", "attention_mask"]
    for tokenizer in (tiny_tokenizer(), silent):
        assert not batch(tokenizer, TEXTS)["token_type_ids"].any()


def test_a_base_that_tells_texts_apart_is_told_and_another_is_not() -> None:
    told = batch(typed_tokenizer(), TEXTS)
    untold = told | {"token_type_ids": torch.zeros_like(told["token_type_ids"])}
    for types, differs in ((2, True), (1, False)):
        torch.manual_seed(0)
        config = tiny_config(type_vocab_size=types, num_labels=2)
        model = transformers.BertForSequenceClassification(config).eval()
        with torch.no_grad():
            same = torch.allclose(TASK.forward(model, told), TASK.forward(model, untold), atol=1e-6)
        assert same != differs


def test_the_longer_text_is_cut_short_first_and_counted() -> None:
    long = pair("film " * 30, "good")
    encoded = TASK.encode([long, TEXTS[0]], typed_tokenizer(), within(16))
    assert encoded.truncated == 1
    good = typed_tokenizer()("good")["input_ids"][1]
    assert encoded.ids[0].tolist()[-2] == good
    assert len(encoded.ids[0]) == 16
