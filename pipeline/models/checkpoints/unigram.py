"""A fast tokenizer from the pieces of a SentencePiece Unigram model and their log probabilities (Kudo 2018)."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_SPECIAL = {"bos_token": "<s>", "cls_token": "<s>", "eos_token": "</s>", "sep_token": "</s>", "pad_token": "<pad>",
            "unk_token": "<unk>"}  # fmt: skip
_MASK = "<mask>"


@dataclass(frozen=True, kw_only=True)
class Pieces:
    """A vocabulary, in the order of its ids, and what single characters are replaced by before texts are split."""

    scored: tuple[tuple[str, float], ...]
    normalised: Mapping[str, str]


def tokenizer(pieces: Pieces, longest: int) -> Any:
    """A tokenizer of transformers with XLM-RoBERTa's special tokens, for texts of up to `longest` tokens.

    Raises:
        ValueError: the vocabulary lacks a special token.
    """
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    ids = {piece: at for at, (piece, _) in enumerate(pieces.scored)}
    if lacking := {*_SPECIAL.values(), _MASK} - ids.keys():
        raise ValueError(f"its vocabulary must hold the special tokens of XLM-RoBERTa, but lacks {min(lacking)}")
    core = Tokenizer(models.Unigram(list(pieces.scored), unk_id=ids["<unk>"], byte_fallback=False))
    core.normalizer = _normalizer(pieces.normalised)
    # A mark only before the first part: what follows a mask token belongs to the same word.
    core.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    core.decoder = decoders.Metaspace(prepend_scheme="first")
    core.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[(token, ids[token]) for token in ("<s>", "</s>")],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        model_max_length=longest,
        mask_token=AddedToken(_MASK, lstrip=True, special=True),
        **_SPECIAL,
    )


def _normalizer(normalised: Mapping[str, str]) -> Any:
    """Unicode's NFKC, the characters for which the vocabulary's own rules differ from it, and single spaces."""
    from tokenizers import Regex, normalizers

    others: dict[str, list[str]] = {}
    for character, replacement in normalised.items():
        if unicodedata.normalize("NFKC", character) != replacement:
            others.setdefault(replacement, []).append(f"\\x{{{ord(character):x}}}")
    rules = [normalizers.Replace(Regex(f"[{''.join(codes)}]"), to) for to, codes in others.items()]
    return normalizers.Sequence([*rules, normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
