"""Decoders as classifiers: of a text the same is said alone and beside longer ones, however texts are padded."""

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from command_kit import command

from tests import tiny
from tests.models.tiny_bases import save_tiny, tiny_tokenizer
from tests.tiny import reviews

__all__ = ["reviews"]

Capture = pytest.CaptureFixture[str]
TEXTS = ["dull", "a bright and warm film", "cold", "the plot was long and the actor was dull but the film is good", "a"]


def padding_left(folder: Path) -> Path:
    save_tiny(folder, "llama")
    tokenizer = tiny_tokenizer(eos_token="[SEP]")
    tokenizer.padding_side = "left"
    tokenizer.save_pretrained(folder)
    return folder


def without_padding(folder: Path) -> Path:
    save_tiny(folder, "llama", pad_token_id=None)
    tiny_tokenizer(pad_token=None, eos_token="[SEP]").save_pretrained(folder)
    return folder


@pytest.mark.parametrize("save", [padding_left, without_padding])
@pytest.mark.parametrize("arm", ["pretrained", "lora"])
def test_a_text_is_classified_alike_alone_and_beside_longer_ones(
    save: Callable[[Path], Path], arm: str, reviews: Path, tmp_path: Path, capsys: Capture
) -> None:
    base, root = save(tmp_path / "base"), tmp_path / "out"
    world = [*tiny.overrides(base, reviews, root), f"arm={arm}"]
    steps = ["train.size=16", "train.min_steps=6", "train.max_steps=6", "train.lr=3e-2", "train.keep=all"]
    assert command(capsys, "train", *world, *steps).code == 0
    (tmp_path / "texts.txt").write_text("\n".join(TEXTS), encoding="utf-8")
    together = rows(capsys, *world, f"predict.path={tmp_path / 'texts.txt'}")
    assert [row["text"] for row in together] == TEXTS
    assert len({row["probability"] for row in together}) > 1
    for row in together:
        (alone,) = rows(capsys, *world, f"predict.text='{row['text']}'")
        assert alone["label"] == row["label"]
        assert float(alone["probability"]) == pytest.approx(float(row["probability"]), abs=2e-4)


def rows(capsys: Capture, *arguments: str) -> list[dict[str, str]]:
    """What `predict` writes."""
    done = command(capsys, "predict", *arguments)
    assert done.code == 0, done.err
    return list(csv.DictReader(io.StringIO(done.out)))
