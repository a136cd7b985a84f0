"""Tokenizers that cut texts into sentence pieces (Unigram), with the special tokens of those that come with bases."""

from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from tests.models.tiny_bases import LABELS, LONGEST, WORDS, tiny_config

SPACE = "▁"
PIECES = [(f"{SPACE}{word}", -2.0 - i / 100) for i, word in enumerate((*WORDS, *LABELS))]
PIECES += [(SPACE, -5.0), *((letter, -7.0) for letter in "abcdefghijklmnopqrstuvwxyz.,!é")]
# Of each form: special tokens in the order of their numbers, what stands around one text and two, what each is for.
FORMS: dict[str, tuple[tuple[str, ...], str, str, dict[str, str]]] = {
    "xlm-roberta": (
        ("<s>", "<pad>", "</s>", "<unk>", "<mask>"),
        "<s> $A </s>",
        "<s> $A </s> </s> $B </s>",
        {"bos_token": "<s>", "cls_token": "<s>", "sep_token": "</s>", "eos_token": "</s>", "mask_token": "<mask>"},
    ),
    "t5": (("<pad>", "</s>", "<unk>"), "$A </s>", "$A </s> $B </s>", {"eos_token": "</s>"}),
    "albert": (
        ("<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]"),
        "[CLS] $A [SEP]",
        "[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        {
            "bos_token": "[CLS]",
            "cls_token": "[CLS]",
            "sep_token": "[SEP]",
            "eos_token": "[SEP]",
            "mask_token": "[MASK]",
        },
    ),
}


def tiny_pieces(form: str) -> Any:
    """A tokenizer over PIECES in one of FORMS."""
    special, single, pair, uses = FORMS[form]
    core = Tokenizer(models.Unigram([*((token, 0.0) for token in special), *PIECES], unk_id=special.index("<unk>")))
    core.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    core.pre_tokenizer = pre_tokenizers.Metaspace(replacement=SPACE, prepend_scheme="always")
    core.decoder = decoders.Metaspace(replacement=SPACE, prepend_scheme="always")
    numbers = [(token, number) for number, token in enumerate(special)]
    core.post_processor = processors.TemplateProcessing(single=single, pair=pair, special_tokens=numbers)
    given: dict[str, Any] = {"unk_token": "<unk>", "pad_token": "<pad>", **uses}
    if "mask_token" in given:
        given["mask_token"] = AddedToken(given["mask_token"], lstrip=True, special=True)
    return transformers.PreTrainedTokenizerFast(tokenizer_object=core, model_max_length=LONGEST, **given)


def save_pieces(folder: Path, family: str, form: str) -> Path:
    """Write a random base of the family, with a tokenizer of this form, to `folder`."""
    tokenizer = tiny_pieces(form)
    tokens = {"vocab_size": len(tokenizer), "pad_token_id": tokenizer.pad_token_id}
    tokens |= {"eos_token_id": tokenizer.eos_token_id, "decoder_start_token_id": tokenizer.pad_token_id}
    with torch.random.fork_rng():
        torch.manual_seed(11)
        transformers.AutoModel.from_config(tiny_config(family, **tokens)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
