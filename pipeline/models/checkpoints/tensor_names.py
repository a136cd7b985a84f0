"""What a checkpoint's safetensors files say of themselves in their headers: which tensors they hold."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from pipeline.errors import BaseModelError


@lru_cache(maxsize=8)
def tensor_names(directory: Path) -> frozenset[str]:
    """Names of all tensors in the directory's safetensors files."""
    single = directory / "model.safetensors"
    files = [single] if single.exists() else directory.glob("*.safetensors")
    names = {name for file in files for name in complete_header(file)}
    return frozenset(names - {"__metadata__"})


def complete_header(file: Path) -> dict[str, Any]:
    """The header of a safetensors file, which has the length that the header promises.

    Raises:
        BaseModelError: it is no such file, or is cut short.
    """
    size = file.stat().st_size
    with open(file, "rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        try:
            header = json.loads(stream.read(length)) if 2 <= length <= size - 8 else None
        except ValueError:
            header = None
    if not isinstance(header, dict):
        raise BaseModelError(f"{file} is not a safetensors file, or is cut short in its header. Copy it again.")
    ends = [v["data_offsets"][1] for k, v in header.items() if k != "__metadata__"]
    if size != 8 + length + max(ends, default=0):
        raise BaseModelError(
            f"{file} is truncated: its header promises {8 + length + max(ends, default=0)} bytes, "
            f"but there are {size}. Copy it again."
        )
    return header
