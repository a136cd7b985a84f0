"""A base in one GGUF file, as llama.cpp reads it: unpacked once into a directory as save_pretrained writes it."""

import contextlib
import io
from pathlib import Path
from typing import Any

from pipeline.errors import BaseModelError, first_line
from pipeline.files import lock, staged_directory

SUFFIX = ".gguf"


def unpacked(file: Path, *, sha256: str, root: Path) -> Path:
    """The directory under `root`/bases with the file's weights, float32, its configuration and its tokenizer.

    It takes half a minute and eight times the room of four-bit weights, once for each file.

    Raises:
        BaseModelError: transformers cannot read the file's architecture or quantisation, or it is damaged.
    """
    folder = root / "bases" / sha256[:16]
    if not folder.is_dir():
        with lock(folder.with_name(f".{folder.name}.lock")):
            if not folder.is_dir():
                _unpack(file, folder)
    return folder


def _unpack(file: Path, folder: Path) -> None:
    import transformers

    transformers.utils.logging.disable_progress_bar()
    with staged_directory(folder) as staged:
        try:
            model, tokenizer = _read(file)
        except Exception as error:  # whatever a reader says of bytes that it does not expect
            raise BaseModelError(
                f"{file} cannot be read as GGUF: {first_line(error).rstrip('.')}. Use one of an architecture and a "
                "quantisation that transformers reads, or a directory with safetensors weights: base=local "
                "base.path=DIRECTORY."
            ) from error
        model.save_pretrained(staged)
        tokenizer.save_pretrained(staged)


def _read(file: Path) -> tuple[Any, Any]:
    """The network, free of what marks it as quantised, and the tokenizer, which is told how much fits.

    Raises:
        ValueError: weights are missing, which transformers would draw at random.
    """
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    there: Any = {"gguf_file": file.name, "local_files_only": True, "trust_remote_code": False}
    config = AutoConfig.from_pretrained(str(file.parent), **there)
    with contextlib.redirect_stderr(io.StringIO()):  # a progress bar that no setting turns off
        found: Any = AutoModelForCausalLM.from_pretrained(
            str(file.parent), dtype=torch.float32, output_loading_info=True, **there
        )
    quantised, info = found
    missing = sorted(info["missing_keys"])
    if missing:
        raise ValueError(f"{len(missing)} of its weights are missing ({', '.join(missing[:3])}, ...)")
    model = AutoModelForCausalLM.from_config(config, trust_remote_code=False).to(torch.float32)
    model.load_state_dict(quantised.state_dict())
    tokenizer = AutoTokenizer.from_pretrained(str(file.parent), **there)
    tokenizer.model_max_length = config.max_position_embeddings
    return model, tokenizer
