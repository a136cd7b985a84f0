"""A whole world in miniature: a random two-layer BERT on disk, texts that can be told apart, and overrides for both."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

GOOD = ("bright", "warm", "tender", "clever", "moving", "fresh", "lively", "graceful")
BAD = ("dull", "cold", "clumsy", "tired", "hollow", "stale", "tedious", "crude")
_STEMS, _ENDS = ("film", "scene", "plot", "cast", "tone", "end"), ("s", "ing", "er", "ish", "al")
PLAIN = tuple(f"{stem}{end}" for stem in _STEMS for end in _ENDS)
LABELS = ("bad", "good")

Row = tuple[str, str]


def rows(count: int = 240, *, labels: Sequence[str] = LABELS, seed: int = 0) -> list[Row]:
    """`count` different texts of 4 to 12 words and their labels in turn; two words of each give the label away."""
    generator = np.random.default_rng(seed)
    found = []
    for i in range(count):
        label = i % len(labels)
        tell = (BAD, GOOD)[label] if len(labels) == 2 else (GOOD + BAD)[label :: len(labels)]
        words = [*generator.choice(tell, 2), *generator.choice(PLAIN, int(generator.integers(2, 11)))]
        found.append((" ".join(generator.permutation(words)) + f" {i}", labels[label]))
    return found


def write_csv(path: Path, table: Sequence[Row], *, header: Sequence[str] = ("review", "stars")) -> Path:
    """The rows as a CSV with columns review and stars."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *table])
    return path


def write_base(folder: Path, *, seed: int = 0, layers: int = 2, width: int = 32) -> Path:
    """A random BERT with its tokenizer, as save_pretrained writes them."""
    import torch
    from transformers import BertConfig, BertModel

    torch.manual_seed(seed)
    tokenizer = _tokenizer()
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=2,
        intermediate_size=2 * width,
        max_position_embeddings=64,
    )
    BertModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _tokenizer() -> Any:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    digits = [f"{mark}{d}" for mark in ("", "##") for d in range(10)]
    letters = [f"{mark}{c}" for mark in ("", "##") for c in "abcdefghijklmnopqrstuvwxyz"]
    words = [*special, *GOOD, *BAD, *PLAIN, *digits, *letters]
    core = Tokenizer(models.WordPiece({word: i for i, word in enumerate(words)}, unk_token="[UNK]"))
    core.normalizer = normalizers.Lowercase()
    core.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    core.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        model_max_length=64,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
    )


def overrides(base: Path, data: Path, root: Path) -> list[str]:
    """What the command line is given for trainings of a second on the tiny base; later ones may override these."""
    return [
        "base=local",
        f"base.path={base}",
        "base.name=tiny",
        "task=classification",
        f"task.data.path={data}",
        "task.data.text=review",
        "task.data.label=stars",
        "task.data.validation_size=32",
        "task.data.test_size=48",
        "task.max_length=32",
        "hardware=cpu",
        "executor.workers=2",
        "train.batch=16",
        "train.precision=fp32",
        "tracking=none",
        f"paths.root={root}",
    ]


def study(
    name: str = "small",
    *,
    arms: str = "pretrained,scratch",
    sizes: str = "16,48",
    seeds: str = "0,1",
    claim: bool = True,
) -> list[str]:
    """A study of these cells, each trained for a dozen steps or so, and of one claim about them."""
    claims = ["+study.claims.accurate.statement='A tiny start is more accurate'"] if claim else []
    return [
        *claims,
        f"study.name={name}",
        "study.question='Does a tiny start pay?'",
        f"study.arms=[{arms}]",
        f"study.sizes=[{sizes}]",
        f"study.seeds=[{seeds}]",
        "train.lr=3e-3",
        "train.epochs=3",
        "train.min_steps=12",
    ]


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of the tiny base."""
    return write_base(tmp_path_factory.mktemp("base") / "tiny")


@pytest.fixture(scope="session")
def reviews(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CSV of 240 reviews, two classes."""
    return write_csv(tmp_path_factory.mktemp("data") / "reviews.csv", rows())
