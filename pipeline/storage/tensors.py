"""Tensors on disk, as safetensors: nothing in them runs, and a full disk is said to be one."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

import torch


def write_tensors(path: Path, tensors: Mapping[str, torch.Tensor]) -> None:
    """Write them to `path`.

    Raises:
        OSError: the disk is full or cannot be written to; safetensors has its own error for it, with the number inside.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    try:
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path)
    except SafetensorError as error:
        number = re.search(r"os error (\d+)", str(error))
        if number is None:
            raise
        raise OSError(int(number[1]), os.strerror(int(number[1])), str(path)) from error
