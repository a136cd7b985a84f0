"""Bases small enough for tests: two layers, 32 wide, random, with a tokenizer, as save_pretrained writes them."""

import re
from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from pipeline.config.cell import Cell
from pipeline.config.schema import Arm, Base, Data, Lora, Task, Train
from pipeline.records import CheckpointUse

WORDS = [
    "a",
    "the",
    "film",
    "plot",
    "actor",
    "was",
    "is",
    "good",
    "bad",
    "great",
    "dull",
    "not",
    "very",
    "fine",
    "poor",
    "long",
    "short",
    "and",
    "or",
    "but",
]
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, *"abcdefghijklmnopqrstuvwxyz.,!"]
LABELS = ("negative", "positive", "mixed")
VOCABULARY = [*dict.fromkeys(VOCABULARY), *(f"##{c}" for c in "abcdefghijklmnopqrstuvwxyz"), *LABELS]
LAYERS, WIDTH, HEADS, INNER, LONGEST = 2, 32, 4, 64, 64

_BERT_LIKE = {
    "vocab_size": len(VOCABULARY),
    "hidden_size": WIDTH,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS,
    "intermediate_size": INNER,
    "max_position_embeddings": LONGEST,
    "pad_token_id": 0,
}

FAMILIES: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": (
        "LlamaConfig",
        {**_BERT_LIKE, "num_key_value_heads": 2, "bos_token_id": 2, "eos_token_id": 3, "tie_word_embeddings": True},
    ),
    "bert": ("BertConfig", _BERT_LIKE),
    "roberta": ("RobertaConfig", {**_BERT_LIKE, "max_position_embeddings": LONGEST + 2}),
    "distilbert": (
        "DistilBertConfig",
        {"vocab_size": len(VOCABULARY), "dim": WIDTH, "n_layers": LAYERS, "n_heads": HEADS, "hidden_dim": INNER,
         "max_position_embeddings": LONGEST, "pad_token_id": 0},
    ),
    "modernbert": (
        "ModernBertConfig",
        {**_BERT_LIKE, "cls_token_id": 2, "sep_token_id": 3, "bos_token_id": 2, "eos_token_id": 3},
    ),
    "deberta-v2": (
        "DebertaV2Config",
        {**_BERT_LIKE, "relative_attention": True, "pos_att_type": ["p2c", "c2p"], "position_buckets": 16,
         "max_relative_positions": LONGEST, "norm_rel_ebd": "layer_norm", "share_att_key": True},
    ),
}  # fmt: skip
TWO_PARTS: dict[str, tuple[str, dict[str, Any]]] = {  # an encoder and a decoder
    "t5": (
        "T5Config",
        {"vocab_size": len(VOCABULARY), "d_model": WIDTH, "d_kv": WIDTH // HEADS, "d_ff": INNER, "num_layers": LAYERS,
         "num_heads": HEADS, "pad_token_id": 0, "decoder_start_token_id": 0, "eos_token_id": 3},
    ),
    "bart": (
        "BartConfig",
        {"vocab_size": len(VOCABULARY), "d_model": WIDTH, "encoder_layers": LAYERS, "decoder_layers": LAYERS,
         "encoder_attention_heads": HEADS, "decoder_attention_heads": HEADS, "encoder_ffn_dim": INNER,
         "decoder_ffn_dim": INNER, "max_position_embeddings": LONGEST, "pad_token_id": 0, "bos_token_id": 2,
         "eos_token_id": 3, "decoder_start_token_id": 3, "forced_eos_token_id": 3},
    ),
    "marian": (
        "MarianConfig",
        {"vocab_size": len(VOCABULARY), "d_model": WIDTH, "encoder_layers": LAYERS, "decoder_layers": LAYERS,
         "encoder_attention_heads": HEADS, "decoder_attention_heads": HEADS, "encoder_ffn_dim": INNER,
         "decoder_ffn_dim": INNER, "max_position_embeddings": LONGEST, "pad_token_id": 0, "eos_token_id": 3,
         "decoder_start_token_id": 0, "forced_eos_token_id": 3, "scale_embedding": True},
    ),
}  # fmt: skip


def tiny_tokenizer(**special: str | None) -> Any:
    """A WordPiece tokenizer over VOCABULARY, with [PAD], [CLS] and [SEP] unless `special` says otherwise."""
    core = Tokenizer(models.WordPiece({w: i for i, w in enumerate(VOCABULARY)}, unk_token="[UNK]"))
    core.normalizer = normalizers.BertNormalizer(lowercase=True)
    core.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    core.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokens = {"unk_token": "[UNK]", "pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    tokens |= {"mask_token": "[MASK]"} | special
    given = {k: v for k, v in tokens.items() if v is not None}
    return transformers.PreTrainedTokenizerFast(tokenizer_object=core, model_max_length=LONGEST, **given)


def tiny_config(family: str = "bert", **changes: Any) -> Any:
    """The family's configuration with tiny sizes."""
    name, settings = (FAMILIES | TWO_PARTS)[family]
    return getattr(transformers, name)(**{**settings, **changes})


def save_tiny(folder: Path, family: str = "bert", *, dtype: torch.dtype = torch.float32, **changes: Any) -> Path:
    """Write a random base (without a task's head) and its tokenizer to `folder`."""
    with torch.random.fork_rng():
        torch.manual_seed(11)
        model = transformers.AutoModel.from_config(tiny_config(family, **changes))
    model.to(dtype).save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)
    return folder


def whole_checkpoint() -> CheckpointUse:
    """What a classifier uses of the BERT that `save_tiny` writes: all of it."""
    sizes = [p.numel() for p in transformers.AutoModel.from_config(tiny_config()).parameters()]
    return CheckpointUse(body="bert.", loaded=len(sizes), loaded_parameters=sum(sizes))


def without(base: Path, pattern: str) -> Path:
    """Take the tensors whose names match a regular expression out of a base's checkpoint."""
    file = base / "model.safetensors"
    kept = {name: tensor for name, tensor in load_file(file).items() if not re.search(pattern, name)}
    save_file(kept, file, metadata={"format": "pt"})
    return base


def base_in(folder: Path, **changes: Any) -> Base:
    """The base in a directory."""
    return Base(**{"name": "tiny", "source": "local", "path": str(folder), **changes})


ARMS = {
    "pretrained": Arm(name="pretrained"),
    "scratch": Arm(name="scratch", start="scratch"),
    "frozen": Arm(name="frozen", method="linear_probe"),
    "lora": Arm(name="lora", method="lora", lora=Lora(rank=2, alpha=4.0)),
}


def cell_for(arm: str | Arm, base: Base, **train: Any) -> Cell:
    """A cell of the classification kind."""
    return Cell(
        base=base,
        task=Task(name="reviews", data=Data(path="reviews.csv"), max_length=LONGEST),
        arm=ARMS[arm] if isinstance(arm, str) else arm,
        train=Train(**{"precision": "fp32", **train}),
    )
