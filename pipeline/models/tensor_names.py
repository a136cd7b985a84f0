"""The names of the tensors in a checkpoint, read from the headers of its files."""

import json
from functools import lru_cache
from pathlib import Path


@lru_cache(maxsize=8)
def tensor_names(directory: Path) -> frozenset[str]:
    """Names of all tensors in the directory's safetensors files."""
    found: set[str] = set()
    for file in sorted(directory.glob("*.safetensors")):
        with open(file, "rb") as stream:
            header = json.loads(stream.read(int.from_bytes(stream.read(8), "little")))
        found |= header.keys() - {"__metadata__"}
    return frozenset(found)
